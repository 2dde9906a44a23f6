-- Requests to each target of an Application Load Balancer by day. The latency is the mean number of milliseconds until the target began
-- to respond; NULL if it never did.
CREATE OR REPLACE VIEW alb_targets AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  elb,
  target_ip,
  count(*) AS requests,
  count(*) FILTER (WHERE elb_status_code >= 500) AS errors,
  avg(CAST(round(target_processing_time * 1000) AS bigint)) FILTER (WHERE target_processing_time >= 0) AS latency
FROM alb_access
WHERE target_ip IS NOT NULL
GROUP BY 1, 2, 3, 4;

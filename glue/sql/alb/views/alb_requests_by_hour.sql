-- Requests, errors, bytes and latency of each Application Load Balancer by hour. The latency is the mean number of milliseconds until
-- a target began to respond; NULL if none did.
CREATE OR REPLACE VIEW alb_requests_by_hour AS
SELECT
  proc_ymd,
  date_trunc('hour', event_time) AS hour_utc,
  date_trunc('hour', event_time_kst) AS hour_kst,
  elb,
  count(*) AS requests,
  count(*) FILTER (WHERE elb_status_code BETWEEN 400 AND 499) AS errors_4xx,
  count(*) FILTER (WHERE elb_status_code >= 500) AS errors_5xx,
  sum(received_bytes) AS received_bytes,
  sum(sent_bytes) AS sent_bytes,
  avg(CAST(round(target_processing_time * 1000) AS bigint)) FILTER (WHERE target_processing_time >= 0) AS target_latency
FROM alb_access
GROUP BY 1, 2, 3, 4;

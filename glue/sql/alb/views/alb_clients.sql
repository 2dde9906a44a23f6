-- Requests of each client of an Application Load Balancer by day.
CREATE OR REPLACE VIEW alb_clients AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  elb,
  client_ip,
  count(*) AS requests,
  count(*) FILTER (WHERE elb_status_code >= 400) AS errors,
  sum(sent_bytes) AS sent_bytes
FROM alb_access
GROUP BY 1, 2, 3, 4;

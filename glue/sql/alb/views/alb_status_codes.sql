-- Requests to each Application Load Balancer by day and status code.
CREATE OR REPLACE VIEW alb_status_codes AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  elb,
  elb_status_code,
  count(*) AS requests
FROM alb_access
GROUP BY 1, 2, 3, 4;

-- Requests to Application Load Balancers with the columns that most questions need. target_ms is the number of milliseconds until a
-- target began to respond; NULL if none did.
CREATE OR REPLACE VIEW alb_requests AS
SELECT
  proc_ymd,
  event_time,
  event_time_kst,
  elb,
  client_ip,
  target_ip,
  elb_status_code,
  target_status_code,
  received_bytes,
  sent_bytes,
  CASE WHEN target_processing_time >= 0 THEN CAST(round(target_processing_time * 1000) AS bigint) END AS target_ms
FROM alb_access;

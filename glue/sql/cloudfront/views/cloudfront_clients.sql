-- Requests of each client of a CloudFront distribution by day.
CREATE OR REPLACE VIEW cloudfront_clients AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  distribution_id,
  c_ip,
  count(*) AS requests,
  count(*) FILTER (WHERE sc_status >= 400) AS errors,
  sum(sc_bytes) AS sent_bytes
FROM cloudfront
GROUP BY 1, 2, 3, 4;

-- Errors of API calls, requests that were answered with an error, and requests that AWS WAF blocked, by service and hour.
CREATE OR REPLACE VIEW errors_by_hour AS
SELECT
  proc_ymd,
  date_trunc('hour', event_time) AS hour_utc,
  date_trunc('hour', event_time_kst) AS hour_kst,
  event_source AS service,
  count(*) AS errors
FROM cloudtrail
WHERE error_code IS NOT NULL
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT
  proc_ymd,
  date_trunc('hour', request_time) AS hour_utc,
  date_trunc('hour', request_time_kst) AS hour_kst,
  'S3 requests' AS service,
  count(*) AS errors
FROM s3_access
WHERE http_status >= 400
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT
  proc_ymd,
  date_trunc('hour', event_time) AS hour_utc,
  date_trunc('hour', event_time_kst) AS hour_kst,
  'CloudFront requests' AS service,
  count(*) AS errors
FROM cloudfront
WHERE sc_status >= 400
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT
  proc_ymd,
  date_trunc('hour', event_time) AS hour_utc,
  date_trunc('hour', event_time_kst) AS hour_kst,
  'ALB requests' AS service,
  count(*) AS errors
FROM alb_access
WHERE elb_status_code >= 400
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT
  proc_ymd,
  date_trunc('hour', event_time) AS hour_utc,
  date_trunc('hour', event_time_kst) AS hour_kst,
  'Classic Load Balancer requests' AS service,
  count(*) AS errors
FROM clb_access
WHERE elb_status_code >= 400
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT
  proc_ymd,
  date_trunc('hour', event_time) AS hour_utc,
  date_trunc('hour', event_time_kst) AS hour_kst,
  'requests blocked by WAF' AS service,
  count(*) AS errors
FROM waf
WHERE action = 'BLOCK'
GROUP BY 1, 2, 3, 4;

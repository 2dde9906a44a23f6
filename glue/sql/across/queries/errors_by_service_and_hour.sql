-- Errors of API calls, of S3 requests and of requests to load balancers in each Korean hour.
SELECT hour_kst, service, count(*) AS errors
FROM (
  SELECT date_trunc('hour', event_time_kst) AS hour_kst, event_source AS service
  FROM cloudtrail
  WHERE proc_ymd = '20231101' AND error_code IS NOT NULL
  UNION ALL
  SELECT date_trunc('hour', request_time_kst) AS hour_kst, 'S3 requests' AS service
  FROM s3_access
  WHERE proc_ymd = '20231101' AND http_status >= 400
  UNION ALL
  SELECT date_trunc('hour', event_time_kst) AS hour_kst, 'ALB requests' AS service
  FROM alb_access
  WHERE proc_ymd = '20231101' AND elb_status_code >= 400
  UNION ALL
  SELECT date_trunc('hour', event_time_kst) AS hour_kst, 'Classic Load Balancer requests' AS service
  FROM clb_access
  WHERE proc_ymd = '20231101' AND elb_status_code >= 400
) AS errors
GROUP BY hour_kst, service
ORDER BY hour_kst, service;

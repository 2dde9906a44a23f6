-- What one address asked of load balancers and of S3, in the order of time.
SELECT time_kst, service, asked, status, bytes_out
FROM (
  SELECT event_time_kst AS time_kst, 'ALB' AS service, request AS asked, elb_status_code AS status, sent_bytes AS bytes_out
  FROM alb_access
  WHERE proc_ymd = '20231101' AND client_ip = '192.0.2.1'
  UNION ALL
  SELECT request_time_kst AS time_kst, 'S3' AS service, request_uri AS asked, http_status AS status, bytes_sent AS bytes_out
  FROM s3_access
  WHERE proc_ymd = '20231101' AND remote_ip = '192.0.2.1'
) AS requests
ORDER BY time_kst, service, asked
LIMIT 200;

-- What one address asked of CloudFront, AWS WAF, load balancers and S3, in the order of time.
SELECT event_time_kst, service, resource, request, status, result, bytes_out
FROM client_requests
WHERE proc_ymd = '20231101' AND client_ip = '198.51.100.1'
ORDER BY event_time_kst, service, resource, request, status, result, bytes_out
LIMIT 200;

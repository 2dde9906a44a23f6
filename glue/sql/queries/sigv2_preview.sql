-- The last twenty requests with Signature Version 2 in the access logs.
SELECT event_time_kst, bucket, source_ip, operation, object_key, user_agent, request_id
FROM sigv2_requests
WHERE log = 's3_access' AND proc_ymd BETWEEN '20231101' AND '20231130'
ORDER BY event_time_kst DESC, request_id
LIMIT 20;

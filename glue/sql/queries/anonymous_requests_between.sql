-- Unsigned requests between two times in UTC.
SELECT event_time, operation, bucket, object_key, source_ip, user_agent, error_code
FROM anonymous_requests
WHERE log = 'cloudtrail'
  AND event_time BETWEEN TIMESTAMP '2023-10-31 15:00:00' AND TIMESTAMP '2023-11-01 14:59:59'
  AND proc_ymd BETWEEN '20231101' AND '20231101'
ORDER BY event_time, object_key, source_ip;

-- Objects put between two times, with caller and address. Times are UTC, both ends included; proc_ymd must cover them.
SELECT event_time, event_name, bucket, object_key, requester, source_ip, user_agent, error_code
FROM object_access
WHERE access = 'put'
  AND event_time BETWEEN TIMESTAMP '2023-10-31 16:00:00' AND TIMESTAMP '2023-11-01 04:00:00'
  AND proc_ymd BETWEEN '20231101' AND '20231101'
ORDER BY event_time, bucket, object_key, requester, source_ip;

-- Objects read between two times in Korean time, with caller and address.
SELECT event_time_kst, event_name, bucket, object_key, requester, source_ip, user_agent, error_code
FROM object_access
WHERE access = 'get'
  AND event_time_kst BETWEEN TIMESTAMP '2023-11-01 09:00:00' AND TIMESTAMP '2023-11-01 18:00:00'
  AND proc_ymd BETWEEN '20231101' AND '20231101'
ORDER BY event_time_kst, bucket, object_key, requester, source_ip;

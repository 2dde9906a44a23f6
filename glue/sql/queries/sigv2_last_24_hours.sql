-- Requests with Signature Version 2 in the last 24 hours, by address, caller, bucket, operation and user agent.
--
-- The Korean date 24 hours ago equals the UTC date 15 hours ago, so proc_ymd starts there. Days that are not yet published
-- do not count; access logs arrive hours late.
SELECT source_ip, requester, bucket, operation, user_agent, count(*) AS requests
FROM sigv2_requests
WHERE log = 's3_access'
  AND event_time > CAST(current_timestamp AS timestamp) - INTERVAL '24' HOUR
  AND proc_ymd >= date_format(CAST(current_timestamp AS timestamp) - INTERVAL '15' HOUR, '%Y%m%d')
GROUP BY source_ip, requester, bucket, operation, user_agent
ORDER BY requests DESC, source_ip, requester, bucket, operation, user_agent;

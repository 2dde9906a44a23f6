-- User agents with Signature Version 2 in the last 24 hours, by bucket: the programs to update first.
SELECT bucket, user_agent, count(*) AS requests, count(DISTINCT source_ip) AS addresses
FROM sigv2_requests
WHERE log = 's3_access'
  AND event_time > CAST(current_timestamp AS timestamp) - INTERVAL '24' HOUR
  AND proc_ymd >= date_format(CAST(current_timestamp AS timestamp) - INTERVAL '15' HOUR, '%Y%m%d')
GROUP BY bucket, user_agent
ORDER BY requests DESC, bucket, user_agent;

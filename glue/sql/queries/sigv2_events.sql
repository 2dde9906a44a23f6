-- Every CloudTrail event of a Korean day with Signature Version 2: time, call, parameters, region, address and user agent.
SELECT event_time, event_name, request_parameters, aws_region, source_ip_address, user_agent
FROM cloudtrail
WHERE proc_ymd = '20231101' AND event_source = 's3.amazonaws.com' AND signature_version = 'SigV2'
ORDER BY event_time, event_id;

-- Every event with Signature Version 2 that CloudTrail has for a Korean day: when, what, with which parameters, where, from where.
SELECT event_time, event_name, request_parameters, aws_region, source_ip_address, user_agent
FROM cloudtrail
WHERE proc_ymd = '20231101' AND event_source = 's3.amazonaws.com' AND signature_version = 'SigV2'
ORDER BY event_time, event_id;

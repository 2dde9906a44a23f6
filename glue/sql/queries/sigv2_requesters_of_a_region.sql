-- Callers that send requests with Signature Version 2 in one region on one Korean day. Only one partition is read.
SELECT user_identity_arn AS requester, count(*) AS requests
FROM cloudtrail
WHERE proc_ymd = '20231101'
  AND aws_region = 'ap-northeast-2'
  AND event_source = 's3.amazonaws.com'
  AND signature_version = 'SigV2'
GROUP BY user_identity_arn
ORDER BY requests DESC, requester;

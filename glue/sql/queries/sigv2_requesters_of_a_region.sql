-- The same for one region and one Korean day: the partition is all that is read.
SELECT user_identity_arn AS requester, count(*) AS requests
FROM cloudtrail
WHERE proc_ymd = '20231101'
  AND aws_region = 'ap-northeast-2'
  AND event_source = 's3.amazonaws.com'
  AND signature_version = 'SigV2'
GROUP BY user_identity_arn
ORDER BY requests DESC, requester;

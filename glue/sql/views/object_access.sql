-- Callers that put, got or deleted objects: S3 data events of CloudTrail, including denied ones (see error_code).
--
-- put: PutObject, PostObject, CopyObject, CompleteMultipartUpload; get: GetObject, SelectObjectContent; delete: DeleteObject,
-- DeleteObjects. For heads, lists, upload parts, tags and ACLs, query the table cloudtrail. DeleteObjects has no key; since 2025
-- CloudTrail adds a DeleteObject event for each of its keys. Deletions by lifecycle rules are only in s3_access.
CREATE OR REPLACE VIEW object_access AS
SELECT
  proc_ymd,
  event_time,
  event_time_kst,
  CASE
    WHEN event_name IN ('GetObject', 'SelectObjectContent') THEN 'get'
    WHEN event_name IN ('DeleteObject', 'DeleteObjects') THEN 'delete'
    ELSE 'put'
  END AS access,
  event_name,
  bucket_name AS bucket,
  object_key,
  coalesce(user_identity_arn, nullif(user_identity_principal_id, ''), user_identity_invoked_by, user_identity_account_id) AS requester,
  source_ip_address AS source_ip,
  user_agent,
  error_code
FROM cloudtrail
WHERE event_source IN ('s3.amazonaws.com', 's3express.amazonaws.com', 's3-outposts.amazonaws.com')
  AND event_name IN (
    'PutObject', 'PostObject', 'CopyObject', 'CompleteMultipartUpload', 'GetObject', 'SelectObjectContent', 'DeleteObject',
    'DeleteObjects'
  );

-- Requests to S3 that were signed with Signature Version 2, from both logs, with one row per request and log.
--
-- A request that is in both logs appears twice with the same request_id: count one log, or count(DISTINCT request_id). CloudTrail
-- has object requests only if its data events are enabled. The trail of an organisation has a request across accounts once per
-- account. Keys of a multi-object delete and sources of copies are excluded, because the request itself has a line.
CREATE OR REPLACE VIEW sigv2_requests AS
SELECT
  'cloudtrail' AS log,
  proc_ymd,
  event_time,
  event_time_kst,
  request_id,
  bucket_name AS bucket,
  event_name AS operation,
  object_key,
  coalesce(user_identity_arn, nullif(user_identity_principal_id, ''), user_identity_invoked_by) AS requester,
  source_ip_address AS source_ip,
  user_agent
FROM cloudtrail
WHERE event_source = 's3.amazonaws.com' AND signature_version = 'SigV2'
UNION ALL
SELECT
  's3_access' AS log,
  proc_ymd,
  request_time AS event_time,
  request_time_kst AS event_time_kst,
  request_id,
  bucket,
  operation,
  key_decoded AS object_key,
  requester,
  remote_ip AS source_ip,
  user_agent
FROM s3_access
WHERE signature_version = 'SigV2'
  AND (operation LIKE 'REST.%' OR operation LIKE 'WEBSITE.%' OR operation LIKE 'SOAP.%')
  AND operation NOT IN ('REST.COPY.OBJECT_GET', 'REST.COPY.PART_GET');

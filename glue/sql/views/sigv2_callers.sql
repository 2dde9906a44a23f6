-- Callers that still sign with Signature Version 2: the rows of sigv2_requests, counted by caller on each Korean day.
--
-- Both logs record the same requests: query one log at a time.
CREATE OR REPLACE VIEW sigv2_callers AS
SELECT
  'cloudtrail' AS log,
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  coalesce(user_identity_arn, nullif(user_identity_principal_id, ''), user_identity_invoked_by) AS requester,
  source_ip_address AS source_ip,
  bucket_name AS bucket,
  event_name AS operation,
  user_agent,
  count(*) AS requests
FROM cloudtrail
WHERE event_source = 's3.amazonaws.com' AND signature_version = 'SigV2'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
UNION ALL
SELECT
  's3_access' AS log,
  proc_ymd,
  date_trunc('day', request_time_kst) - INTERVAL '9' HOUR AS day_utc,
  requester,
  remote_ip AS source_ip,
  bucket,
  operation,
  user_agent,
  count(*) AS requests
FROM s3_access
WHERE signature_version = 'SigV2'
  AND (operation LIKE 'REST.%' OR operation LIKE 'WEBSITE.%' OR operation LIKE 'SOAP.%')
  AND operation NOT IN ('REST.COPY.OBJECT_GET', 'REST.COPY.PART_GET')
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;

-- Unsigned requests, from both logs.
--
-- In CloudTrail, a caller whose account or principal is called anonymous, of any service. In access logs, a request without
-- requester and without signature. A request with a wrong signature has no requester either, but is not anonymous. The short
-- lines of old logs do not show the signature, so every such line without a requester counts.
CREATE OR REPLACE VIEW anonymous_requests AS
SELECT
  'cloudtrail' AS log,
  proc_ymd,
  event_time,
  event_time_kst,
  request_id,
  bucket_name AS bucket,
  event_name AS operation,
  object_key,
  source_ip_address AS source_ip,
  user_agent,
  error_code
FROM cloudtrail
WHERE lower(user_identity_account_id) IN ('anonymous', 'anonymous_principal')
  OR lower(user_identity_principal_id) IN ('anonymous', 'anonymous_principal')
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
  remote_ip AS source_ip,
  user_agent,
  error_code
FROM s3_access
WHERE requester IS NULL
  AND signature_version IS NULL
  AND (operation LIKE 'REST.%' OR operation LIKE 'WEBSITE.%' OR operation LIKE 'SOAP.%')
  AND operation NOT IN ('REST.COPY.OBJECT_GET', 'REST.COPY.PART_GET');

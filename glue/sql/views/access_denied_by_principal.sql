-- Denied events of each principal on each Korean day.
--
-- An event is denied if its error code says so, in the spelling of any service: AccessDenied, Client.UnauthorizedOperation,
-- NotAuthorized, AuthorizationError, Forbidden, and codes that begin or end with these. Failed sign-ins have no error code: see
-- console_logins. The principal is the user of monthly_users. For other callers it is the service, 'anonymous' or the account,
-- so that every denied event is counted.
CREATE OR REPLACE VIEW access_denied_by_principal AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  coalesce(
    principal,
    CASE
      WHEN lower(user_identity_account_id) IN ('anonymous', 'anonymous_principal') THEN 'anonymous'
      WHEN lower(user_identity_principal_id) IN ('anonymous', 'anonymous_principal') THEN 'anonymous'
    END,
    user_identity_arn, user_identity_invoked_by, user_identity_account_id
  ) AS principal,
  user_identity_account_id AS account_id,
  event_source,
  event_name,
  error_code,
  count(*) AS requests,
  min(event_time) AS first_time,
  max(event_time) AS last_time
FROM (
  SELECT
    proc_ymd, event_time, event_time_kst, event_source, event_name, error_code,
    user_identity_arn, user_identity_account_id, user_identity_principal_id, user_identity_invoked_by,
    CASE
      WHEN user_identity_type = 'AWSService' OR event_type = 'AwsServiceEvent' THEN NULL
      WHEN lower(user_identity_account_id) IN ('anonymous', 'anonymous_principal') THEN NULL
      WHEN lower(user_identity_principal_id) IN ('anonymous', 'anonymous_principal') THEN NULL
      WHEN user_identity_session_context_session_issuer_arn LIKE '%:role/aws-service-role/%' THEN NULL
      WHEN user_identity_session_context_session_issuer_user_name LIKE 'AWSReservedSSO%' THEN user_identity_arn
      WHEN user_identity_type = 'AssumedRole'
        THEN coalesce(user_identity_session_context_session_issuer_arn, user_identity_arn)
      WHEN user_identity_arn IS NULL AND user_identity_principal_id LIKE 'AROA%:%'
        THEN split_part(user_identity_principal_id, ':', 1)
      ELSE coalesce(user_identity_arn, user_identity_on_behalf_of_user_id, nullif(user_identity_principal_id, ''))
    END AS principal
  FROM cloudtrail
) AS events
WHERE lower(error_code) LIKE '%accessdenied%'
  OR lower(error_code) LIKE '%unauthorized%'
  OR lower(error_code) LIKE '%notauthorized%'
  OR lower(error_code) LIKE '%authorizationerror%'
  OR lower(error_code) LIKE '%forbidden%'
GROUP BY 1, 2, 3, 4, 5, 6, 7;

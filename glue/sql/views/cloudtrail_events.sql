-- Events of CloudTrail with the columns that questions about callers need.
--
-- principal is the user of monthly_users, or NULL. caller also names services, anonymous callers and accounts, so that it is rarely
-- NULL. account_id is the account that received the event. is_denied is the rule of access_denied_by_principal, is_root the rule of
-- root_usage. mfa_used is 'Yes' or 'No' if AWS logged it, for a sign-in or for the session.
CREATE OR REPLACE VIEW cloudtrail_events AS
SELECT
  proc_ymd,
  event_time,
  event_time_kst,
  principal,
  coalesce(
    principal,
    CASE
      WHEN lower(user_identity_account_id) IN ('anonymous', 'anonymous_principal') THEN 'anonymous'
      WHEN lower(user_identity_principal_id) IN ('anonymous', 'anonymous_principal') THEN 'anonymous'
    END,
    nullif(user_identity_arn, ''), nullif(user_identity_invoked_by, ''), nullif(user_identity_account_id, '')
  ) AS caller,
  coalesce(recipient_account_id, user_identity_account_id) AS account_id,
  event_source,
  event_name,
  aws_region,
  source_ip_address AS source_ip,
  user_agent,
  bucket_name AS bucket,
  error_code,
  coalesce(
    lower(error_code) LIKE '%accessdenied%'
    OR lower(error_code) LIKE '%unauthorized%'
    OR lower(error_code) LIKE '%notauthorized%'
    OR lower(error_code) LIKE '%authorizationerror%'
    OR lower(error_code) LIKE '%forbidden%',
    false
  ) AS is_denied,
  coalesce(
    (
      user_identity_type = 'Root'
      OR user_identity_arn LIKE 'arn:%:iam::%:root'
      OR user_identity_session_context_assumed_root = true
    )
    AND user_identity_invoked_by IS NULL
    AND (event_type IS NULL OR event_type <> 'AwsServiceEvent'),
    false
  ) AS is_root,
  CASE
    WHEN event_source = 'signin.amazonaws.com' AND event_name = 'ConsoleLogin'
      THEN json_extract_scalar(additional_event_data, '$.MFAUsed')
    WHEN user_identity_session_context_attributes_mfa_authenticated = true THEN 'Yes'
    WHEN user_identity_session_context_attributes_mfa_authenticated = false THEN 'No'
  END AS mfa_used
FROM (
  SELECT
    proc_ymd, event_time, event_time_kst, event_source, event_name, event_type, error_code, aws_region, source_ip_address, user_agent,
    bucket_name, recipient_account_id, additional_event_data, user_identity_type, user_identity_arn, user_identity_account_id,
    user_identity_principal_id, user_identity_invoked_by, user_identity_session_context_assumed_root,
    user_identity_session_context_attributes_mfa_authenticated,
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
) AS events;

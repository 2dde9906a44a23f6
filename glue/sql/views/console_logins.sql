-- Successful and failed sign-ins to the AWS console.
--
-- user_name is the IAM user, the session of a role (a person in Identity Center or at another provider), or root. AWS logs
-- HIDDEN_DUE_TO_SECURITY_REASONS for a name that does not exist. mfa_used is 'Yes' or 'No' as logged by AWS: for federated
-- sign-ins it is 'No' even if the provider asked for a second factor. result is 'Success' or 'Failure'.
CREATE OR REPLACE VIEW console_logins AS
SELECT
  proc_ymd,
  event_time,
  event_time_kst,
  coalesce(
    user_identity_user_name,
    CASE WHEN user_identity_type = 'Root' OR user_identity_arn LIKE 'arn:%:iam::%:root' THEN 'root' END,
    nullif(split_part(user_identity_principal_id, ':', 2), '')
  ) AS user_name,
  coalesce(user_identity_arn, nullif(user_identity_principal_id, '')) AS requester,
  coalesce(user_identity_account_id, recipient_account_id) AS account_id,
  source_ip_address AS source_ip,
  user_agent,
  json_extract_scalar(additional_event_data, '$.MFAUsed') AS mfa_used,
  json_extract_scalar(response_elements, '$.ConsoleLogin') AS result,
  error_message
FROM cloudtrail
WHERE event_source = 'signin.amazonaws.com' AND event_name = 'ConsoleLogin';

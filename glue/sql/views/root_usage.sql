-- What was done as root, sign-ins included; on most days there should be nothing.
--
-- Root is the type Root, or the ARN of root where the type is missing, or a session of AssumeRoot. What AWS itself did in the name of
-- the account (service events, calls that a service made) is left out.
CREATE OR REPLACE VIEW root_usage AS
SELECT
  proc_ymd,
  event_time,
  event_time_kst,
  coalesce(user_identity_account_id, recipient_account_id) AS account_id,
  event_source,
  event_name,
  aws_region,
  source_ip_address AS source_ip,
  user_agent,
  error_code
FROM cloudtrail
WHERE (
    user_identity_type = 'Root'
    OR user_identity_arn LIKE 'arn:%:iam::%:root'
    OR user_identity_session_context_assumed_root = true
  )
  AND user_identity_invoked_by IS NULL
  AND (event_type IS NULL OR event_type <> 'AwsServiceEvent');

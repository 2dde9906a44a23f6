-- Actions of the root user, including sign-ins. Most days should have none.
--
-- Root is the type Root, the ARN of root if the type is missing, or a session of AssumeRoot. Actions that AWS took on behalf of
-- the account (service events, calls made by a service) are excluded.
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

-- Active users and events in each Korean month.
--
-- A user is a principal, as glue/sql/README.md defines it: the role behind a session, the person behind a session of Identity
-- Center, or otherwise the principal itself. AWS services, service-linked roles and anonymous callers do not count as users, but
-- their events count. A month consists of its published days; 'logmill status' shows which days those are.
CREATE OR REPLACE VIEW monthly_users AS
SELECT
  substr(proc_ymd, 1, 4) || '-' || substr(proc_ymd, 5, 2) AS month,
  count(DISTINCT principal) AS users,
  count(*) AS events
FROM (
  SELECT
    proc_ymd,
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
GROUP BY 1;

-- Users of each service on each Korean day, and the average number of events per user.
--
-- Users are those of monthly_users. events counts all events of the service. events_per_user counts only events caused by
-- users, and is NULL if only AWS used the service.
CREATE OR REPLACE VIEW daily_users_by_service AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  event_source,
  count(DISTINCT principal) AS users,
  count(*) AS events,
  CAST(count(principal) AS double) / nullif(count(DISTINCT principal), 0) AS events_per_user
FROM (
  SELECT
    proc_ymd,
    event_time_kst,
    event_source,
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
GROUP BY 1, 2, 3;

-- Requests by day, and by the rule that ended their inspection.
CREATE OR REPLACE VIEW waf_rules AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  webacl_id,
  terminating_rule_id,
  terminating_rule_type,
  action,
  count(*) AS requests
FROM waf
GROUP BY 1, 2, 3, 4, 5, 6;

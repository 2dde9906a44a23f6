-- Requests that each web ACL of AWS WAF inspected, by hour and action.
CREATE OR REPLACE VIEW waf_actions_by_hour AS
SELECT
  proc_ymd,
  date_trunc('hour', event_time) AS hour_utc,
  date_trunc('hour', event_time_kst) AS hour_kst,
  webacl_id,
  action,
  count(*) AS requests
FROM waf
GROUP BY 1, 2, 3, 4, 5;

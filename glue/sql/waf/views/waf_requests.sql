-- Requests that AWS WAF inspected, with the columns that most questions need.
--
-- web_acl is the name of the web ACL, or its id in records of WAF Classic. account_id is the account of the web ACL. rule is the rule
-- that ended the inspection. country is NULL if unknown.
CREATE OR REPLACE VIEW waf_requests AS
SELECT
  proc_ymd,
  event_time,
  event_time_kst,
  CASE WHEN webacl_id LIKE 'arn:%' THEN split_part(webacl_id, ':', 5) END AS account_id,
  CASE WHEN webacl_id LIKE 'arn:%/%/%/%' THEN split_part(webacl_id, '/', 3) ELSE webacl_id END AS web_acl,
  action,
  terminating_rule_id AS rule,
  terminating_rule_type AS rule_type,
  http_request_client_ip AS client_ip,
  nullif(http_request_country, '-') AS country,
  coalesce(http_request_host, header_host) AS host,
  http_request_http_method AS method,
  http_request_uri AS path
FROM waf;

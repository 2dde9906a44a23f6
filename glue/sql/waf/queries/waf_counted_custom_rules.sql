-- Rules of the web ACL that matched and only count: the first one of each request, by address.
SELECT
  http_request_client_ip,
  json_extract_scalar(non_terminating_matching_rules, '$[0].ruleId') AS rule_id,
  count(*) AS requests
FROM waf
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND json_extract_scalar(non_terminating_matching_rules, '$[0].action') = 'COUNT'
GROUP BY 1, 2
ORDER BY requests DESC, http_request_client_ip, rule_id
LIMIT 100;

-- Rules of managed groups that only count: the first one of the first rule group.
SELECT
  json_extract_scalar(rule_group_list, '$[0].ruleGroupId') AS rule_group_id,
  json_extract_scalar(rule_group_list, '$[0].nonTerminatingMatchingRules[0].ruleId') AS rule_id,
  count(*) AS requests
FROM waf
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
  AND json_extract_scalar(rule_group_list, '$[0].nonTerminatingMatchingRules[0].action') = 'COUNT'
GROUP BY 1, 2
ORDER BY requests DESC, rule_group_id, rule_id;

-- Matches of excluded rules: the first excluded rule of the first rule group, by Korean day.
SELECT proc_ymd, json_extract_scalar(rule_group_list, '$[0].excludedRules[0].ruleId') AS rule_id, count(*) AS requests
FROM waf
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND json_extract_scalar(rule_group_list, '$[0].excludedRules[0].ruleId') IS NOT NULL
GROUP BY 1, 2
ORDER BY requests DESC, proc_ymd, rule_id;

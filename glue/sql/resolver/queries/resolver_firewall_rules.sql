-- What DNS Firewall blocked or reported, by rule group, domain list and instance.
SELECT firewall_rule_group_id, firewall_domain_list_id, firewall_rule_action, srcids_instance, count(*) AS queries
FROM resolver_query
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND firewall_rule_action IS NOT NULL
GROUP BY firewall_rule_group_id, firewall_domain_list_id, firewall_rule_action, srcids_instance
ORDER BY queries DESC, firewall_rule_group_id, firewall_domain_list_id, firewall_rule_action, srcids_instance
LIMIT 100;

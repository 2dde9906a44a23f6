-- Blocked requests by web ACL, rule, address and path.
SELECT webacl_id, terminating_rule_id, http_request_client_ip, http_request_uri, count(*) AS requests
FROM waf
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND action = 'BLOCK'
GROUP BY webacl_id, terminating_rule_id, http_request_client_ip, http_request_uri
ORDER BY requests DESC, webacl_id, terminating_rule_id, http_request_client_ip, http_request_uri
LIMIT 100;

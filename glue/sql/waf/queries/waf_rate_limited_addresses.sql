-- Addresses that rate-based rules blocked, with the web ACL.
SELECT http_request_client_ip, webacl_id, count(*) AS requests
FROM waf
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND terminating_rule_type = 'RATE_BASED' AND action = 'BLOCK'
GROUP BY http_request_client_ip, webacl_id
ORDER BY requests DESC, http_request_client_ip, webacl_id
LIMIT 100;

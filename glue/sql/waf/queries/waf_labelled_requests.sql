-- Requests that bear a label, by client and agent.
SELECT http_request_client_ip, header_user_agent, count(*) AS requests
FROM waf
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND contains(labels, 'shop:bot')
GROUP BY http_request_client_ip, header_user_agent
ORDER BY requests DESC, http_request_client_ip, header_user_agent
LIMIT 100;

-- Requests that AWS WAF blocked, by client. Other rules took no part in them.
SELECT client_ip, count(*) AS requests
FROM alb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND elb_status_code = 403 AND array_join(actions_executed, ',') = 'waf'
GROUP BY client_ip
ORDER BY requests DESC, client_ip
LIMIT 100;

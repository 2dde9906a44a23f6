-- User agents of one client.
SELECT user_agent, count(*) AS requests
FROM alb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND client_ip = '192.0.2.1'
GROUP BY user_agent
ORDER BY requests DESC, user_agent;

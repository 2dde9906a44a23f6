-- User agents that call themselves bots or crawlers.
SELECT user_agent, count(*) AS requests
FROM clb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND (lower(user_agent) LIKE '%bot%' OR lower(user_agent) LIKE '%crawler%')
GROUP BY user_agent
ORDER BY requests DESC, user_agent;

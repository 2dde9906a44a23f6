-- User agents by their number of requests, as logged.
SELECT cs_user_agent, count(*) AS requests
FROM cloudfront
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY cs_user_agent
ORDER BY requests DESC, cs_user_agent
LIMIT 100;

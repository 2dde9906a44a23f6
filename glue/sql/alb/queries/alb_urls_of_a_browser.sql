-- URLs that were visited with a browser, newest first.
SELECT event_time_kst, request_url, user_agent
FROM alb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND user_agent LIKE '%Firefox%'
ORDER BY event_time_kst DESC, request_url
LIMIT 100;

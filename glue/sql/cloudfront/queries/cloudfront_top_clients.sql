-- The addresses with the most requests.
SELECT c_ip, count(*) AS requests
FROM cloudfront
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY c_ip
ORDER BY requests DESC, c_ip
LIMIT 10;

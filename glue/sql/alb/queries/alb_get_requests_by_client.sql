-- GET requests of each client address.
SELECT client_ip, count(*) AS requests
FROM alb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND request_method = 'GET'
GROUP BY client_ip
ORDER BY requests DESC, client_ip
LIMIT 100;

-- Clients with the most connections.
SELECT client_ip, count(*) AS connections
FROM alb_connection
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY client_ip
ORDER BY connections DESC, client_ip
LIMIT 10;

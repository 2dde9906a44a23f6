-- The busiest clients of one load balancer.
SELECT client_ip, count(*) AS requests
FROM clb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND elb = 'old-web'
GROUP BY client_ip
ORDER BY requests DESC, client_ip
LIMIT 10;

-- The busiest clients of one load balancer.
SELECT client_ip, count(*) AS requests
FROM alb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND elb = 'app/shop/50dc6c495c0c9188'
GROUP BY client_ip
ORDER BY requests DESC, client_ip
LIMIT 10;

-- The busiest clients of one load balancer.
SELECT client_ip, count(*) AS connections
FROM nlb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND elb = 'net/edge/c6e77e28c25b2234'
GROUP BY client_ip
ORDER BY connections DESC, client_ip
LIMIT 10;

-- Seconds that instances took to respond, by load balancer and instance. Times of -1 count as zero.
SELECT elb, backend_ip, count(*) AS requests, sum(greatest(backend_processing_time, 0)) AS seconds
FROM clb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND backend_ip IS NOT NULL
GROUP BY elb, backend_ip
ORDER BY seconds DESC, elb, backend_ip;

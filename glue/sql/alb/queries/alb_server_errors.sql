-- Responses with a status of 500 or more, by load balancer and status of the target.
SELECT elb, elb_status_code, target_status_code, count(*) AS requests
FROM alb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND elb_status_code >= 500
GROUP BY elb, elb_status_code, target_status_code
ORDER BY requests DESC, elb, elb_status_code;

-- Requests by status. Connections of TCP listeners have none.
SELECT elb_status_code, count(*) AS requests
FROM clb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND elb_status_code IS NOT NULL
GROUP BY elb_status_code
ORDER BY requests DESC, elb_status_code;

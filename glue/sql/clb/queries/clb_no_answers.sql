-- Requests that got 502 although the instance sent no status, by instance.
SELECT backend_ip, count(*) AS requests
FROM clb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND elb_status_code = 502 AND backend_status_code IS NULL
GROUP BY backend_ip
ORDER BY requests DESC, backend_ip;

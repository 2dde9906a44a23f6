-- Instances by their responses with a status of 400 or more.
SELECT backend_ip, backend_status_code, count(*) AS requests
FROM clb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND backend_status_code >= 400 AND backend_ip IS NOT NULL
GROUP BY backend_ip, backend_status_code
ORDER BY requests DESC, backend_ip, backend_status_code;

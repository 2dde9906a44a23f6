-- Addresses that were blocked most between two times in UTC.
SELECT http_request_client_ip, count(*) AS requests
FROM waf
WHERE proc_ymd = '20231101' AND action = 'BLOCK'
  AND event_time >= TIMESTAMP '2023-10-31 16:00:00' AND event_time < TIMESTAMP '2023-11-01 04:00:00'
GROUP BY http_request_client_ip
ORDER BY requests DESC, http_request_client_ip
LIMIT 100;

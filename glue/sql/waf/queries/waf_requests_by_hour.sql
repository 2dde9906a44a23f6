-- Requests of each address in each Korean hour, the most first.
SELECT http_request_client_ip, date_trunc('hour', event_time_kst) AS hour_kst, count(*) AS requests
FROM waf
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY 1, 2
ORDER BY requests DESC, http_request_client_ip, hour_kst
LIMIT 50;

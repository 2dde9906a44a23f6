-- Responses of more than a megabyte, largest first.
SELECT event_time_kst, client_ip, sent_bytes, request_url
FROM clb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND sent_bytes > 1000000
ORDER BY sent_bytes DESC, event_time_kst
LIMIT 100;

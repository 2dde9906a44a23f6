-- Bytes received from and sent to each client between two times in UTC.
SELECT client_ip, sum(received_bytes) AS received_bytes, sum(sent_bytes) AS sent_bytes
FROM alb_access
WHERE proc_ymd = '20231101'
  AND event_time >= TIMESTAMP '2023-10-31 16:00:00' AND event_time < TIMESTAMP '2023-11-01 04:00:00'
GROUP BY client_ip
ORDER BY sent_bytes DESC, client_ip
LIMIT 100;

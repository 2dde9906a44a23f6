-- The largest transfers, with the milliseconds of their connections.
SELECT event_time_kst, client_ip, client_port, connection_time, received_bytes + sent_bytes AS bytes
FROM nlb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND received_bytes + sent_bytes > 1000000
ORDER BY bytes DESC, event_time_kst, client_port
LIMIT 100;

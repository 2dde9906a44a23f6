-- The slowest TLS handshakes, in milliseconds.
SELECT event_time_kst, client_ip, tls_handshake_time, tls_cipher
FROM nlb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND tls_handshake_time IS NOT NULL
ORDER BY tls_handshake_time DESC, event_time_kst, client_ip
LIMIT 10;

-- TLS handshakes of two seconds and more, slowest first.
SELECT event_time_kst, client_ip, tls_handshake_latency, conn_trace_id
FROM alb_connection
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND tls_handshake_latency >= 2
ORDER BY tls_handshake_latency DESC, conn_trace_id
LIMIT 100;

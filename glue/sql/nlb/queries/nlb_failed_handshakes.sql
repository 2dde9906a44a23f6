-- Clients whose TLS handshakes failed, with the alert that they sent, or -1 if they sent none.
SELECT client_ip, coalesce(incoming_tls_alert, -1) AS alert, count(*) AS connections
FROM nlb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND tls_handshake_time IS NULL
GROUP BY 1, 2
ORDER BY connections DESC, client_ip, alert;

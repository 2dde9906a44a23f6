-- Clients that still use a TLS version before 1.2.
SELECT client_ip, tls_protocol, count(*) AS connections
FROM alb_connection
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND tls_protocol NOT IN ('TLSv1.2', 'TLSv1.3')
GROUP BY client_ip, tls_protocol
ORDER BY connections DESC, client_ip;

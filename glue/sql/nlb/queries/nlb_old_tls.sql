-- Clients that used a TLS version before 1.3.
SELECT client_ip, tls_protocol_version, count(*) AS connections
FROM nlb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND tls_protocol_version < 'tlsv13'
GROUP BY client_ip, tls_protocol_version
ORDER BY connections DESC, client_ip, tls_protocol_version;

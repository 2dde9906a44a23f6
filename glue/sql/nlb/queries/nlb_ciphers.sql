-- TLS versions and ciphers by their connections.
SELECT tls_protocol_version, tls_cipher, count(*) AS connections
FROM nlb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND tls_protocol_version IS NOT NULL
GROUP BY tls_protocol_version, tls_cipher
ORDER BY connections DESC, tls_protocol_version, tls_cipher;

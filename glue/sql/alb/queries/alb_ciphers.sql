-- TLS versions and ciphers of connections. NULL is a connection without TLS.
SELECT tls_protocol, tls_cipher, count(*) AS connections
FROM alb_connection
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY tls_protocol, tls_cipher
ORDER BY connections DESC, tls_protocol, tls_cipher;

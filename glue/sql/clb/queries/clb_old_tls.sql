-- Clients that used a TLS version before 1.2.
SELECT client_ip, ssl_protocol, count(*) AS requests
FROM clb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND ssl_protocol NOT IN ('TLSv1.2', 'TLSv1.3')
GROUP BY client_ip, ssl_protocol
ORDER BY requests DESC, client_ip, ssl_protocol;

-- Failed verifications of client certificates, by client and reason.
SELECT client_ip, tls_verify_status, count(*) AS connections
FROM alb_connection
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND tls_verify_status LIKE 'Failed%'
GROUP BY client_ip, tls_verify_status
ORDER BY connections DESC, client_ip;

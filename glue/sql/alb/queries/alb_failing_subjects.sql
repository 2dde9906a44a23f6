-- Subjects of client certificates that were refused.
SELECT leaf_client_cert_subject, tls_verify_status, count(*) AS connections
FROM alb_connection
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND tls_verify_status LIKE 'Failed%' AND leaf_client_cert_subject IS NOT NULL
GROUP BY leaf_client_cert_subject, tls_verify_status
ORDER BY connections DESC, leaf_client_cert_subject;

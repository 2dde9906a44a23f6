-- Requests without TLS 1.2 or later, by type and TLS version.
SELECT type, ssl_protocol, count(*) AS requests
FROM alb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND (ssl_protocol IS NULL OR ssl_protocol NOT IN ('TLSv1.2', 'TLSv1.3'))
GROUP BY type, ssl_protocol
ORDER BY requests DESC, type;

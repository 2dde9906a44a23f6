-- Requests by protocol and TLS version.
SELECT cs_protocol, ssl_protocol, count(*) AS requests
FROM cloudfront
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY cs_protocol, ssl_protocol
ORDER BY requests DESC, cs_protocol, ssl_protocol;

-- Addresses in the header X-Forwarded-For. A client can write any address there.
SELECT
  regexp_extract(http_request_headers, '"name":"[Xx]-[Ff]orwarded-[Ff]or","value":"([^"]*)"', 1) AS forwarded_for,
  count(*) AS requests
FROM waf
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND http_request_headers IS NOT NULL
GROUP BY 1
ORDER BY requests DESC, forwarded_for
LIMIT 100;

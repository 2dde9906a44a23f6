-- Blocked requests of each country.
SELECT http_request_country, count(*) AS requests
FROM waf
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND action = 'BLOCK'
GROUP BY http_request_country
ORDER BY requests DESC, http_request_country
LIMIT 100;

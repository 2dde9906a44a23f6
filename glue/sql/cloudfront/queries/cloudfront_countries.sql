-- Requests by country of the viewer, if version 2 logs it.
SELECT c_country, count(*) AS requests
FROM cloudfront
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND c_country IS NOT NULL
GROUP BY c_country
ORDER BY requests DESC, c_country;

-- Referers that contain a word.
SELECT header_referer, count(*) AS requests
FROM waf
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND header_referer LIKE '%minsu%'
GROUP BY header_referer
ORDER BY requests DESC, header_referer
LIMIT 100;

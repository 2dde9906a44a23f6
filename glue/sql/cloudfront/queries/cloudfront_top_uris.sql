-- The most requested paths of each host.
SELECT x_host_header, cs_uri_stem, count(*) AS requests
FROM cloudfront
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY x_host_header, cs_uri_stem
ORDER BY requests DESC, x_host_header, cs_uri_stem
LIMIT 10;

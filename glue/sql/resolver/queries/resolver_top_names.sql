-- The most frequent names.
SELECT query_name, count(*) AS queries
FROM resolver_query
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY query_name
ORDER BY queries DESC, query_name
LIMIT 100;

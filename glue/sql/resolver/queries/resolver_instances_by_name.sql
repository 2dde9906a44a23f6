-- Names that most instances asked for.
SELECT query_name, count(DISTINCT srcids_instance) AS instances, count(*) AS queries
FROM resolver_query
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY query_name
ORDER BY instances DESC, queries DESC, query_name
LIMIT 100;

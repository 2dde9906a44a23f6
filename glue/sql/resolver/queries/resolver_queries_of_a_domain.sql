-- Queries for the names of a domain, by response code.
SELECT query_name, rcode, count(*) AS queries
FROM resolver_query
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND query_name LIKE '%.example.com.'
GROUP BY query_name, rcode
ORDER BY queries DESC, query_name, rcode
LIMIT 100;

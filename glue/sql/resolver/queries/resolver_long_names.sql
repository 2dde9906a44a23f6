-- Long names, which can carry data out of a network.
SELECT query_name, length(query_name) AS characters, count(*) AS queries
FROM resolver_query
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND length(query_name) >= 50
GROUP BY query_name
ORDER BY characters DESC, query_name
LIMIT 100;

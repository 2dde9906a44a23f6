-- Queries by the last two labels of the name.
SELECT regexp_extract(query_name, '[^.]+\.[^.]+\.$') AS domain, count(*) AS queries
FROM resolver_query
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY 1
ORDER BY queries DESC, domain
LIMIT 100;

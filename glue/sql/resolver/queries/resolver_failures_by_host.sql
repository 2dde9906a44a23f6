-- Hosts that asked for names that do not exist, with all of their queries.
SELECT srcaddr, sum(CASE WHEN rcode = 'NXDOMAIN' THEN 1 ELSE 0 END) AS failures, count(*) AS queries
FROM resolver_query
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY srcaddr
HAVING sum(CASE WHEN rcode = 'NXDOMAIN' THEN 1 ELSE 0 END) > 0
ORDER BY failures DESC, srcaddr
LIMIT 100;

-- The addresses with the most traffic on ports for administration.
SELECT srcaddr, dstport, sum(bytes) AS bytes
FROM vpc_flow
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND dstport IN (22, 3389, 5432)
GROUP BY srcaddr, dstport
ORDER BY bytes DESC, srcaddr, dstport
LIMIT 10;

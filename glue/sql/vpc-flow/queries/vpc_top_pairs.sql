-- The pairs of addresses with the most bytes.
SELECT srcaddr, dstaddr, sum(bytes) AS bytes
FROM vpc_flow
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND srcaddr IS NOT NULL
GROUP BY srcaddr, dstaddr
ORDER BY bytes DESC, srcaddr, dstaddr
LIMIT 50;

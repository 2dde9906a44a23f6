-- The addresses that sent the most bytes.
SELECT srcaddr, sum(bytes) AS bytes, sum(packets) AS packets
FROM vpc_flow
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND srcaddr IS NOT NULL
GROUP BY srcaddr
ORDER BY bytes DESC, srcaddr
LIMIT 50;

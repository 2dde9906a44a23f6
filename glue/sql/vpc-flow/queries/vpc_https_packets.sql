-- Packets over HTTPS by destination.
SELECT dstaddr, sum(packets) AS packets
FROM vpc_flow
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND dstport = 443
GROUP BY dstaddr
ORDER BY packets DESC, dstaddr
LIMIT 100;

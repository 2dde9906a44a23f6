-- Sources with the most rejected flows.
SELECT srcaddr, count(*) AS flows
FROM vpc_flow
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND action = 'REJECT'
GROUP BY srcaddr
ORDER BY flows DESC, srcaddr
LIMIT 10;

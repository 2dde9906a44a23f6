-- When each address that begins with 10.0.1 was first and last seen as a source.
SELECT srcaddr, min(start_time) AS first_seen, max(end_time) AS last_seen, count(*) AS flows
FROM vpc_flow
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND srcaddr LIKE '10.0.1.%'
GROUP BY srcaddr
ORDER BY srcaddr;

-- Accepted flows, packets and bytes by interface.
SELECT interface_id, count(*) AS flows, sum(packets) AS packets, sum(bytes) AS bytes
FROM vpc_flow
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND action = 'ACCEPT'
GROUP BY interface_id
ORDER BY bytes DESC, interface_id;

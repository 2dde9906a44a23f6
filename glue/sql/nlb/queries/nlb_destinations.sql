-- Connections and bytes of each target.
SELECT destination_ip, count(*) AS connections, sum(received_bytes) AS received_bytes, sum(sent_bytes) AS sent_bytes
FROM nlb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND destination_ip IS NOT NULL
GROUP BY destination_ip
ORDER BY connections DESC, destination_ip;

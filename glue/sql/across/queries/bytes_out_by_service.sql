-- Bytes that each distribution, load balancer, bucket and network interface sent, the most first.
SELECT service, resource, sum(bytes_out) AS bytes_out, sum(records) AS records
FROM bytes_out
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY service, resource
ORDER BY bytes_out DESC, service, resource;

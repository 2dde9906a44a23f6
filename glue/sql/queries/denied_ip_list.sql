-- Every address that was denied access to one bucket, with the number of requests.
SELECT remote_ip, sum(requests) AS requests
FROM denied_ips
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND bucket = 'media'
GROUP BY remote_ip
ORDER BY requests DESC, remote_ip;

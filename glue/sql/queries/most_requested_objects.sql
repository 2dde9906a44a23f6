-- The five most requested objects over a range of Korean days.
SELECT bucket, key, sum(requests) AS requests, sum(bytes_sent) AS bytes_sent
FROM top_objects
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY bucket, key
ORDER BY requests DESC, bucket, key
LIMIT 5;

-- Every key of one bucket to which access was denied, with the number of requests.
SELECT key, sum(requests) AS requests
FROM denied_keys
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND bucket = 'media'
GROUP BY key
ORDER BY requests DESC, key;

-- Bytes and requests by airport code of the edge location.
SELECT substr(x_edge_location, 1, 3) AS airport, sum(sc_bytes) AS bytes, count(*) AS requests
FROM cloudfront
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY substr(x_edge_location, 1, 3)
ORDER BY bytes DESC, airport;

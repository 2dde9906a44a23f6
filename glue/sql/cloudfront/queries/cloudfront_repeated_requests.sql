-- Ids of requests in more than one row. Equal lines with an id are one row; other lines with the same id were changed.
SELECT x_edge_request_id, count(*) AS occurrences
FROM cloudfront
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND x_edge_request_id IS NOT NULL
GROUP BY x_edge_request_id
HAVING count(*) > 1
ORDER BY occurrences DESC, x_edge_request_id;

-- Requests that took more than a second, slowest first.
SELECT time_taken, time_to_first_byte, cs_uri_stem, x_edge_request_id
FROM cloudfront
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND time_taken > 1
ORDER BY time_taken DESC, x_edge_request_id
LIMIT 100;

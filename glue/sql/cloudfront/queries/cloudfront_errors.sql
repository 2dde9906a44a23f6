-- Failed requests by their detailed result and status.
SELECT x_edge_detailed_result_type, sc_status, count(*) AS requests
FROM cloudfront
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND x_edge_result_type = 'Error'
GROUP BY x_edge_detailed_result_type, sc_status
ORDER BY requests DESC, x_edge_detailed_result_type, sc_status;

-- Rows without data, by flow log.
SELECT flow_log_id, log_status, count(*) AS occurrences
FROM vpc_flow
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY flow_log_id, log_status
ORDER BY occurrences DESC, flow_log_id, log_status;

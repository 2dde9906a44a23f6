-- Requests that took more than a second, slowest first. Times of -1 count as zero.
SELECT
  greatest(request_processing_time, 0) + greatest(target_processing_time, 0) + greatest(response_processing_time, 0) AS seconds,
  request_url,
  trace_id
FROM alb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
  AND greatest(request_processing_time, 0) + greatest(target_processing_time, 0) + greatest(response_processing_time, 0) > 1
ORDER BY seconds DESC, trace_id
LIMIT 100;

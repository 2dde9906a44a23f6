-- Requests that took more than a second, slowest first. Times of -1 count as zero.
SELECT
  greatest(request_processing_time, 0) + greatest(backend_processing_time, 0) + greatest(response_processing_time, 0) AS seconds,
  event_time_kst,
  request_url
FROM clb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
  AND greatest(request_processing_time, 0) + greatest(backend_processing_time, 0) + greatest(response_processing_time, 0) > 1
ORDER BY seconds DESC, event_time_kst
LIMIT 100;

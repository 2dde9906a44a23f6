-- The sixteen request metrics of one bucket, by hour in Korean time.
SELECT
  hour_kst, all_requests, get_requests, put_requests, delete_requests, head_requests, post_requests, select_requests,
  select_bytes_scanned, select_bytes_returned, list_requests, bytes_downloaded, bytes_uploaded, errors_4xx, errors_5xx,
  first_byte_latency, total_request_latency
FROM s3_requests_by_hour
WHERE bucket = 'media' AND proc_ymd = '20231101'
ORDER BY hour_kst;

-- Requests of each bucket by hour, named after the sixteen request metrics that S3 can send to CloudWatch.
--
-- The operation of a line decides its kind; the first matching rule applies. HTTP requests are the REST, WEBSITE and SOAP
-- operations. BATCH.DELETE.OBJECT (a key of a multi-object delete) and S3.* (lifecycle, restore, checksum jobs) are not HTTP
-- requests. The source of a copy has its own line and counts as a GET, as in CloudWatch. A multi-object delete counts as one
-- DELETE. GET, PUT and DELETE are requests for objects; requests for a bucket's own settings count only in all_requests. Lists
-- are those of objects, versions, uploads and parts. SOAP is HTTP POST.
--
-- Approximations of metrics that a log cannot provide:
--   select_bytes_scanned   the size of the objects selected from, which is the upper limit of the bytes scanned
--   select_bytes_returned  bytes sent in response to SelectObjectContent, including the framing of the records
--   bytes_uploaded         sizes of objects and parts that were put or posted successfully. The log has no sizes for the
--                          bodies of refused or other requests, and copies inside S3 are not uploads
--   bytes_downloaded       bytes sent, except those that a copy read from its source
--   first_byte_latency     mean turn-around time: from the last byte of the request to the first byte of the response
--   total_request_latency  mean total time, as measured by S3
-- For percentiles, query the table s3_access itself. Logs, like the metrics, are delivered on a best-effort basis.
CREATE OR REPLACE VIEW s3_requests_by_hour AS
SELECT
  proc_ymd,
  date_trunc('hour', request_time) AS hour_utc,
  date_trunc('hour', request_time_kst) AS hour_kst,
  bucket,
  count(*) AS all_requests,
  count(*) FILTER (WHERE kind IN ('get', 'copy source')) AS get_requests,
  count(*) FILTER (WHERE kind = 'put') AS put_requests,
  count(*) FILTER (WHERE kind = 'delete') AS delete_requests,
  count(*) FILTER (WHERE kind = 'head') AS head_requests,
  count(*) FILTER (WHERE kind = 'post') AS post_requests,
  count(*) FILTER (WHERE kind = 'select') AS select_requests,
  coalesce(sum(object_size) FILTER (WHERE kind = 'select'), 0) AS select_bytes_scanned,
  coalesce(sum(bytes_sent) FILTER (WHERE kind = 'select'), 0) AS select_bytes_returned,
  count(*) FILTER (WHERE kind = 'list') AS list_requests,
  coalesce(sum(bytes_sent) FILTER (WHERE kind <> 'copy source'), 0) AS bytes_downloaded,
  coalesce(sum(object_size) FILTER (
    WHERE operation IN ('REST.PUT.OBJECT', 'REST.PUT.PART', 'REST.POST.OBJECT') AND http_status BETWEEN 200 AND 299
  ), 0) AS bytes_uploaded,
  count(*) FILTER (WHERE http_status BETWEEN 400 AND 499) AS errors_4xx,
  count(*) FILTER (WHERE http_status BETWEEN 500 AND 599) AS errors_5xx,
  avg(turn_around_time) AS first_byte_latency,
  avg(total_time) AS total_request_latency
FROM (
  SELECT
    proc_ymd, request_time, request_time_kst, bucket, operation, http_status, bytes_sent, object_size, turn_around_time, total_time,
    CASE
      WHEN operation LIKE 'REST.%SELECT%' OR request_uri LIKE 'POST %select-type=2%' THEN 'select'
      WHEN operation = 'REST.POST.MULTI_OBJECT_DELETE' THEN 'delete'
      WHEN operation IN ('REST.COPY.OBJECT_GET', 'REST.COPY.PART_GET') THEN 'copy source'
      WHEN operation IN ('REST.COPY.OBJECT', 'REST.COPY.PART') THEN 'put'
      WHEN operation IN ('REST.GET.BUCKET', 'REST.GET.BUCKETVERSIONS', 'REST.GET.UPLOADS', 'REST.GET.UPLOAD') THEN 'list'
      WHEN operation LIKE 'REST.HEAD.%' OR operation LIKE 'WEBSITE.HEAD.%' THEN 'head'
      WHEN operation LIKE 'REST.POST.%' OR operation LIKE 'WEBSITE.POST.%' OR operation LIKE 'SOAP.%' THEN 'post'
      WHEN operation LIKE 'WEBSITE.GET.%' THEN 'get'
      WHEN key IS NULL THEN 'other'
      WHEN operation LIKE 'REST.GET.%' THEN 'get'
      WHEN operation LIKE 'REST.PUT.%' THEN 'put'
      WHEN operation LIKE 'REST.DELETE.%' THEN 'delete'
      ELSE 'other'
    END AS kind
  FROM s3_access
  WHERE operation LIKE 'REST.%' OR operation LIKE 'WEBSITE.%' OR operation LIKE 'SOAP.%'
) AS requests
GROUP BY 1, 2, 3, 4;

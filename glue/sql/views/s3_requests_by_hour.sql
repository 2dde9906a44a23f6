-- Requests of each bucket by hour, under the sixteen request metrics that S3 can send to CloudWatch.
--
-- What a line is counted as follows from its operation; the first rule that fits decides. HTTP requests are the REST, WEBSITE
-- and SOAP operations. BATCH.DELETE.OBJECT (a key of a multi-object delete) and S3.* (lifecycle, restore, checksum jobs) are
-- none. The source of a copy has a line of its own and counts as a GET, as it does in CloudWatch. A multi-object delete counts
-- as one DELETE. GET, PUT and DELETE are those of objects: requests for a bucket's own settings are in all_requests alone.
-- Lists are those of objects, versions, uploads and parts. SOAP is HTTP POST.
--
-- What a log cannot give, and what stands for it:
--   select_bytes_scanned   the size of the objects that were selected from: the most that can have been scanned
--   select_bytes_returned  bytes sent in answer to SelectObjectContent, with the frames around the records
--   bytes_uploaded         sizes of objects and parts that were put or posted with success; bodies of refused requests and
--                          of other requests are not in the log, and what a copy moves inside S3 is no upload
--   bytes_downloaded       bytes sent, without those that a copy read at its source
--   first_byte_latency     mean turn-around time: from the last byte of the request to the first of the response
--   total_request_latency  mean total time, as S3 measures it
-- Percentiles can be had from the table s3_access itself. Logs are delivered on best effort, as the metrics are.
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

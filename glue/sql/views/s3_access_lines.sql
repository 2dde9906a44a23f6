-- Lines of S3 access logs with the columns that questions about requests need.
--
-- kind is the kind of request by the rules of s3_requests_by_hour, or NULL for a line that is not an HTTP request. key is decoded.
-- is_anonymous is the rule of anonymous_requests.
CREATE OR REPLACE VIEW s3_access_lines AS
SELECT
  proc_ymd,
  request_time,
  request_time_kst,
  bucket,
  requester,
  remote_ip,
  operation,
  CASE
    WHEN operation NOT LIKE 'REST.%' AND operation NOT LIKE 'WEBSITE.%' AND operation NOT LIKE 'SOAP.%' THEN NULL
    WHEN operation IS NULL THEN NULL
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
  END AS kind,
  key_decoded AS key,
  http_status,
  error_code,
  bytes_sent,
  object_size,
  turn_around_time,
  total_time,
  user_agent,
  coalesce(
    requester IS NULL
    AND signature_version IS NULL
    AND (operation LIKE 'REST.%' OR operation LIKE 'WEBSITE.%' OR operation LIKE 'SOAP.%')
    AND operation NOT IN ('REST.COPY.OBJECT_GET', 'REST.COPY.PART_GET'),
    false
  ) AS is_anonymous
FROM s3_access;

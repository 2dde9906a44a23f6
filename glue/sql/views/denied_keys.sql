-- Keys to which access was denied: lines with status 403, of any operation, on each Korean day.
--
-- Counts the same lines as denied_ips. The key is decoded; it is NULL for requests for the bucket itself.
CREATE OR REPLACE VIEW denied_keys AS
SELECT
  proc_ymd,
  date_trunc('day', request_time_kst) - INTERVAL '9' HOUR AS day_utc,
  bucket,
  key_decoded AS key,
  count(*) AS requests
FROM s3_access
WHERE http_status = 403
GROUP BY 1, 2, 3, 4;

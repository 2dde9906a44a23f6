-- Addresses that were denied access: lines with status 403, of any operation, on each Korean day.
--
-- A key that a multi-object delete could not remove has its own line with 403, although the request itself got 200. That line
-- counts. So does a copy that was denied at its source.
CREATE OR REPLACE VIEW denied_ips AS
SELECT
  proc_ymd,
  date_trunc('day', request_time_kst) - INTERVAL '9' HOUR AS day_utc,
  bucket,
  remote_ip,
  count(*) AS requests
FROM s3_access
WHERE http_status = 403
GROUP BY 1, 2, 3, 4;

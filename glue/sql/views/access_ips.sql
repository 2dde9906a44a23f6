-- Addresses that requested objects: GET requests by REST and website, on each Korean day.
--
-- Every request counts, whatever its result. remote_ip is NULL for requests by an AWS service.
CREATE OR REPLACE VIEW access_ips AS
SELECT
  proc_ymd,
  date_trunc('day', request_time_kst) - INTERVAL '9' HOUR AS day_utc,
  bucket,
  remote_ip,
  count(*) AS requests
FROM s3_access
WHERE operation IN ('REST.GET.OBJECT', 'WEBSITE.GET.OBJECT')
GROUP BY 1, 2, 3, 4;

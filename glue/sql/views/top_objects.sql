-- The most requested objects: GET requests by REST and website, by key, on each Korean day.
--
-- Every request counts, including denied requests and requests for missing objects; http_status of s3_access distinguishes them.
-- The key is decoded. Requests without a key are excluded. So are reads by copies, because they are not GET requests of a client.
CREATE OR REPLACE VIEW top_objects AS
SELECT
  proc_ymd,
  date_trunc('day', request_time_kst) - INTERVAL '9' HOUR AS day_utc,
  bucket,
  key_decoded AS key,
  count(*) AS requests,
  coalesce(sum(bytes_sent), 0) AS bytes_sent
FROM s3_access
WHERE operation IN ('REST.GET.OBJECT', 'WEBSITE.GET.OBJECT') AND key_decoded IS NOT NULL
GROUP BY 1, 2, 3, 4;

-- Which objects were asked for most: GET requests by REST and website, by key, on each Korean day.
--
-- Every request counts, also one that was denied or found nothing; http_status of s3_access tells them apart. The key is the
-- decoded one. Requests without a key are left out, and so are reads by copies, which nobody asked for by GET.
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

-- Requests for each path of a host that CloudFront served, by day.
CREATE OR REPLACE VIEW cloudfront_uris AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  x_host_header,
  cs_uri_stem,
  count(*) AS requests,
  count(*) FILTER (WHERE x_edge_result_type IN ('Hit', 'RefreshHit')) AS hits,
  count(*) FILTER (WHERE sc_status >= 400) AS errors,
  sum(sc_bytes) AS sent_bytes
FROM cloudfront
GROUP BY 1, 2, 3, 4;

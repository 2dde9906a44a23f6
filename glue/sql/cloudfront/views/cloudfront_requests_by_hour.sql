-- Requests, errors, bytes and time of each CloudFront distribution by hour. The time is the mean number of milliseconds from the
-- receipt of a request until the last byte of its response.
CREATE OR REPLACE VIEW cloudfront_requests_by_hour AS
SELECT
  proc_ymd,
  date_trunc('hour', event_time) AS hour_utc,
  date_trunc('hour', event_time_kst) AS hour_kst,
  distribution_id,
  count(*) AS requests,
  count(*) FILTER (WHERE x_edge_result_type IN ('Hit', 'RefreshHit')) AS hits,
  count(*) FILTER (WHERE sc_status BETWEEN 400 AND 499) AS errors_4xx,
  count(*) FILTER (WHERE sc_status >= 500) AS errors_5xx,
  sum(cs_bytes) AS received_bytes,
  sum(sc_bytes) AS sent_bytes,
  avg(CAST(round(time_taken * 1000) AS bigint)) AS time_taken
FROM cloudfront
GROUP BY 1, 2, 3, 4;

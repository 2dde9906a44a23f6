-- Requests to each CloudFront distribution by day, result of the edge location and status code.
CREATE OR REPLACE VIEW cloudfront_results AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  distribution_id,
  x_edge_result_type,
  sc_status,
  count(*) AS requests
FROM cloudfront
GROUP BY 1, 2, 3, 4, 5;

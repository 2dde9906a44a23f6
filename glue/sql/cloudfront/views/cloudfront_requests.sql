-- Requests to CloudFront with the columns that most questions need.
--
-- distribution is its id, or its domain name in logs without the id. host is the Host header of the viewer. edge is the airport code of
-- the edge location. taken_ms is the number of milliseconds until the last byte of the response. country is NULL in version 1.
CREATE OR REPLACE VIEW cloudfront_requests AS
SELECT
  proc_ymd,
  event_time,
  event_time_kst,
  coalesce(distribution_id, cs_host) AS distribution,
  coalesce(x_host_header, cs_host) AS host,
  c_ip AS client_ip,
  c_country AS country,
  substr(x_edge_location, 1, 3) AS edge,
  cs_method AS method,
  cs_uri_stem AS path,
  sc_status AS status,
  x_edge_result_type AS result,
  x_edge_detailed_result_type AS detailed_result,
  sc_bytes AS bytes_sent,
  cs_bytes AS bytes_received,
  CAST(round(time_taken * 1000) AS bigint) AS taken_ms
FROM cloudfront;

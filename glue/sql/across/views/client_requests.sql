-- Requests from clients in the logs of CloudFront, AWS WAF, load balancers and S3, with one row per request and log.
--
-- A request that passes several of them appears once in each. Behind CloudFront or a proxy, the client of a load balancer is the proxy.
-- resource is the distribution, web ACL, load balancer or bucket. status of AWS WAF is that of a custom response. result is the result
-- type of CloudFront, the action of AWS WAF, the actions of an Application Load Balancer, and the error code of S3.
CREATE OR REPLACE VIEW client_requests AS
SELECT
  proc_ymd,
  event_time,
  event_time_kst,
  'CloudFront' AS service,
  distribution_id AS resource,
  c_ip AS client_ip,
  cs_method || ' ' || cs_uri_stem AS request,
  sc_status AS status,
  x_edge_result_type AS result,
  sc_bytes AS bytes_out
FROM cloudfront
UNION ALL
SELECT
  proc_ymd,
  event_time,
  event_time_kst,
  'WAF' AS service,
  webacl_id AS resource,
  http_request_client_ip AS client_ip,
  http_request_http_method || ' ' || http_request_uri AS request,
  response_code_sent AS status,
  action AS result,
  CAST(NULL AS bigint) AS bytes_out
FROM waf
UNION ALL
SELECT
  proc_ymd,
  event_time,
  event_time_kst,
  'ALB' AS service,
  elb AS resource,
  client_ip,
  request,
  elb_status_code AS status,
  array_join(actions_executed, ',') AS result,
  sent_bytes AS bytes_out
FROM alb_access
UNION ALL
SELECT
  proc_ymd,
  event_time,
  event_time_kst,
  'Classic Load Balancer' AS service,
  elb AS resource,
  client_ip,
  request,
  elb_status_code AS status,
  CAST(NULL AS varchar) AS result,
  sent_bytes AS bytes_out
FROM clb_access
UNION ALL
SELECT
  proc_ymd,
  request_time AS event_time,
  request_time_kst AS event_time_kst,
  'S3' AS service,
  bucket AS resource,
  remote_ip AS client_ip,
  request_uri AS request,
  http_status AS status,
  error_code AS result,
  bytes_sent AS bytes_out
FROM s3_access;

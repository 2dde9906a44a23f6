-- Bytes that each distribution, load balancer, bucket and network interface sent, by day.
--
-- Services that pass a response on count it again: do not add services up. Flow logs count packets with their headers; flows of the
-- default format have no direction, so that their bytes are not here.
CREATE OR REPLACE VIEW bytes_out AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  'CloudFront' AS service,
  distribution_id AS resource,
  count(*) AS records,
  coalesce(sum(sc_bytes), 0) AS bytes_out
FROM cloudfront
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  'ALB' AS service,
  elb AS resource,
  count(*) AS records,
  coalesce(sum(sent_bytes), 0) AS bytes_out
FROM alb_access
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  'NLB' AS service,
  elb AS resource,
  count(*) AS records,
  coalesce(sum(sent_bytes), 0) AS bytes_out
FROM nlb_access
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  'Classic Load Balancer' AS service,
  elb AS resource,
  count(*) AS records,
  coalesce(sum(sent_bytes), 0) AS bytes_out
FROM clb_access
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT
  proc_ymd,
  date_trunc('day', request_time_kst) - INTERVAL '9' HOUR AS day_utc,
  'S3' AS service,
  bucket AS resource,
  count(*) AS records,
  coalesce(sum(bytes_sent), 0) AS bytes_out
FROM s3_access
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  'VPC' AS service,
  interface_id AS resource,
  count(*) AS records,
  coalesce(sum(bytes), 0) AS bytes_out
FROM vpc_flow
WHERE flow_direction = 'egress'
GROUP BY 1, 2, 3, 4;

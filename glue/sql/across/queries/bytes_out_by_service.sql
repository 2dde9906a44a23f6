-- Bytes that each bucket and load balancer sent, the most first.
SELECT service, name, sum(bytes) AS bytes_out, count(*) AS requests
FROM (
  SELECT 'S3' AS service, bucket AS name, coalesce(bytes_sent, 0) AS bytes
  FROM s3_access
  WHERE proc_ymd BETWEEN '20231101' AND '20231130'
  UNION ALL
  SELECT 'ALB' AS service, elb AS name, coalesce(sent_bytes, 0) AS bytes
  FROM alb_access
  WHERE proc_ymd BETWEEN '20231101' AND '20231130'
  UNION ALL
  SELECT 'NLB' AS service, elb AS name, coalesce(sent_bytes, 0) AS bytes
  FROM nlb_access
  WHERE proc_ymd BETWEEN '20231101' AND '20231130'
  UNION ALL
  SELECT 'Classic Load Balancer' AS service, elb AS name, coalesce(sent_bytes, 0) AS bytes
  FROM clb_access
  WHERE proc_ymd BETWEEN '20231101' AND '20231130'
) AS sent
GROUP BY service, name
ORDER BY bytes_out DESC, service, name;

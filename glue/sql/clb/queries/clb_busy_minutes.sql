-- The busiest minutes of each load balancer, in Korean time.
SELECT elb, date_trunc('minute', event_time_kst) AS minute_kst, count(*) AS requests
FROM clb_access
WHERE proc_ymd = '20231101'
GROUP BY elb, 2
ORDER BY requests DESC, elb, minute_kst
LIMIT 20;

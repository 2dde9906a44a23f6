-- Connections that ended in each Korean minute, by load balancer.
SELECT date_trunc('minute', event_time_kst) AS minute_kst, elb, count(*) AS connections
FROM nlb_access
WHERE proc_ymd = '20231101'
GROUP BY 1, elb
ORDER BY 1, elb;

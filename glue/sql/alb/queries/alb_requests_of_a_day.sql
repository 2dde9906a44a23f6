-- All requests of a Korean day to one load balancer, in order.
SELECT event_time_kst, client_ip, elb_status_code, request
FROM alb_access
WHERE proc_ymd = '20231101' AND elb = 'app/back-office/9b1c6d2e8f7a0345'
ORDER BY event_time_kst, source_object, source_record;

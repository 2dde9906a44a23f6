-- Rejected TCP flows of each hour in Korea.
SELECT date_trunc('hour', event_time_kst) AS hour, count(*) AS flows
FROM vpc_flow
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND action = 'REJECT' AND protocol = 6
GROUP BY date_trunc('hour', event_time_kst)
ORDER BY hour;

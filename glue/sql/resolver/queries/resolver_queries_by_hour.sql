-- Queries in each Korean hour, by response code.
SELECT date_trunc('hour', event_time_kst) AS hour_kst, rcode, count(*) AS queries
FROM resolver_query
WHERE proc_ymd = '20231101'
GROUP BY 1, 2
ORDER BY hour_kst, rcode;

-- Callers of one bucket over a range of Korean days: first and last time, number of requests, and calls.
SELECT requester, access, event_name, count(*) AS requests, min(event_time_kst) AS first_time, max(event_time_kst) AS last_time
FROM object_access
WHERE bucket = 'datalake-kr' AND proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY requester, access, event_name
ORDER BY requests DESC, requester, event_name;

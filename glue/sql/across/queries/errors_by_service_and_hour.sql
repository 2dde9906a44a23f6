-- Errors of each service in each Korean hour.
SELECT hour_kst, service, errors
FROM errors_by_hour
WHERE proc_ymd = '20231101'
ORDER BY hour_kst, service;

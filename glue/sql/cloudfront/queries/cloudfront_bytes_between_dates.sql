-- Bytes served between two times in UTC.
SELECT sum(sc_bytes) AS bytes, count(*) AS requests
FROM cloudfront
WHERE proc_ymd = '20231101'
  AND event_time >= TIMESTAMP '2023-10-31 16:00:00' AND event_time < TIMESTAMP '2023-11-01 04:00:00';

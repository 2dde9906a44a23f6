-- DNS queries between two times in UTC, in the order of time.
SELECT event_time_kst, query_name, query_type, rcode, srcaddr
FROM resolver_query
WHERE
  proc_ymd = '20231101'
  AND event_time >= timestamp '2023-10-31 16:00:00'
  AND event_time < timestamp '2023-10-31 18:00:00'
ORDER BY event_time, source_object, source_record;

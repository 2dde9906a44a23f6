-- Queries that were answered with one address, in the order of time.
SELECT event_time_kst, query_name, srcaddr
FROM resolver_query
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND contains(answers_rdata, '192.0.2.1')
ORDER BY event_time, source_object, source_record;

-- The newest DNS queries.
SELECT event_time_kst, query_name, query_type, rcode, srcaddr, srcids_instance
FROM resolver_query
WHERE proc_ymd = '20231101'
ORDER BY event_time DESC, source_object, source_record
LIMIT 20;

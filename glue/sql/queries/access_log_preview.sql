-- The first ten requests of a Korean day, for a first look at the table.
SELECT request_time_kst, bucket, remote_ip, requester, operation, key_decoded, http_status, bytes_sent, user_agent
FROM s3_access
WHERE proc_ymd = '20231101'
ORDER BY request_time_kst, source_object, source_record
LIMIT 10;

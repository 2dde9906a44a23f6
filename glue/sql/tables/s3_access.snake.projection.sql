CREATE EXTERNAL TABLE IF NOT EXISTS `s3_access` (
  `bucket_owner` string COMMENT 'Canonical user id of the bucket''s owner',
  `bucket` string COMMENT 'Bucket that the request was for',
  `request_time` timestamp COMMENT 'When the request was received, UTC',
  `request_time_kst` timestamp COMMENT 'When the request was received, Korean wall clock',
  `remote_ip` string COMMENT 'Apparent address of the requester',
  `requester` string COMMENT 'Canonical id or ARN of the requester; NULL when anonymous',
  `request_id` string COMMENT 'Id of the request; the lines of one multi-object delete share it',
  `operation` string COMMENT 'Operation, such as REST.GET.OBJECT',
  `key` string COMMENT 'Object key as logged',
  `key_decoded` string COMMENT 'Object key, decoded by the rule of its operation',
  `request_uri` string COMMENT 'Request line',
  `http_status` int COMMENT 'HTTP status of the response',
  `error_code` string COMMENT 'S3 error code',
  `bytes_sent` bigint COMMENT 'Bytes of the response body; NULL where the log has -, which S3 writes for zero',
  `object_size` bigint COMMENT 'Size of the object',
  `total_time` bigint COMMENT 'Milliseconds from the request''s receipt to the response''s last byte',
  `turn_around_time` bigint COMMENT 'Milliseconds that S3 spent on the request',
  `referer` string COMMENT 'Referer header',
  `user_agent` string COMMENT 'User-Agent header',
  `version_id` string COMMENT 'Version id in the request',
  `host_id` string COMMENT 'Extended request id, x-amz-id-2',
  `signature_version` string COMMENT 'SigV2 or SigV4; NULL when not signed',
  `cipher_suite` string COMMENT 'TLS cipher suite; NULL for HTTP',
  `authentication_type` string COMMENT 'AuthHeader or QueryString (presigned)',
  `host_header` string COMMENT 'Endpoint that was used',
  `tls_version` string COMMENT 'TLS version',
  `access_point_arn` string COMMENT 'ARN of the access point',
  `acl_required` boolean COMMENT 'Whether an ACL was needed to allow the request',
  `source_region` string COMMENT 'Region that the request came from',
  `extra` string COMMENT 'Fields after the 27th, and values of an unexpected form, as logged',
  `parse_quality` string COMMENT 'exact; ambiguous: client text allows another reading, or the line is cut or altered; repaired: a field was joined; lossy: bytes that are not UTF-8 were replaced',
  `source_object` string COMMENT 'Raw object that the line was read from',
  `source_record` bigint COMMENT 'Number of the line in the raw object, from 1'
)
PARTITIONED BY (`proc_ymd` string COMMENT 'KST day, YYYYMMDD')
STORED AS PARQUET
LOCATION '${location}/s3_access/'
TBLPROPERTIES ('classification'='parquet', 'compressionType'='zstd', 'typeOfData'='file', 'projection.enabled'='true', 'projection.proc_ymd.format'='yyyyMMdd', 'projection.proc_ymd.interval'='1', 'projection.proc_ymd.interval.unit'='DAYS', 'projection.proc_ymd.range'='20200101,NOW+1DAY', 'projection.proc_ymd.type'='date', 'storage.location.template'='${location}/s3_access/proc_ymd=${proc_ymd}/');


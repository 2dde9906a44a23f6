CREATE EXTERNAL TABLE IF NOT EXISTS `s3_access` (
  `bucketowner` string COMMENT 'Canonical user id of the bucket''s owner',
  `bucket` string COMMENT 'Bucket that the request was for',
  `requesttime` timestamp COMMENT 'When the request was received, UTC',
  `requesttime_kst` timestamp COMMENT 'When the request was received, Korean wall clock',
  `remoteip` string COMMENT 'Apparent address of the requester',
  `requester` string COMMENT 'Canonical id or ARN of the requester; NULL when anonymous',
  `requestid` string COMMENT 'Id of the request; the lines of one multi-object delete share it',
  `operation` string COMMENT 'Operation, such as REST.GET.OBJECT',
  `key` string COMMENT 'Object key as logged',
  `keydecoded` string COMMENT 'Object key, decoded by the rule of its operation',
  `requesturi` string COMMENT 'Request line',
  `httpstatus` int COMMENT 'HTTP status of the response',
  `errorcode` string COMMENT 'S3 error code',
  `bytessent` bigint COMMENT 'Bytes of the response body; NULL where the log has -, which S3 writes for zero',
  `objectsize` bigint COMMENT 'Size of the object',
  `totaltime` bigint COMMENT 'Milliseconds from the request''s receipt to the response''s last byte',
  `turnaroundtime` bigint COMMENT 'Milliseconds that S3 spent on the request',
  `referer` string COMMENT 'Referer header',
  `useragent` string COMMENT 'User-Agent header',
  `versionid` string COMMENT 'Version id in the request',
  `hostid` string COMMENT 'Extended request id, x-amz-id-2',
  `signatureversion` string COMMENT 'SigV2 or SigV4; NULL when not signed',
  `ciphersuite` string COMMENT 'TLS cipher suite; NULL for HTTP',
  `authenticationtype` string COMMENT 'AuthHeader or QueryString (presigned)',
  `hostheader` string COMMENT 'Endpoint that was used',
  `tlsversion` string COMMENT 'TLS version',
  `accesspointarn` string COMMENT 'ARN of the access point',
  `aclrequired` boolean COMMENT 'Whether an ACL was needed to allow the request',
  `sourceregion` string COMMENT 'Region that the request came from',
  `extra` string COMMENT 'Fields after the 27th, and values of an unexpected form, as logged',
  `parsequality` string COMMENT 'exact; ambiguous: client text allows another reading, or the line is cut or altered; repaired: a field was joined; lossy: bytes that are not UTF-8 were replaced',
  `sourceobject` string COMMENT 'Raw object that the line was read from',
  `sourcerecord` bigint COMMENT 'Number of the line in the raw object, from 1'
)
PARTITIONED BY (`proc_ymd` string COMMENT 'KST day, YYYYMMDD')
STORED AS PARQUET
LOCATION '${location}/s3_access/'
TBLPROPERTIES ('classification'='parquet', 'compressionType'='zstd', 'typeOfData'='file');


-- Access logs with the names and types of the table that the S3 guide defines for Athena over the raw lines.
--
-- Values are those that the table's regular expression extracts from a line: requestdatetime without its brackets; request_uri,
-- referrer and useragent with their quotes; '-' for absent values; text in every column except bytessent and objectsize. The lake
-- does not record whether an absent request line, referer or agent was logged as - or "-". It is '"-"' here for requests and
-- lifecycle rules, as S3 writes it, and '-' in lines of BATCH.DELETE.OBJECT and of checksum jobs. Fields that a short old line
-- lacks are '-' too. The raw table cannot read lines with quotes inside a field; here they are complete.
--
-- "timestamp" is the day of the request in UTC. A filter on it reads every file, so also filter on proc_ymd, the Korean day,
-- which is the last column.
-- comes last.
CREATE OR REPLACE VIEW s3_access_athena AS
SELECT
  coalesce(bucket_owner, '-') AS bucketowner,
  bucket AS bucket_name,
  date_format(request_time, '%d/%b/%Y:%H:%i:%s +0000') AS requestdatetime,
  coalesce(remote_ip, '-') AS remoteip,
  coalesce(requester, '-') AS requester,
  coalesce(request_id, '-') AS requestid,
  operation,
  coalesce(key, '-') AS key,
  coalesce(
    '"' || request_uri || '"',
    CASE WHEN operation IN ('BATCH.DELETE.OBJECT', 'S3.COMPUTE.OBJECT.CHECKSUM') THEN '-' ELSE '"-"' END
  ) AS request_uri,
  coalesce(CAST(http_status AS varchar), '-') AS httpstatus,
  coalesce(error_code, '-') AS errorcode,
  bytes_sent AS bytessent,
  object_size AS objectsize,
  coalesce(CAST(total_time AS varchar), '-') AS totaltime,
  coalesce(CAST(turn_around_time AS varchar), '-') AS turnaroundtime,
  coalesce(
    '"' || referer || '"',
    CASE WHEN operation IN ('BATCH.DELETE.OBJECT', 'S3.COMPUTE.OBJECT.CHECKSUM') THEN '-' ELSE '"-"' END
  ) AS referrer,
  coalesce(
    '"' || user_agent || '"',
    CASE WHEN operation IN ('BATCH.DELETE.OBJECT', 'S3.COMPUTE.OBJECT.CHECKSUM') THEN '-' ELSE '"-"' END
  ) AS useragent,
  coalesce(version_id, '-') AS versionid,
  coalesce(host_id, '-') AS hostid,
  coalesce(signature_version, '-') AS sigv,
  coalesce(cipher_suite, '-') AS ciphersuite,
  coalesce(authentication_type, '-') AS authtype,
  coalesce(host_header, '-') AS endpoint,
  coalesce(tls_version, '-') AS tlsversion,
  coalesce(access_point_arn, '-') AS accesspointarn,
  CASE WHEN acl_required THEN 'Yes' ELSE '-' END AS aclrequired,
  coalesce(source_region, '-') AS sourceregion,
  date_format(request_time, '%Y/%m/%d') AS "timestamp",
  proc_ymd
FROM s3_access;

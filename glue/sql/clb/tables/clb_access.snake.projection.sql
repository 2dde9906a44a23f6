CREATE EXTERNAL TABLE IF NOT EXISTS `clb_access` (
  `event_time` timestamp COMMENT 'When the load balancer received the request, UTC',
  `event_time_kst` timestamp COMMENT 'The event time, Korean wall clock',
  `elb` string COMMENT 'Name of the load balancer',
  `client_ip` string COMMENT 'Address of the client',
  `client_port` int COMMENT 'Port of the client',
  `backend_ip` string COMMENT 'Address of the instance; NULL if the request reached none',
  `backend_port` int COMMENT 'Port of the instance',
  `request_processing_time` double COMMENT 'Seconds from the request''s receipt until it was sent to an instance; -1 if it was not',
  `backend_processing_time` double COMMENT 'Seconds until the instance began to respond; -1 if it did not',
  `response_processing_time` double COMMENT 'Seconds from the instance''s response until it was sent to the client; -1 if it was not',
  `elb_status_code` int COMMENT 'HTTP status of the load balancer''s response; NULL for a TCP listener',
  `backend_status_code` int COMMENT 'HTTP status of the instance''s response; NULL if it sent none, and for a TCP listener',
  `received_bytes` bigint COMMENT 'Bytes of the request, or from the client of a TCP listener',
  `sent_bytes` bigint COMMENT 'Bytes of the response, or to the client of a TCP listener',
  `request` string COMMENT 'Request line as logged: method, URL and protocol; NULL for a TCP listener',
  `request_method` string COMMENT 'Method of the request; NULL if the request cannot be parsed',
  `request_url` string COMMENT 'URL of the request, with scheme, host and port',
  `request_protocol` string COMMENT 'Protocol of the request, such as HTTP/1.1',
  `user_agent` string COMMENT 'User-Agent header; NULL in lines from before May 2015',
  `ssl_cipher` string COMMENT 'TLS cipher; NULL for a listener without TLS',
  `ssl_protocol` string COMMENT 'TLS version; NULL for a listener without TLS',
  `extra` string COMMENT 'Fields after the last known one, as logged',
  `source_object` string COMMENT 'Raw object that the line was read from',
  `source_record` bigint COMMENT 'Number of the line in the raw object, from 1'
)
PARTITIONED BY (`proc_ymd` string COMMENT 'KST day, YYYYMMDD')
STORED AS PARQUET
LOCATION '${location}/clb_access/'
TBLPROPERTIES ('classification'='parquet', 'compressionType'='zstd', 'typeOfData'='file', 'projection.enabled'='true', 'projection.proc_ymd.format'='yyyyMMdd', 'projection.proc_ymd.interval'='1', 'projection.proc_ymd.interval.unit'='DAYS', 'projection.proc_ymd.range'='20200101,NOW+1DAY', 'projection.proc_ymd.type'='date', 'storage.location.template'='${location}/clb_access/proc_ymd=${proc_ymd}/');


CREATE EXTERNAL TABLE IF NOT EXISTS `alb_connection` (
  `event_time` timestamp COMMENT 'When the client tried to connect, UTC',
  `event_time_kst` timestamp COMMENT 'The event time, Korean wall clock',
  `client_ip` string COMMENT 'Address of the client',
  `client_port` int COMMENT 'Port of the client',
  `listener_port` int COMMENT 'Port of the listener',
  `tls_protocol` string COMMENT 'TLS version; NULL for a connection without TLS',
  `tls_cipher` string COMMENT 'TLS cipher; NULL for a connection without TLS',
  `tls_handshake_latency` double COMMENT 'Seconds of a successful handshake; NULL if none succeeded',
  `leaf_client_cert_subject` string COMMENT 'Subject of the client''s certificate, which the client chooses',
  `leaf_client_cert_validity` string COMMENT 'Validity of the client''s certificate, as logged',
  `leaf_client_cert_not_before` timestamp COMMENT 'Start of this validity, UTC',
  `leaf_client_cert_not_after` timestamp COMMENT 'End of this validity, UTC',
  `leaf_client_cert_serial_number` string COMMENT 'Serial number of the client''s certificate',
  `tls_verify_status` string COMMENT 'Result of the verification of the client: Success or Failed:code; NULL without mutual TLS',
  `conn_trace_id` string COMMENT 'Id of the connection, the same as in the access log',
  `tls_keyexchange` string COMMENT 'Key exchange of the handshake',
  `elb` string COMMENT 'Load balancer: app/name/id; NULL in older lines',
  `ip_address` string COMMENT 'Address of the load balancer''s node',
  `extra` string COMMENT 'Fields after the last known one, as logged',
  `source_object` string COMMENT 'Raw object that the line was read from',
  `source_record` bigint COMMENT 'Number of the line in the raw object, from 1'
)
PARTITIONED BY (`proc_ymd` string COMMENT 'KST day, YYYYMMDD')
STORED AS PARQUET
LOCATION '${location}/alb_connection/'
TBLPROPERTIES ('classification'='parquet', 'compressionType'='zstd', 'typeOfData'='file', 'projection.enabled'='true', 'projection.proc_ymd.format'='yyyyMMdd', 'projection.proc_ymd.interval'='1', 'projection.proc_ymd.interval.unit'='DAYS', 'projection.proc_ymd.range'='20200101,NOW+1DAY', 'projection.proc_ymd.type'='date', 'storage.location.template'='${location}/alb_connection/proc_ymd=${proc_ymd}/');


CREATE EXTERNAL TABLE IF NOT EXISTS `nlb_access` (
  `event_time` timestamp COMMENT 'When the connection ended, UTC. It can have begun days before',
  `event_time_kst` timestamp COMMENT 'The event time, Korean wall clock',
  `type` string COMMENT 'Type of listener: tls',
  `version` string COMMENT 'Version of the log''s form',
  `elb` string COMMENT 'Load balancer: net/name/id',
  `listener` string COMMENT 'Id of the TLS listener',
  `client_ip` string COMMENT 'Address of the client',
  `client_port` int COMMENT 'Port of the client',
  `destination_ip` string COMMENT 'Address of the target; NULL if the connection reached none',
  `destination_port` int COMMENT 'Port of the target',
  `connection_time` bigint COMMENT 'Milliseconds from the begin to the end of the connection',
  `tls_handshake_time` bigint COMMENT 'Milliseconds of the TLS handshake; NULL if it failed',
  `received_bytes` bigint COMMENT 'Bytes from the client, after decryption',
  `sent_bytes` bigint COMMENT 'Bytes to the client, before encryption',
  `incoming_tls_alert` int COMMENT 'TLS alert from the client, if any',
  `chosen_cert_arn` string COMMENT 'ARN of the certificate; NULL without a valid client hello',
  `chosen_cert_serial` string COMMENT 'Reserved by AWS; NULL',
  `tls_cipher` string COMMENT 'TLS cipher; NULL without a handshake',
  `tls_protocol_version` string COMMENT 'TLS version, such as tlsv12; NULL without a handshake',
  `tls_keyexchange` string COMMENT 'Key exchange of the handshake',
  `domain_name` string COMMENT 'Domain name that the client gave in the TLS handshake, URL-encoded',
  `alpn_fe_protocol` string COMMENT 'Application protocol negotiated with the client',
  `alpn_be_protocol` string COMMENT 'Application protocol negotiated with the target',
  `alpn_client_preference_list` string COMMENT 'Application protocols that the client offered: quoted, URL-encoded, cut at 256 bytes',
  `tls_connection_creation_time` timestamp COMMENT 'When the connection began, UTC; NULL in older lines',
  `extra` string COMMENT 'Fields after the last known one, as logged',
  `source_object` string COMMENT 'Raw object that the line was read from',
  `source_record` bigint COMMENT 'Number of the line in the raw object, from 1'
)
PARTITIONED BY (`proc_ymd` string COMMENT 'KST day, YYYYMMDD')
STORED AS PARQUET
LOCATION '${location}/nlb_access/'
TBLPROPERTIES ('classification'='parquet', 'compressionType'='zstd', 'typeOfData'='file');


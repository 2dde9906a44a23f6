CREATE EXTERNAL TABLE IF NOT EXISTS `resolver_query` (
  `event_time` timestamp COMMENT 'When the query was submitted, UTC',
  `event_time_kst` timestamp COMMENT 'When the query was submitted, Korean wall clock',
  `version` string COMMENT 'Version of the log format, such as 1.100000',
  `account_id` string COMMENT 'Account of the VPC',
  `region` string COMMENT 'Region of the VPC',
  `vpc_id` string COMMENT 'VPC of the host',
  `resource_id` string COMMENT 'Route 53 Profile, if one applies the logging to the VPC',
  `query_name` string COMMENT 'Name that the host asked for, with a dot at its end',
  `query_type` string COMMENT 'Type of the wanted records, such as A, AAAA or ANY',
  `query_class` string COMMENT 'Class of the query; IN in most records',
  `rcode` string COMMENT 'Response code, such as NOERROR or NXDOMAIN',
  `answers_rdata` array<string> COMMENT 'Values of the answers, such as addresses',
  `answers_type` array<string> COMMENT 'Types of the answers, in the order of answers_rdata',
  `answers_class` array<string> COMMENT 'Classes of the answers, in the order of answers_rdata',
  `srcaddr` string COMMENT 'Address that the query came from',
  `srcport` int COMMENT 'Port that the query came from',
  `transport` string COMMENT 'Protocol of the query: UDP or TCP',
  `srcids_instance` string COMMENT 'Instance that the query came from',
  `srcids_resolver_endpoint` string COMMENT 'Resolver endpoint that passed the query to on-premises servers or from them',
  `srcids_resolver_network_interface` string COMMENT 'Network interface of that endpoint',
  `firewall_rule_action` string COMMENT 'What DNS Firewall did: ALERT or BLOCK; NULL if no rule matched',
  `firewall_rule_group_id` string COMMENT 'Rule group of DNS Firewall that matched',
  `firewall_domain_list_id` string COMMENT 'Domain list of DNS Firewall that matched',
  `extra` string COMMENT 'Fields without a column of their own and values of an unexpected type, by JSON path',
  `source_object` string COMMENT 'Raw object that the record was read from',
  `source_record` bigint COMMENT 'Number of the line in the raw object, from 1'
)
PARTITIONED BY (`proc_ymd` string COMMENT 'KST day, YYYYMMDD')
STORED AS PARQUET
LOCATION '${location}/resolver_query/'
TBLPROPERTIES ('classification'='parquet', 'compressionType'='zstd', 'typeOfData'='file', 'projection.enabled'='true', 'projection.proc_ymd.format'='yyyyMMdd', 'projection.proc_ymd.interval'='1', 'projection.proc_ymd.interval.unit'='DAYS', 'projection.proc_ymd.range'='20200101,NOW+1DAY', 'projection.proc_ymd.type'='date', 'storage.location.template'='${location}/resolver_query/proc_ymd=${proc_ymd}/');


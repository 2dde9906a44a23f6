-- VPC flow logs with the names and types of the table in Athena's guide.
--
-- Absent texts are '-', as in the log. start and "end" are seconds since 1970-01-01. Columns are read by the header of each object,
-- whereas the guide's table reads them by position.
--
-- "date" is the UTC day of the event time, not of the delivery. A filter on it reads every file, so also filter on proc_ymd, the
-- Korean day, which is the last column.
CREATE OR REPLACE VIEW vpc_flow_athena AS
SELECT
  version,
  coalesce(account_id, '-') AS account_id,
  coalesce(interface_id, '-') AS interface_id,
  coalesce(srcaddr, '-') AS srcaddr,
  coalesce(dstaddr, '-') AS dstaddr,
  srcport,
  dstport,
  CAST(protocol AS bigint) AS protocol,
  packets,
  bytes,
  CAST(to_unixtime(start_time) AS bigint) AS "start",
  CAST(to_unixtime(end_time) AS bigint) AS "end",
  coalesce(action, '-') AS action,
  coalesce(log_status, '-') AS log_status,
  coalesce(vpc_id, '-') AS vpc_id,
  coalesce(subnet_id, '-') AS subnet_id,
  coalesce(instance_id, '-') AS instance_id,
  tcp_flags,
  coalesce(type, '-') AS type,
  coalesce(pkt_srcaddr, '-') AS pkt_srcaddr,
  coalesce(pkt_dstaddr, '-') AS pkt_dstaddr,
  coalesce(region, '-') AS region,
  coalesce(az_id, '-') AS az_id,
  coalesce(sublocation_type, '-') AS sublocation_type,
  coalesce(sublocation_id, '-') AS sublocation_id,
  coalesce(pkt_src_aws_service, '-') AS pkt_src_aws_service,
  coalesce(pkt_dst_aws_service, '-') AS pkt_dst_aws_service,
  coalesce(flow_direction, '-') AS flow_direction,
  traffic_path,
  CAST(event_time AS date) AS "date",
  proc_ymd
FROM vpc_flow;

-- Access logs of Network Load Balancers with the names and types of the table nlb_tls_logs in Athena's guide.
--
-- Absent texts are '-', as in the log. Times are ISO text without a zone, in UTC. The regular expression of the guide returns NULL in all
-- columns of a line from 2019, of one with further fields and of one without a target; here such lines are complete.
--
-- Filter on proc_ymd, the Korean day of the end of the connection, which is the last column.
CREATE OR REPLACE VIEW nlb_access_athena AS
SELECT
  type,
  coalesce(version, '-') AS version,
  date_format(event_time, '%Y-%m-%dT%H:%i:%s') AS time,
  coalesce(elb, '-') AS elb,
  coalesce(listener, '-') AS listener_id,
  client_ip,
  client_port,
  coalesce(destination_ip, '') AS target_ip,
  destination_port AS target_port,
  CAST(connection_time AS double) AS tcp_connection_time_ms,
  CAST(tls_handshake_time AS double) AS tls_handshake_time_ms,
  received_bytes,
  sent_bytes,
  incoming_tls_alert,
  coalesce(chosen_cert_arn, '-') AS cert_arn,
  coalesce(chosen_cert_serial, '-') AS certificate_serial,
  coalesce(tls_cipher, '-') AS tls_cipher_suite,
  coalesce(tls_protocol_version, '-') AS tls_protocol_version,
  coalesce(tls_keyexchange, '-') AS tls_named_group,
  coalesce(domain_name, '-') AS domain_name,
  coalesce(alpn_fe_protocol, '-') AS alpn_fe_protocol,
  coalesce(alpn_be_protocol, '-') AS alpn_be_protocol,
  coalesce(alpn_client_preference_list, '-') AS alpn_client_preference_list,
  coalesce(date_format(tls_connection_creation_time, '%Y-%m-%dT%H:%i:%s'), '-') AS tls_connection_creation_time,
  proc_ymd
FROM nlb_access;

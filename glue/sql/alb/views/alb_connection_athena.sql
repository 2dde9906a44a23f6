-- Connection logs of Application Load Balancers with the names and types of the table in Athena's guide.
--
-- Absent texts are '-', as in the log. "time" is ISO text with the milliseconds of the lake; the log has microseconds.
--
-- "day" is the UTC day of the connection, not of the delivery. A filter on it reads every file, so also filter on proc_ymd, the Korean
-- day, which is the last column.
CREATE OR REPLACE VIEW alb_connection_athena AS
SELECT
  date_format(event_time, '%Y-%m-%dT%H:%i:%s.%f') || 'Z' AS time,
  client_ip,
  client_port,
  listener_port,
  coalesce(tls_protocol, '-') AS tls_protocol,
  coalesce(tls_cipher, '-') AS tls_cipher,
  tls_handshake_latency,
  coalesce(leaf_client_cert_subject, '-') AS leaf_client_cert_subject,
  coalesce(leaf_client_cert_validity, '-') AS leaf_client_cert_validity,
  coalesce(leaf_client_cert_serial_number, '-') AS leaf_client_cert_serial_number,
  coalesce(tls_verify_status, '-') AS tls_verify_status,
  coalesce(conn_trace_id, '-') AS conn_trace_id,
  date_format(event_time, '%Y/%m/%d') AS day,
  proc_ymd
FROM alb_connection;

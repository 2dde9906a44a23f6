-- Access logs of Classic Load Balancers with the names and types of the table elb_logs in Athena's guide.
--
-- Absent texts are '-', as in the log, and user_agent has quotes around it. Times are ISO text with the milliseconds of the lake; the log
-- has microseconds. The regular expression of the guide returns NULL in all columns of a line with a TLS 1.3 cipher, an escaped quote, a
-- space in the URL, or fewer or further fields; here such lines are complete.
--
-- Filter on proc_ymd, the Korean day of the request, which is the last column.
CREATE OR REPLACE VIEW clb_access_athena AS
SELECT
  date_format(event_time, '%Y-%m-%dT%H:%i:%s.%f') || 'Z' AS "timestamp",
  coalesce(elb, '-') AS elb_name,
  client_ip AS request_ip,
  client_port AS request_port,
  coalesce(backend_ip, '') AS backend_ip,
  backend_port,
  request_processing_time,
  backend_processing_time,
  response_processing_time AS client_response_time,
  coalesce(CAST(elb_status_code AS varchar), '-') AS elb_response_code,
  coalesce(CAST(backend_status_code AS varchar), '-') AS backend_response_code,
  received_bytes,
  sent_bytes,
  coalesce(request_method, '-') AS request_verb,
  coalesce(request_url, '-') AS url,
  coalesce(request_protocol, '-') AS protocol,
  '"' || coalesce(user_agent, '-') || '"' AS user_agent,
  coalesce(ssl_cipher, '-') AS ssl_cipher,
  coalesce(ssl_protocol, '-') AS ssl_protocol,
  proc_ymd
FROM clb_access;

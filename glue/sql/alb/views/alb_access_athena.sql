-- Access logs of Application Load Balancers with the names and types of the table in Athena's guide.
--
-- Absent texts are '-', as in the log. Times are ISO text with the milliseconds of the lake; the log has microseconds. Actions are
-- joined by commas. The regular expression of the guide returns NULL in all columns of a line with a space in redirect_url; here such
-- lines are complete. request_url has no dash at its end if a request cannot be parsed.
--
-- "day" is the UTC day of the response, not of the delivery. A filter on it reads every file, so also filter on proc_ymd, the Korean
-- day, which is the last column.
CREATE OR REPLACE VIEW alb_access_athena AS
SELECT
  coalesce(type, '-') AS type,
  date_format(event_time, '%Y-%m-%dT%H:%i:%s.%f') || 'Z' AS time,
  coalesce(elb, '-') AS elb,
  client_ip,
  client_port,
  coalesce(target_ip, '') AS target_ip,
  target_port,
  request_processing_time,
  target_processing_time,
  response_processing_time,
  elb_status_code,
  coalesce(CAST(target_status_code AS varchar), '-') AS target_status_code,
  received_bytes,
  sent_bytes,
  coalesce(request_method, '-') AS request_verb,
  coalesce(request_url, '-') AS request_url,
  coalesce(request_protocol, '-') AS request_proto,
  coalesce(user_agent, '-') AS user_agent,
  coalesce(ssl_cipher, '-') AS ssl_cipher,
  coalesce(ssl_protocol, '-') AS ssl_protocol,
  coalesce(target_group_arn, '-') AS target_group_arn,
  coalesce(trace_id, '-') AS trace_id,
  coalesce(domain_name, '-') AS domain_name,
  coalesce(chosen_cert_arn, '-') AS chosen_cert_arn,
  coalesce(CAST(matched_rule_priority AS varchar), '-') AS matched_rule_priority,
  coalesce(date_format(request_creation_time, '%Y-%m-%dT%H:%i:%s.%f') || 'Z', '-') AS request_creation_time,
  coalesce(array_join(actions_executed, ','), '-') AS actions_executed,
  coalesce(redirect_url, '-') AS redirect_url,
  coalesce(error_reason, '-') AS lambda_error_reason,
  coalesce(target_port_list, '-') AS target_port_list,
  coalesce(target_status_code_list, '-') AS target_status_code_list,
  coalesce(classification, '-') AS classification,
  coalesce(classification_reason, '-') AS classification_reason,
  coalesce(conn_trace_id, '-') AS conn_trace_id,
  date_format(event_time, '%Y/%m/%d') AS day,
  proc_ymd
FROM alb_access;

-- CloudFront standard logs with the names and types of the table in Athena's guide.
--
-- Absent texts are '-', as in the log. date and time are those of the event time in UTC, without its milliseconds. The fields of
-- version 2 are not in the guide's table.
--
-- A filter on "date" reads every file, so also filter on proc_ymd, the Korean day, which is the last column.
CREATE OR REPLACE VIEW cloudfront_athena AS
SELECT
  CAST(event_time AS date) AS "date",
  date_format(event_time, '%H:%i:%s') AS "time",
  coalesce(x_edge_location, '-') AS x_edge_location,
  sc_bytes,
  coalesce(c_ip, '-') AS c_ip,
  coalesce(cs_method, '-') AS cs_method,
  coalesce(cs_host, '-') AS cs_host,
  coalesce(cs_uri_stem, '-') AS cs_uri_stem,
  sc_status,
  coalesce(cs_referer, '-') AS cs_referrer,
  coalesce(cs_user_agent, '-') AS cs_user_agent,
  coalesce(cs_uri_query, '-') AS cs_uri_query,
  coalesce(cs_cookie, '-') AS cs_cookie,
  coalesce(x_edge_result_type, '-') AS x_edge_result_type,
  coalesce(x_edge_request_id, '-') AS x_edge_request_id,
  coalesce(x_host_header, '-') AS x_host_header,
  coalesce(cs_protocol, '-') AS cs_protocol,
  cs_bytes,
  CAST(time_taken AS real) AS time_taken,
  coalesce(x_forwarded_for, '-') AS x_forwarded_for,
  coalesce(ssl_protocol, '-') AS ssl_protocol,
  coalesce(ssl_cipher, '-') AS ssl_cipher,
  coalesce(x_edge_response_result_type, '-') AS x_edge_response_result_type,
  coalesce(cs_protocol_version, '-') AS cs_protocol_version,
  coalesce(fle_status, '-') AS fle_status,
  fle_encrypted_fields,
  c_port,
  CAST(time_to_first_byte AS real) AS time_to_first_byte,
  coalesce(x_edge_detailed_result_type, '-') AS x_edge_detailed_result_type,
  coalesce(sc_content_type, '-') AS sc_content_type,
  sc_content_len,
  sc_range_start,
  sc_range_end,
  proc_ymd
FROM cloudfront;

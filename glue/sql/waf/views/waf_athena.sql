-- AWS WAF's logs with the names of the table in Athena's guide.
--
-- Lists of rules and headers are JSON text: CAST(json_parse(rulegrouplist) AS array(json)) restores a list. httprequest has the fields of
-- the guide, and labels and oversizefields are lists of texts. log_time is the UTC minute of the request, not of the delivery. A filter on
-- it reads every file, so also filter on proc_ymd, the Korean day, which is the last column.
CREATE OR REPLACE VIEW waf_athena AS
SELECT
  CAST(round(to_unixtime(event_time) * 1000) AS bigint) AS "timestamp",
  format_version AS formatversion,
  webacl_id AS webaclid,
  terminating_rule_id AS terminatingruleid,
  terminating_rule_type AS terminatingruletype,
  action,
  terminating_rule_match_details AS terminatingrulematchdetails,
  http_source_name AS httpsourcename,
  http_source_id AS httpsourceid,
  rule_group_list AS rulegrouplist,
  rate_based_rule_list AS ratebasedrulelist,
  non_terminating_matching_rules AS nonterminatingmatchingrules,
  request_headers_inserted AS requestheadersinserted,
  CAST(response_code_sent AS varchar) AS responsecodesent,
  CAST(
    ROW(
      http_request_client_ip,
      http_request_country,
      http_request_headers,
      http_request_uri,
      http_request_args,
      http_request_http_version,
      http_request_http_method,
      http_request_request_id,
      http_request_fragment,
      http_request_scheme,
      http_request_host
    )
    AS ROW(
      clientip varchar,
      country varchar,
      headers varchar,
      uri varchar,
      args varchar,
      httpversion varchar,
      httpmethod varchar,
      requestid varchar,
      fragment varchar,
      scheme varchar,
      host varchar
    )
  ) AS httprequest,
  labels,
  captcha_response AS captcharesponse,
  challenge_response AS challengeresponse,
  ja3_fingerprint AS ja3fingerprint,
  ja4_fingerprint AS ja4fingerprint,
  oversize_fields AS oversizefields,
  request_body_size AS requestbodysize,
  request_body_size_inspected_by_waf AS requestbodysizeinspectedbywaf,
  date_format(event_time, '%Y/%m/%d/%H/%i') AS log_time,
  proc_ymd
FROM waf;

-- Requests for each path of a host that AWS WAF inspected, by day. Blocked requests are also counted separately.
CREATE OR REPLACE VIEW waf_uris AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  header_host,
  http_request_uri,
  count(*) AS requests,
  count(*) FILTER (WHERE action = 'BLOCK') AS blocked
FROM waf
GROUP BY 1, 2, 3, 4;

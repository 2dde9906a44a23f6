-- Requests of each address that AWS WAF inspected, by day. Blocked requests are also counted separately.
CREATE OR REPLACE VIEW waf_clients AS
SELECT
  proc_ymd,
  date_trunc('day', event_time_kst) - INTERVAL '9' HOUR AS day_utc,
  http_request_client_ip,
  http_request_country,
  count(*) AS requests,
  count(*) FILTER (WHERE action = 'BLOCK') AS blocked
FROM waf
GROUP BY 1, 2, 3, 4;

-- All requests of one address on a Korean day, in order.
SELECT event_time_kst, action, http_request_http_method, http_request_uri, http_request_request_id
FROM waf
WHERE proc_ymd = '20231101' AND http_request_client_ip = '192.0.2.1'
ORDER BY event_time_kst, source_object, source_record;

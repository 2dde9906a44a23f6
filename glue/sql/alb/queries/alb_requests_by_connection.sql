-- Requests of each connection, from both logs. A connection without a request has none.
SELECT c.conn_trace_id, c.client_ip, count(a.conn_trace_id) AS requests
FROM alb_connection c
LEFT JOIN alb_access a ON a.conn_trace_id = c.conn_trace_id AND a.proc_ymd = c.proc_ymd
WHERE c.proc_ymd = '20231101'
GROUP BY c.conn_trace_id, c.client_ip
ORDER BY requests DESC, c.conn_trace_id
LIMIT 100;

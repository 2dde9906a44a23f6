-- Connections of each Korean day by port of the listener.
SELECT proc_ymd, listener_port, count(*) AS connections
FROM alb_connection
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY proc_ymd, listener_port
ORDER BY proc_ymd, connections DESC, listener_port;

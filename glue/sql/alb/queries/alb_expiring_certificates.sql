-- Client certificates that expire within 90 days of their last connection, or had expired.
SELECT
  leaf_client_cert_serial_number,
  max(leaf_client_cert_subject) AS subject,
  max(leaf_client_cert_not_after) AS not_after,
  count(*) AS connections
FROM alb_connection
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND leaf_client_cert_serial_number IS NOT NULL
GROUP BY leaf_client_cert_serial_number
HAVING max(leaf_client_cert_not_after) < max(event_time) + INTERVAL '90' DAY
ORDER BY not_after, leaf_client_cert_serial_number;

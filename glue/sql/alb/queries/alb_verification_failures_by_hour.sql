-- Share of failed verifications in each Korean hour.
SELECT
  date_trunc('hour', event_time_kst) AS hour_kst,
  count_if(tls_verify_status LIKE 'Failed%') AS failed,
  count(*) AS verified,
  CAST(count_if(tls_verify_status LIKE 'Failed%') AS double) / count(*) AS failure_rate
FROM alb_connection
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND tls_verify_status IS NOT NULL
GROUP BY 1
ORDER BY 1;

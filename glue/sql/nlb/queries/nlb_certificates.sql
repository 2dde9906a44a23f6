-- Connections of each certificate.
SELECT chosen_cert_arn, count(*) AS connections
FROM nlb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND chosen_cert_arn IS NOT NULL
GROUP BY chosen_cert_arn
ORDER BY connections DESC, chosen_cert_arn;

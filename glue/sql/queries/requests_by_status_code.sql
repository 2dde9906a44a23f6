-- Requests by HTTP status code over a range of Korean days.
SELECT http_status, sum(requests) AS requests
FROM status_codes
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY http_status
ORDER BY requests DESC, http_status;

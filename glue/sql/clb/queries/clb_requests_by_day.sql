-- Requests and bytes of each Korean day.
SELECT proc_ymd, count(*) AS requests, sum(received_bytes) AS received_bytes, sum(sent_bytes) AS sent_bytes
FROM clb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY proc_ymd
ORDER BY proc_ymd;

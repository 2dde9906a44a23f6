-- HTTP status codes of the responses of each bucket on each Korean day.
--
-- Requests are the REST, WEBSITE and SOAP operations. Lines that do not describe a response to a client are excluded: keys of a
-- multi-object delete, sources of copies, lifecycle and checksum jobs. http_status is NULL if the line has none.
CREATE OR REPLACE VIEW status_codes AS
SELECT
  proc_ymd,
  date_trunc('day', request_time_kst) - INTERVAL '9' HOUR AS day_utc,
  bucket,
  http_status,
  count(*) AS requests
FROM s3_access
WHERE (operation LIKE 'REST.%' OR operation LIKE 'WEBSITE.%' OR operation LIKE 'SOAP.%')
  AND operation NOT IN ('REST.COPY.OBJECT_GET', 'REST.COPY.PART_GET')
GROUP BY 1, 2, 3, 4;

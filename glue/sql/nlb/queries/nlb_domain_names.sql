-- Domain names that clients asked for.
SELECT domain_name, count(*) AS connections, count(DISTINCT client_ip) AS clients
FROM nlb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND domain_name IS NOT NULL
GROUP BY domain_name
ORDER BY connections DESC, domain_name;

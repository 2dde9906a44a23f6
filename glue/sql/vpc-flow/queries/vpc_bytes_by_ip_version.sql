-- Bytes over IPv4 and IPv6, by the form of the addresses.
SELECT strpos(srcaddr, ':') > 0 AS is_ipv6, sum(bytes) AS bytes
FROM vpc_flow
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND srcaddr IS NOT NULL
GROUP BY strpos(srcaddr, ':') > 0
ORDER BY bytes DESC;

-- Names without an answer. Records without a list of answers, such as those of a server failure, are not counted.
SELECT query_name, rcode, count(*) AS queries
FROM resolver_query
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND cardinality(answers_rdata) = 0
GROUP BY query_name, rcode
ORDER BY queries DESC, query_name, rcode
LIMIT 100;

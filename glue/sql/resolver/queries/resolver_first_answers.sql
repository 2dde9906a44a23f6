-- The most frequent first answers, such as addresses and the names of aliases, by type.
SELECT element_at(answers_type, 1) AS type, element_at(answers_rdata, 1) AS answer, count(*) AS queries
FROM resolver_query
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND element_at(answers_rdata, 1) IS NOT NULL
GROUP BY 1, 2
ORDER BY queries DESC, type, answer
LIMIT 100;

-- Addresses in answers, by the number of queries.
SELECT answer, count(*) AS queries
FROM resolver_query CROSS JOIN UNNEST(answers_rdata, answers_type) AS t (answer, type)
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND type IN ('A', 'AAAA')
GROUP BY answer
ORDER BY queries DESC, answer
LIMIT 100;

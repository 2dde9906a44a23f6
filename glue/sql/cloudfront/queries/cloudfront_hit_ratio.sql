-- Share of requests that the cache answered, for each Korean day and distribution.
SELECT
  proc_ymd,
  distribution_id,
  count(*) AS requests,
  CAST(count_if(x_edge_result_type IN ('Hit', 'RefreshHit')) AS double) / count(*) AS hit_ratio
FROM cloudfront
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND x_edge_result_type IS NOT NULL
GROUP BY proc_ymd, distribution_id
ORDER BY proc_ymd, distribution_id;

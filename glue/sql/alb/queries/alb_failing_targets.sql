-- Targets by their failed requests: errors of the target, and 502 without a status of the target.
SELECT
  target_ip,
  count(*) AS requests,
  count_if(target_status_code >= 500) AS target_errors,
  count_if(elb_status_code = 502 AND target_status_code IS NULL) AS no_answers
FROM alb_access
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND target_ip IS NOT NULL
GROUP BY target_ip
ORDER BY no_answers DESC, target_ip;

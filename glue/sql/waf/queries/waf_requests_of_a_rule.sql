-- Requests that one rule decided, by action.
SELECT action, count(*) AS requests
FROM waf
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND terminating_rule_id = 'challenge-login'
GROUP BY action
ORDER BY requests DESC, action;

-- Flows to SSH and RDP by action.
SELECT dstport, action, count(*) AS flows
FROM vpc_flow
WHERE proc_ymd BETWEEN '20231101' AND '20231130' AND protocol = 6 AND dstport IN (22, 3389)
GROUP BY dstport, action
ORDER BY flows DESC, dstport, action;

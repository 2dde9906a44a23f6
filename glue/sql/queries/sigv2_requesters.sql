-- Callers that send requests with Signature Version 2, from CloudTrail.
SELECT requester, sum(requests) AS requests
FROM sigv2_callers
WHERE log = 'cloudtrail' AND proc_ymd BETWEEN '20231101' AND '20231130'
GROUP BY requester
ORDER BY requests DESC, requester;

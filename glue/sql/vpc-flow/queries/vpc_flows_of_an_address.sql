-- TCP flows from and to an address, newest first.
SELECT event_time_kst, srcaddr, srcport, dstaddr, dstport, action, bytes
FROM vpc_flow
WHERE proc_ymd = '20231101' AND protocol = 6 AND (srcaddr = '203.0.113.2' OR dstaddr = '203.0.113.2')
ORDER BY event_time_kst DESC, source_object, source_record
LIMIT 100;

//! Figures of S3 access logs.

use super::labels::{BUCKET, ERROR, IP, OBJECT, OPERATION, REQUESTER, REQUESTS, SENT, STATUS, USER_AGENT};
use crate::report::figure::{Chart, Figure};
use crate::report::log::{LINES, SIGV2_LINES};
use crate::report::text::Text;

pub(super) const FIGURES: &[Figure] = &[
    Figure {
        id: "objects",
        view: &LINES,
        title: Text::new("Most requested objects", "가장 많이 요청된 객체"),
        note: Text::new("Objects by their number of GET requests.", "GET 요청 수가 많은 순서입니다."),
        sql: "SELECT bucket, key, coalesce(sum(bytes_sent), 0) AS bytes, count(*) AS requests
FROM s3_access_lines
WHERE {days} AND operation IN ('REST.GET.OBJECT', 'WEBSITE.GET.OBJECT') AND key IS NOT NULL
GROUP BY 1, 2",
        order: "requests DESC, bucket, key",
        limit: 10,
        labels: &[BUCKET, OBJECT, SENT, REQUESTS],
        chart: Chart::Bars { value: 3 },
    },
    Figure {
        id: "statuses",
        view: &LINES,
        title: Text::new("Requests by status code", "상태 코드별 요청 수"),
        note: Text::new("HTTP status codes of the responses.", "응답의 HTTP 상태 코드 기준입니다."),
        sql: "SELECT CAST(http_status AS varchar) AS status, requests
FROM (
  SELECT http_status, count(*) AS requests
  FROM s3_access_lines
  WHERE {days} AND kind <> 'copy source'
  GROUP BY 1
) AS statuses",
        order: "status",
        limit: 100,
        labels: &[STATUS, REQUESTS],
        chart: Chart::Bars { value: 1 },
    },
    Figure {
        id: "denied-requesters",
        view: &LINES,
        title: Text::new("Who causes the 403s", "403을 일으키는 요청자"),
        note: Text::new(
            "Lines with status 403, by requester, IP address, bucket, operation and error code. A dash stands for a request without a \
             signature, or with a wrong one.",
            "상태 코드가 403인 줄을 요청자·IP 주소·버킷·작업·오류 코드별로 집계했습니다. 요청자가 –이면 서명이 없거나 잘못된 요청입니다.",
        ),
        sql: "SELECT requester, remote_ip, bucket, operation, error_code, count(*) AS requests
FROM s3_access_lines
WHERE {days} AND http_status = 403
GROUP BY 1, 2, 3, 4, 5",
        order: "requests DESC, requester, remote_ip, bucket, operation, error_code",
        limit: 15,
        labels: &[REQUESTER, IP, BUCKET, OPERATION, ERROR, REQUESTS],
        chart: Chart::Bars { value: 5 },
    },
    Figure {
        id: "denied-keys",
        view: &LINES,
        title: Text::new("Denied objects", "접근이 거부된 객체"),
        note: Text::new("Keys by their number of 403 responses.", "403 응답이 많은 객체 키 순서입니다."),
        sql: "SELECT bucket, key, count(*) AS requests
FROM s3_access_lines
WHERE {days} AND http_status = 403
GROUP BY 1, 2",
        order: "requests DESC, bucket, key",
        limit: 10,
        labels: &[BUCKET, OBJECT, REQUESTS],
        chart: Chart::Bars { value: 2 },
    },
    Figure {
        id: "addresses",
        view: &LINES,
        title: Text::new("IP addresses that read objects", "객체를 읽은 IP 주소"),
        note: Text::new(
            "IP addresses by their number of GET requests for objects. A dash stands for AWS services.",
            "객체 GET 요청이 많은 IP 주소 순서입니다. –는 AWS 서비스의 요청입니다.",
        ),
        sql: "SELECT remote_ip, coalesce(sum(bytes_sent), 0) AS bytes, count(*) AS requests
FROM s3_access_lines
WHERE {days} AND operation IN ('REST.GET.OBJECT', 'WEBSITE.GET.OBJECT')
GROUP BY 1",
        order: "requests DESC, remote_ip",
        limit: 10,
        labels: &[IP, SENT, REQUESTS],
        chart: Chart::Bars { value: 2 },
    },
    Figure {
        id: "anonymous",
        view: &LINES,
        title: Text::new("Anonymous requests", "익명 요청"),
        note: Text::new(
            "Requests without a signature, by bucket and operation, whether allowed or not.",
            "서명이 없는 요청을 버킷·작업별로 집계했으며, 거부된 요청도 포함합니다.",
        ),
        sql: "SELECT bucket, operation, count(*) AS requests
FROM s3_access_lines
WHERE {days} AND is_anonymous
GROUP BY 1, 2",
        order: "requests DESC, bucket, operation",
        limit: 10,
        labels: &[BUCKET, OPERATION, REQUESTS],
        chart: Chart::Bars { value: 2 },
    },
    Figure {
        id: "sigv2-access-logs",
        view: &SIGV2_LINES,
        title: Text::new("Callers that use Signature Version 2", "서명 버전 2 호출자"),
        note: Text::new(
            "From S3 server access logs. AWS is phasing out Signature Version 2.",
            "S3 서버 액세스 로그 기준입니다. AWS는 서명 버전 2의 지원을 단계적으로 종료하고 있습니다.",
        ),
        sql: "SELECT requester, source_ip, bucket, operation, user_agent, sum(requests) AS requests
FROM sigv2_callers
WHERE {days} AND log = 's3_access'
GROUP BY 1, 2, 3, 4, 5",
        order: "requests DESC, requester, source_ip, bucket, operation, user_agent",
        limit: 10,
        labels: &[REQUESTER, IP, BUCKET, OPERATION, USER_AGENT, REQUESTS],
        chart: Chart::Bars { value: 5 },
    },
];

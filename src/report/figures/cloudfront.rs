//! Figures of CloudFront.

use super::labels::{COUNTRY, ERRORS, IP, PATH, REQUESTS, SENT, STATUS};
use crate::report::figure::{Chart, Figure, Label};
use crate::report::log::CLOUDFRONT_REQUESTS;
use crate::report::text::Text;

const HOST: Label = Label::new("Host", "호스트");

pub(super) const FIGURES: &[Figure] = &[
    Figure {
        id: "distributions",
        view: &CLOUDFRONT_REQUESTS,
        title: Text::new("Distributions", "배포별 요청"),
        note: Text::new(
            "Requests, bytes and cache hits of each distribution.",
            "배포별 요청 수, 전송 바이트, 캐시 적중률입니다.",
        ),
        sql: "SELECT distribution, sum(bytes_sent) AS bytes, count_if(status >= 400) AS errors,
  CAST(count_if(result IN ('Hit', 'RefreshHit')) AS double) / nullif(count(result), 0) AS hit_ratio, count(*) AS requests
FROM cloudfront_requests
WHERE {days}
GROUP BY 1",
        order: "requests DESC, distribution",
        limit: 15,
        labels: &[
            Label::new("Distribution", "배포"),
            SENT,
            ERRORS,
            Label::share("Cache hits", "캐시 적중률"),
            REQUESTS,
        ],
        chart: Chart::Bars { value: 4 },
    },
    Figure {
        id: "cloudfront-paths",
        view: &CLOUDFRONT_REQUESTS,
        title: Text::new("Most requested paths", "가장 많이 요청된 경로"),
        note: Text::new("Paths by their number of requests, as logged.", "로그에 기록된 경로 기준이며 요청 수가 많은 순서입니다."),
        sql: "SELECT host, path, sum(bytes_sent) AS bytes, count(*) AS requests
FROM cloudfront_requests
WHERE {days}
GROUP BY 1, 2",
        order: "requests DESC, host, path",
        limit: 10,
        labels: &[HOST, PATH, SENT, REQUESTS],
        chart: Chart::Bars { value: 3 },
    },
    Figure {
        id: "cloudfront-errors",
        view: &CLOUDFRONT_REQUESTS,
        title: Text::new("Errors by status code", "상태 코드별 오류"),
        note: Text::new(
            "Responses with a status code of 400 or more, by their detailed result. The status 000 means that the viewer closed the \
             connection first and is not counted.",
            "상태 코드가 400 이상인 응답을 세부 결과별로 집계했습니다. 뷰어가 먼저 연결을 끊은 요청(000)은 제외합니다.",
        ),
        sql: "SELECT CAST(status AS varchar) AS status, detailed_result, count(*) AS requests
FROM cloudfront_requests
WHERE {days} AND status >= 400
GROUP BY 1, 2",
        order: "requests DESC, status, detailed_result",
        limit: 15,
        labels: &[STATUS, Label::new("Detailed result", "세부 결과"), REQUESTS],
        chart: Chart::Bars { value: 2 },
    },
    Figure {
        id: "cloudfront-clients",
        view: &CLOUDFRONT_REQUESTS,
        title: Text::new("Busiest viewers", "요청이 가장 많은 뷰어"),
        note: Text::new(
            "IP addresses by their number of requests. Logs of version 1 do not contain the country.",
            "요청 수가 많은 IP 주소 순서입니다. 버전 1 로그에는 국가가 없습니다.",
        ),
        sql: "SELECT client_ip, country, count_if(status >= 400) AS errors, sum(bytes_sent) AS bytes, count(*) AS requests
FROM cloudfront_requests
WHERE {days}
GROUP BY 1, 2",
        order: "requests DESC, client_ip, country",
        limit: 10,
        labels: &[IP, COUNTRY, ERRORS, SENT, REQUESTS],
        chart: Chart::Bars { value: 4 },
    },
    Figure {
        id: "edges",
        view: &CLOUDFRONT_REQUESTS,
        title: Text::new("Edge locations", "엣지 로케이션"),
        note: Text::new("By the airport code of the edge location.", "엣지 로케이션의 공항 코드 기준입니다."),
        sql: "SELECT edge, avg(taken_ms) AS mean, sum(bytes_sent) AS bytes, count(*) AS requests
FROM cloudfront_requests
WHERE {days}
GROUP BY 1",
        order: "requests DESC, edge",
        limit: 10,
        labels: &[Label::new("Edge", "엣지"), Label::mean_ms("Mean time", "평균 시간"), SENT, REQUESTS],
        chart: Chart::Bars { value: 3 },
    },
];

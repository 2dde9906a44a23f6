//! The pulses of each log: the metrics that its scans count.

use super::figure::Label;
use super::log::{BALANCER_REQUESTS, CLOUDFRONT_REQUESTS, EVENTS, LINES, LOGINS, Log, WAF_REQUESTS};
use super::pulse::{Metric, Pulse};

const ALL_REQUESTS: Label = Label::new("Requests", "요청 수");
const ERRORS_4XX: Label = Label::new("4xx errors", "4xx 오류");
const ERRORS_5XX: Label = Label::new("5xx errors", "5xx 오류");
const RATE_4XX: Label = Label::share("4xx error rate", "4xx 오류율");
const RATE_5XX: Label = Label::share("5xx error rate", "5xx 오류율");
const BYTES_OUT: Label = Label::bytes("Bytes out", "송신 바이트");
const BYTES_IN: Label = Label::bytes("Bytes in", "수신 바이트");

/// Returns the pulses of a log.
pub fn pulses(log: Log) -> impl Iterator<Item = &'static Pulse> {
    PULSES.iter().filter(move |pulse| pulse.view.log == log)
}

/// The metrics, in the order of the page. Views of the same log are shown together.
const PULSES: &[Pulse] = &[
    Pulse {
        view: &EVENTS,
        metrics: &[
            Metric::key(Label::new("Events", "이벤트 수"), "count(*)"),
            Metric::key(Label::new("Users", "사용자 수"), "count(DISTINCT principal)"),
            Metric::key(Label::new("Denied calls", "거부된 호출"), "count_if(is_denied)"),
            Metric::key(Label::new("Root actions", "루트 사용자 작업"), "count_if(is_root)"),
        ],
    },
    Pulse {
        view: &LOGINS,
        metrics: &[
            Metric::new(Label::new("Console logins", "콘솔 로그인"), "count_if(result = 'Success')"),
            Metric::key(
                Label::new("Failed console logins", "실패한 콘솔 로그인"),
                "count_if(result = 'Failure')",
            ),
        ],
    },
    Pulse {
        view: &LINES,
        metrics: &[
            Metric::key(ALL_REQUESTS, "count(kind)"),
            Metric::new(Label::new("GET requests", "GET 요청"), "count_if(kind IN ('get', 'copy source'))"),
            Metric::new(Label::new("PUT requests", "PUT 요청"), "count_if(kind = 'put')"),
            Metric::new(Label::new("DELETE requests", "DELETE 요청"), "count_if(kind = 'delete')"),
            Metric::new(Label::new("HEAD requests", "HEAD 요청"), "count_if(kind = 'head')"),
            Metric::new(Label::new("POST requests", "POST 요청"), "count_if(kind = 'post')"),
            Metric::new(Label::new("SELECT requests", "SELECT 요청"), "count_if(kind = 'select')"),
            Metric::new(Label::new("LIST requests", "LIST 요청"), "count_if(kind = 'list')"),
            Metric::new(
                Label::bytes("SELECT bytes scanned", "SELECT 스캔 바이트"),
                "coalesce(sum(CASE WHEN kind = 'select' THEN object_size END), 0)",
            ),
            Metric::new(
                Label::bytes("SELECT bytes returned", "SELECT 반환 바이트"),
                "coalesce(sum(CASE WHEN kind = 'select' THEN bytes_sent END), 0)",
            ),
            Metric::key(
                Label::bytes("Bytes downloaded", "다운로드 바이트"),
                "coalesce(sum(CASE WHEN kind <> 'copy source' THEN bytes_sent END), 0)",
            ),
            Metric::new(
                Label::bytes("Bytes uploaded", "업로드 바이트"),
                "coalesce(sum(CASE WHEN operation IN ('REST.PUT.OBJECT', 'REST.PUT.PART', 'REST.POST.OBJECT') \
                 AND http_status BETWEEN 200 AND 299 THEN object_size END), 0)",
            ),
            Metric::new(ERRORS_4XX, "count_if(kind IS NOT NULL AND http_status BETWEEN 400 AND 499)"),
            Metric::new(ERRORS_5XX, "count_if(kind IS NOT NULL AND http_status BETWEEN 500 AND 599)"),
            Metric::new(
                Label::mean_ms("First byte latency", "첫 바이트 지연 시간"),
                "avg(CASE WHEN kind IS NOT NULL THEN turn_around_time END)",
            ),
            Metric::new(
                Label::mean_ms("Total request latency", "전체 요청 지연 시간"),
                "avg(CASE WHEN kind IS NOT NULL THEN total_time END)",
            ),
            Metric::key(
                RATE_4XX,
                "CAST(count_if(kind IS NOT NULL AND http_status BETWEEN 400 AND 499) AS double) / nullif(count(kind), 0)",
            ),
            Metric::key(
                RATE_5XX,
                "CAST(count_if(kind IS NOT NULL AND http_status BETWEEN 500 AND 599) AS double) / nullif(count(kind), 0)",
            ),
        ],
    },
    Pulse {
        view: &BALANCER_REQUESTS,
        metrics: &[
            Metric::key(ALL_REQUESTS, "count(*)"),
            Metric::new(ERRORS_4XX, "count_if(elb_status_code BETWEEN 400 AND 499)"),
            Metric::new(ERRORS_5XX, "count_if(elb_status_code >= 500)"),
            Metric::new(BYTES_IN, "coalesce(sum(received_bytes), 0)"),
            Metric::key(BYTES_OUT, "coalesce(sum(sent_bytes), 0)"),
            Metric::new(Label::mean_ms("Target latency", "대상 지연 시간"), "avg(target_ms)"),
            Metric::key(
                RATE_4XX,
                "CAST(count_if(elb_status_code BETWEEN 400 AND 499) AS double) / nullif(count(*), 0)",
            ),
            Metric::key(RATE_5XX, "CAST(count_if(elb_status_code >= 500) AS double) / nullif(count(*), 0)"),
        ],
    },
    Pulse {
        view: &CLOUDFRONT_REQUESTS,
        metrics: &[
            Metric::key(ALL_REQUESTS, "count(*)"),
            Metric::key(BYTES_OUT, "coalesce(sum(bytes_sent), 0)"),
            Metric::new(BYTES_IN, "coalesce(sum(bytes_received), 0)"),
            Metric::key(
                Label::share("Cache hits", "캐시 적중률"),
                "CAST(count_if(result IN ('Hit', 'RefreshHit')) AS double) / nullif(count(result), 0)",
            ),
            Metric::key(
                RATE_4XX,
                "CAST(count_if(status BETWEEN 400 AND 499) AS double) / nullif(count(*), 0)",
            ),
            Metric::key(RATE_5XX, "CAST(count_if(status >= 500) AS double) / nullif(count(*), 0)"),
            Metric::new(Label::mean_ms("Time per request", "요청당 시간"), "avg(taken_ms)"),
        ],
    },
    Pulse {
        view: &WAF_REQUESTS,
        metrics: &[
            Metric::key(ALL_REQUESTS, "count(*)"),
            Metric::key(Label::new("Blocked requests", "차단된 요청"), "count_if(action = 'BLOCK')"),
            Metric::key(
                Label::share("Blocked share", "차단율"),
                "CAST(count_if(action = 'BLOCK') AS double) / nullif(count(*), 0)",
            ),
            Metric::new(
                Label::new("CAPTCHAs and challenges", "CAPTCHA·챌린지"),
                "count_if(action IN ('CAPTCHA', 'CHALLENGE'))",
            ),
            Metric::new(Label::new("IP addresses", "IP 주소 수"), "count(DISTINCT client_ip)"),
        ],
    },
];

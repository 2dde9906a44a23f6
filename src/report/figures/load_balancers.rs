//! Figures of Application Load Balancers.

use super::labels::{ERRORS, IP, REQUESTS, SENT, STATUS};
use crate::report::figure::{Chart, Figure, Label};
use crate::report::log::BALANCER_REQUESTS;
use crate::report::text::Text;

pub(super) const FIGURES: &[Figure] = &[
    Figure {
        id: "balancer-errors",
        view: &BALANCER_REQUESTS,
        title: Text::new("Errors by status code", "상태 코드별 오류"),
        note: Text::new(
            "Responses of load balancers with a status code of 400 or more, and how many of them no target sent.",
            "상태 코드가 400 이상인 로드 밸런서 응답 수와 그중 대상이 보내지 않은 응답 수입니다.",
        ),
        sql: "SELECT CAST(elb_status_code AS varchar) AS status, count_if(target_status_code IS NULL) AS without_target,
  count(*) AS requests
FROM alb_requests
WHERE {days} AND elb_status_code >= 400
GROUP BY 1",
        order: "status",
        limit: 100,
        labels: &[STATUS, Label::new("Not from a target", "대상이 보내지 않음"), REQUESTS],
        chart: Chart::Bars { value: 2 },
    },
    Figure {
        id: "slow-targets",
        view: &BALANCER_REQUESTS,
        title: Text::new("Slowest targets", "가장 느린 대상"),
        note: Text::new(
            "Targets by the mean time until they began to respond.",
            "응답하기 시작할 때까지 걸린 평균 시간이 긴 순서입니다.",
        ),
        sql: "SELECT elb, target_ip, count(*) AS requests, max(target_ms) AS longest, avg(target_ms) AS mean
FROM alb_requests
WHERE {days} AND target_ip IS NOT NULL AND target_ms IS NOT NULL
GROUP BY 1, 2",
        order: "mean DESC, elb, target_ip",
        limit: 10,
        labels: &[
            Label::new("Load balancer", "로드 밸런서"),
            Label::new("Target", "대상"),
            REQUESTS,
            Label::mean_ms("Longest time", "최장 시간"),
            Label::mean_ms("Mean time", "평균 시간"),
        ],
        chart: Chart::Bars { value: 4 },
    },
    Figure {
        id: "balancer-clients",
        view: &BALANCER_REQUESTS,
        title: Text::new("Busiest clients", "요청이 가장 많은 클라이언트"),
        note: Text::new("IP addresses by their number of requests.", "요청 수가 많은 IP 주소 순서입니다."),
        sql: "SELECT client_ip, count_if(elb_status_code >= 400) AS errors, sum(sent_bytes) AS sent, count(*) AS requests
FROM alb_requests
WHERE {days}
GROUP BY 1",
        order: "requests DESC, client_ip",
        limit: 10,
        labels: &[IP, ERRORS, SENT, REQUESTS],
        chart: Chart::Bars { value: 3 },
    },
];

//! Figures of CloudTrail.

use super::labels::{ACTION, BUCKET, IP, REQUESTER, REQUESTS, USER_AGENT};
use crate::report::figure::{Chart, Figure, Label};
use crate::report::log::{EVENTS, LOGINS, SIGV2_EVENTS};
use crate::report::text::Text;

const SERVICE: Label = Label::new("Service", "서비스");
const DAY: Label = Label::new("Day", "날짜");

/// Users and events of the 15 services with the most events.
const SERVICES: &str = "SELECT event_source, day, users, events_per_user
FROM (
  SELECT *, dense_rank() OVER (ORDER BY all_events DESC, event_source) AS place
  FROM (
    SELECT *, sum(events) OVER (PARTITION BY event_source) AS all_events
    FROM (
      SELECT event_source, {column} AS day, count(DISTINCT principal) AS users, count(*) AS events,
        CAST(count(principal) AS double) / nullif(count(DISTINCT principal), 0) AS events_per_user
      FROM cloudtrail_events
      WHERE {days}
      GROUP BY 1, 2
    ) AS service_days
  ) AS services
) AS ranked
WHERE place <= 15";

pub(super) const FIGURES: &[Figure] = &[
    Figure {
        id: "months",
        view: &EVENTS,
        title: Text::new("Users and events by month", "월별 사용자 수와 이벤트 수"),
        note: Text::new(
            "Covers the days of this report. A user is a principal that called an AWS service. Calls by AWS itself count as events only.",
            "이 보고서의 기간만 집계합니다. 사용자는 AWS 서비스를 호출한 보안 주체이며, AWS가 직접 호출한 이벤트는 이벤트 수에만 포함됩니다.",
        ),
        sql: "SELECT substr(proc_ymd, 1, 4) || '-' || substr(proc_ymd, 5, 2) AS month, count(DISTINCT principal) AS users,
  count(*) AS events
FROM cloudtrail_events
WHERE {days}
GROUP BY 1",
        order: "month",
        limit: 1200,
        labels: &[
            Label::new("Month", "월"),
            Label::new("Users", "사용자 수"),
            Label::new("Events", "이벤트 수"),
        ],
        chart: Chart::Months,
    },
    Figure {
        id: "service-users",
        view: &EVENTS,
        title: Text::new("Users by service", "서비스별 사용자 수"),
        note: Text::new("The 15 services with the most events.", "이벤트가 가장 많은 서비스 15개입니다."),
        sql: SERVICES,
        order: "event_source, day",
        limit: 10_000,
        labels: &[SERVICE, DAY, Label::new("Users", "사용자 수"), Label::mean("Events per user", "사용자당 이벤트 수")],
        chart: Chart::Heat { value: 2 },
    },
    Figure {
        id: "service-events",
        view: &EVENTS,
        title: Text::new("Events per user by service", "서비스별 사용자당 이벤트 수"),
        note: Text::new("The 15 services with the most events.", "이벤트가 가장 많은 서비스 15개입니다."),
        sql: SERVICES,
        order: "event_source, day",
        limit: 10_000,
        labels: &[SERVICE, DAY, Label::new("Users", "사용자 수"), Label::mean("Events per user", "사용자당 이벤트 수")],
        chart: Chart::Heat { value: 3 },
    },
    Figure {
        id: "denied-principals",
        view: &EVENTS,
        title: Text::new("Denied calls by principal", "보안 주체별 거부된 호출"),
        note: Text::new(
            "Calls that AWS denied, by principal, service and action.",
            "AWS가 거부한 호출을 보안 주체·서비스·작업별로 집계했습니다.",
        ),
        sql: "SELECT caller, event_source, event_name, count(*) AS requests
FROM cloudtrail_events
WHERE {days} AND is_denied
GROUP BY 1, 2, 3",
        order: "requests DESC, caller, event_source, event_name",
        limit: 10,
        labels: &[Label::new("Principal", "보안 주체"), SERVICE, ACTION, REQUESTS],
        chart: Chart::Bars { value: 3 },
    },
    Figure {
        id: "console-logins",
        view: &LOGINS,
        title: Text::new("Console logins", "콘솔 로그인"),
        note: Text::new(
            "Logins by user, MFA and result. AWS logs MFA as No for federated users, even if their identity provider asked for it.",
            "사용자·MFA·결과별 로그인 수입니다. 페더레이션 사용자는 자격 증명 공급자에서 MFA를 거쳤더라도 No로 기록됩니다.",
        ),
        sql: "SELECT coalesce(user_name, requester) AS who, mfa_used, result, count(*) AS logins
FROM console_logins
WHERE {days}
GROUP BY 1, 2, 3",
        order: "logins DESC, who, mfa_used, result",
        limit: 10,
        labels: &[
            Label::new("User", "사용자"),
            Label::new("MFA", "MFA"),
            Label::new("Result", "결과"),
            Label::new("Logins", "로그인 수"),
        ],
        chart: Chart::Bars { value: 3 },
    },
    Figure {
        id: "sigv2-cloudtrail",
        view: &SIGV2_EVENTS,
        title: Text::new("Callers that use Signature Version 2", "서명 버전 2 호출자"),
        note: Text::new(
            "From CloudTrail data events. AWS is phasing out Signature Version 2.",
            "CloudTrail 데이터 이벤트 기준입니다. AWS는 서명 버전 2의 지원을 단계적으로 종료하고 있습니다.",
        ),
        sql: "SELECT requester, source_ip, bucket, operation, user_agent, sum(requests) AS requests
FROM sigv2_callers
WHERE {days} AND log = 'cloudtrail'
GROUP BY 1, 2, 3, 4, 5",
        order: "requests DESC, requester, source_ip, bucket, operation, user_agent",
        limit: 10,
        labels: &[REQUESTER, IP, BUCKET, ACTION, USER_AGENT, REQUESTS],
        chart: Chart::Bars { value: 5 },
    },
];

//! "Worth a look": questions whose answers are shown only if they have rows.

use super::figure::{Chart, Figure, Label};
use super::log::{BALANCER_REQUESTS, CLOUDFRONT_REQUESTS, EVENTS, LINES, LOGINS, View, WAF_REQUESTS};
use super::text::Text;

/// A question about unusual things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The query and its table.
    pub figure: Figure,
    /// Whether it compares the range with the days before.
    pub needs_history: bool,
}

/// Published days before the range that a comparison needs.
pub const MIN_HISTORY: usize = 7;

const FIRST: Label = Label::new("First time (KST)", "최초 시각(KST)");
const PRINCIPAL: Label = Label::new("Principal", "보안 주체");
const SERVICE: Label = Label::new("Service", "서비스");
const ACTION: Label = Label::new("Action", "작업");
const ACCOUNT: Label = Label::new("Account", "계정");
const IP: Label = Label::new("IP address", "IP 주소");
const EVENTS_COUNT: Label = Label::new("Events", "이벤트 수");
const REQUESTS: Label = Label::new("Requests", "요청 수");
const DENIED: Label = Label::new("Denied", "거부");

/// Days with far more rows than the median of the same weekday in the four weeks before each of them. At least three of these weekdays
/// must be published.
const SPIKES: &str = "WITH days AS (
  SELECT proc_ymd, {day} AS day, count(*) AS number
  FROM {view}
  WHERE {history}
  GROUP BY 1, 2
),
weekdays AS (
  SELECT days.day, days.number, earlier.number AS earlier,
    row_number() OVER (PARTITION BY days.day ORDER BY earlier.number) AS place,
    count(*) OVER (PARTITION BY days.day) AS places
  FROM days CROSS JOIN days AS earlier
  WHERE days.proc_ymd >= '{first}' AND earlier.day IN (
    days.day - INTERVAL '7' DAY, days.day - INTERVAL '14' DAY, days.day - INTERVAL '21' DAY, days.day - INTERVAL '28' DAY
  )
)
SELECT CAST(day AS date) AS day, avg(earlier) AS median, number
FROM weekdays
WHERE places >= 3 AND place * 2 BETWEEN places AND places + 2
GROUP BY 1, 3
HAVING number > 2 * avg(earlier) AND number >= avg(earlier) + 50";
const SPIKE_LABELS: &[Label] = &[
    Label::new("Day", "날짜"),
    Label::mean("Median of the weekday", "같은 요일의 중앙값"),
    Label::new("Count", "건수"),
];
const SPIKE_NOTE: Text = Text::new(
    "Days with more than twice the median of the same weekday in the four weeks before, and at least 50 more.",
    "직전 4주 같은 요일 중앙값의 두 배를 넘고 50건 이상 많은 날입니다.",
);

/// Networks of addresses that are new: /24 for IPv4, /48 for IPv6. Names of services are not addresses.
macro_rules! new_networks {
    ($view:literal, $address:literal, $time:literal, $condition:literal) => {
        concat!(
            "SELECT network, min(first_time) AS first_time, count(*) AS addresses, sum(number) AS number
FROM (
  SELECT ",
            $address,
            " AS address, min(proc_ymd) AS first_day, min(",
            $time,
            ") AS first_time, count(*) AS number,
    coalesce(
      regexp_extract(",
            $address,
            ", '^([0-9]+[.][0-9]+[.][0-9]+)[.][0-9]+$', 1) || '.0/24',
      regexp_extract(",
            $address,
            ", '^([0-9a-f]+:[0-9a-f]+:[0-9a-f]+):', 1) || '::/48'
    ) AS network
  FROM ",
            $view,
            "
  WHERE {history}",
            $condition,
            "
  GROUP BY ",
            $address,
            "
) AS addresses
WHERE network IS NOT NULL
GROUP BY network
HAVING min(first_day) >= '{first}'"
        )
    };
}

const fn spikes(id: &'static str, view: &'static View, title: Text) -> Finding {
    Finding {
        figure: Figure {
            id,
            view,
            title,
            note: SPIKE_NOTE,
            sql: SPIKES,
            order: "number DESC, day",
            limit: 10,
            labels: SPIKE_LABELS,
            chart: Chart::Plain,
        },
        needs_history: true,
    }
}

/// The questions, the most pressing first.
pub const FINDINGS: &[Finding] = &[
    Finding {
        figure: Figure {
            id: "root-without-mfa",
            view: &EVENTS,
            title: Text::new("Root without MFA", "MFA 없는 루트 사용자"),
            note: Text::new(
                "Actions of the root user in sessions for which AWS did not log MFA.",
                "MFA 사용이 기록되지 않은 세션에서 루트 사용자가 수행한 작업입니다.",
            ),
            sql: "SELECT account_id, source_ip, event_source, event_name, min(event_time_kst) AS first_time, count(*) AS events
FROM cloudtrail_events
WHERE {days} AND is_root AND coalesce(mfa_used, 'No') <> 'Yes'
GROUP BY 1, 2, 3, 4",
            order: "events DESC, account_id, source_ip, event_source, event_name",
            limit: 10,
            labels: &[ACCOUNT, IP, SERVICE, ACTION, FIRST, EVENTS_COUNT],
            chart: Chart::Plain,
        },
        needs_history: false,
    },
    Finding {
        figure: Figure {
            id: "guessed-logins",
            view: &LOGINS,
            title: Text::new("Failed logins followed by a success", "실패 후 성공한 로그인"),
            note: Text::new(
                "Successful console logins of users that failed to log in within the hour before.",
                "로그인에 성공하기 전 한 시간 안에 실패한 기록이 있는 콘솔 로그인입니다.",
            ),
            sql: "WITH logins AS (
  SELECT user_name, account_id, event_time_kst, source_ip, mfa_used, result
  FROM console_logins
  WHERE {days}
)
SELECT success.user_name, success.account_id, success.event_time_kst AS login_time, success.source_ip, success.mfa_used,
  count(*) AS failures
FROM logins AS success
JOIN logins AS failure ON failure.user_name = success.user_name AND failure.account_id = success.account_id
WHERE success.result = 'Success' AND failure.result = 'Failure'
  AND failure.event_time_kst <= success.event_time_kst AND failure.event_time_kst >= success.event_time_kst - INTERVAL '1' HOUR
GROUP BY 1, 2, 3, 4, 5",
            order: "failures DESC, login_time, user_name, account_id, source_ip",
            limit: 10,
            labels: &[
                Label::new("User", "사용자"),
                ACCOUNT,
                Label::new("Login (KST)", "로그인 시각(KST)"),
                IP,
                Label::new("MFA", "MFA"),
                Label::new("Failures before", "이전 실패"),
            ],
            chart: Chart::Plain,
        },
        needs_history: false,
    },
    Finding {
        figure: Figure {
            id: "public-reads",
            view: &LINES,
            title: Text::new("Public reads", "공개된 객체 읽기"),
            note: Text::new(
                "Objects that S3 returned to requests without a signature. Expected for websites, and for nothing else.",
                "서명 없는 요청에 S3가 반환한 객체입니다. 웹 사이트 버킷이 아니라면 확인이 필요합니다.",
            ),
            sql: "SELECT bucket, count(DISTINCT key) AS objects, count(DISTINCT remote_ip) AS addresses,
  coalesce(sum(bytes_sent), 0) AS bytes, count(*) AS requests
FROM s3_access_lines
WHERE {days} AND is_anonymous AND operation IN ('REST.GET.OBJECT', 'WEBSITE.GET.OBJECT') AND http_status BETWEEN 200 AND 299
GROUP BY 1",
            order: "requests DESC, bucket",
            limit: 10,
            labels: &[
                Label::new("Bucket", "버킷"),
                Label::new("Objects", "객체 수"),
                Label::new("IP addresses", "IP 주소 수"),
                Label::bytes("Bytes sent", "전송 바이트"),
                REQUESTS,
            ],
            chart: Chart::Plain,
        },
        needs_history: false,
    },
    Finding {
        figure: Figure {
            id: "first-denials",
            view: &EVENTS,
            title: Text::new("First denials", "처음 거부된 호출"),
            note: Text::new(
                "Denied calls of principals that had no denial of the same action in the four weeks before.",
                "직전 4주 동안 같은 작업에서 거부된 적이 없던 보안 주체의 거부된 호출입니다.",
            ),
            sql: "SELECT caller, event_source, event_name, min(event_time_kst) AS first_time, count(*) AS denied
FROM cloudtrail_events
WHERE {history} AND is_denied
GROUP BY 1, 2, 3
HAVING min(proc_ymd) >= '{first}'",
            order: "denied DESC, caller, event_source, event_name",
            limit: 10,
            labels: &[PRINCIPAL, SERVICE, ACTION, FIRST, DENIED],
            chart: Chart::Plain,
        },
        needs_history: true,
    },
    Finding {
        figure: Figure {
            id: "new-principals",
            view: &EVENTS,
            title: Text::new("New principals", "새로운 보안 주체"),
            note: Text::new(
                "Users that called no service in the four weeks before.",
                "직전 4주 동안 호출이 없던 사용자입니다.",
            ),
            sql: "SELECT principal, min(event_time_kst) AS first_time, count_if(is_denied) AS denied, count(*) AS events
FROM cloudtrail_events
WHERE {history} AND principal IS NOT NULL
GROUP BY 1
HAVING min(proc_ymd) >= '{first}'",
            order: "events DESC, principal",
            limit: 10,
            labels: &[PRINCIPAL, FIRST, DENIED, EVENTS_COUNT],
            chart: Chart::Plain,
        },
        needs_history: true,
    },
    Finding {
        figure: Figure {
            id: "new-services",
            view: &EVENTS,
            title: Text::new("New services", "새로 사용된 서비스"),
            note: Text::new(
                "Services that had no event in the four weeks before.",
                "직전 4주 동안 이벤트가 없던 서비스입니다.",
            ),
            sql: "SELECT event_source, min(event_time_kst) AS first_time, count(DISTINCT principal) AS users, count(*) AS events
FROM cloudtrail_events
WHERE {history}
GROUP BY 1
HAVING min(proc_ymd) >= '{first}'",
            order: "events DESC, event_source",
            limit: 10,
            labels: &[SERVICE, FIRST, Label::new("Users", "사용자 수"), EVENTS_COUNT],
            chart: Chart::Plain,
        },
        needs_history: true,
    },
    Finding {
        figure: Figure {
            id: "new-networks",
            view: &EVENTS,
            title: Text::new("New source networks of users", "사용자의 새로운 접속 네트워크"),
            note: Text::new(
                "Networks (/24, or /48 for IPv6) from which no user called in the four weeks before.",
                "직전 4주 동안 사용자의 호출이 없던 네트워크(IPv4 /24, IPv6 /48)입니다.",
            ),
            sql: new_networks!("cloudtrail_events", "source_ip", "event_time_kst", " AND principal IS NOT NULL"),
            order: "number DESC, network",
            limit: 10,
            labels: NETWORK_LABELS,
            chart: Chart::Plain,
        },
        needs_history: true,
    },
    Finding {
        figure: Figure {
            id: "new-requesters",
            view: &LINES,
            title: Text::new("New S3 requesters", "새로운 S3 요청자"),
            note: Text::new(
                "Requesters without a line in the four weeks before.",
                "직전 4주 동안 로그에 없던 요청자입니다.",
            ),
            sql: "SELECT requester, min(request_time_kst) AS first_time, count_if(http_status = 403) AS denied, count(*) AS requests
FROM s3_access_lines
WHERE {history} AND requester IS NOT NULL
GROUP BY 1
HAVING min(proc_ymd) >= '{first}'",
            order: "requests DESC, requester",
            limit: 10,
            labels: &[Label::new("Requester", "요청자"), FIRST, DENIED, REQUESTS],
            chart: Chart::Plain,
        },
        needs_history: true,
    },
    Finding {
        figure: Figure {
            id: "new-s3-networks",
            view: &LINES,
            title: Text::new("New networks that read objects", "객체를 읽은 새로운 네트워크"),
            note: Text::new(
                "Networks (/24, or /48 for IPv6) that read no object in the four weeks before.",
                "직전 4주 동안 객체를 읽은 적이 없던 네트워크(IPv4 /24, IPv6 /48)입니다.",
            ),
            sql: new_networks!(
                "s3_access_lines",
                "remote_ip",
                "request_time_kst",
                " AND operation IN ('REST.GET.OBJECT', 'WEBSITE.GET.OBJECT') AND http_status BETWEEN 200 AND 299"
            ),
            order: "number DESC, network",
            limit: 10,
            labels: NETWORK_LABELS,
            chart: Chart::Plain,
        },
        needs_history: true,
    },
    spikes("event-spikes", &EVENTS, Text::new("Days with unusually many events", "이벤트가 급증한 날")),
    spikes("s3-spikes", &LINES, Text::new("Days with unusually many S3 log lines", "S3 로그가 급증한 날")),
    spikes(
        "balancer-spikes",
        &BALANCER_REQUESTS,
        Text::new("Days with unusually many requests to load balancers", "로드 밸런서 요청이 급증한 날"),
    ),
    spikes(
        "cloudfront-spikes",
        &CLOUDFRONT_REQUESTS,
        Text::new("Days with unusually many requests to CloudFront", "CloudFront 요청이 급증한 날"),
    ),
    spikes(
        "waf-spikes",
        &WAF_REQUESTS,
        Text::new("Days with unusually many requests to AWS WAF", "AWS WAF 요청이 급증한 날"),
    ),
];

const NETWORK_LABELS: &[Label] = &[
    Label::new("Network", "네트워크"),
    FIRST,
    Label::new("IP addresses", "IP 주소 수"),
    Label::new("Events", "건수"),
];

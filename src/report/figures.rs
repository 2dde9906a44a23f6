//! The figures of the page, in its order.

use super::figure::{Chart, Figure, Label, Log, Mark};
use super::text::Text;

const DAY: Label = Label::new("Day", "날짜");
const REQUESTS: Label = Label::new("Requests", "요청 수");
const BUCKET: Label = Label::new("Bucket", "버킷");
const OBJECT: Label = Label::new("Object", "객체");
const IP: Label = Label::new("Address", "IP 주소");
const SERVICE: Label = Label::new("Service", "서비스");

/// The figures: CloudTrail first, then S3 access logs.
pub const FIGURES: [Figure; 14] = [
    Figure {
        id: "months",
        log: Log::CloudTrail,
        title: Text::new("Users and events by month", "월별 이용자 수와 이벤트 수"),
        note: Text::new(
            "Of the days of this page. A user is a principal that called an AWS service; calls that AWS makes itself count as events only.",
            "이 보고서에 포함된 날짜 기준. 이용자는 AWS 서비스를 호출한 주체이며, AWS가 스스로 호출한 이벤트는 이벤트 수에만 포함된다.",
        ),
        sql: "SELECT month, users, events FROM monthly_users ORDER BY month",
        labels: &[
            Label::new("Month", "월"),
            Label::new("Users", "이용자 수"),
            Label::new("Events", "이벤트 수"),
        ],
        chart: Chart::Panels(Mark::Column),
    },
    Figure {
        id: "service-users",
        log: Log::CloudTrail,
        title: Text::new("Users per service by day", "AWS 서비스별 일일 이용자 수"),
        note: Text::new("The fifteen services with most events.", "이벤트가 가장 많은 서비스 15개."),
        sql: "SELECT event_source, proc_ymd, users FROM daily_users_by_service \
              WHERE event_source IN (SELECT event_source FROM daily_users_by_service GROUP BY event_source \
              ORDER BY sum(events) DESC, event_source LIMIT 15) ORDER BY event_source, proc_ymd",
        labels: &[SERVICE, DAY, Label::new("Users", "이용자 수")],
        chart: Chart::Heat { value: 2 },
    },
    Figure {
        id: "service-events",
        log: Log::CloudTrail,
        title: Text::new("Events per user and service by day", "AWS 서비스별 이용자당 일평균 이벤트 수"),
        note: Text::new("The fifteen services with most events.", "이벤트가 가장 많은 서비스 15개."),
        sql: "SELECT event_source, proc_ymd, events_per_user FROM daily_users_by_service \
              WHERE event_source IN (SELECT event_source FROM daily_users_by_service GROUP BY event_source \
              ORDER BY sum(events) DESC, event_source LIMIT 15) ORDER BY event_source, proc_ymd",
        labels: &[SERVICE, DAY, Label::mean("Events per user", "이용자당 이벤트 수")],
        chart: Chart::Heat { value: 2 },
    },
    Figure {
        id: "denied-principals",
        log: Log::CloudTrail,
        title: Text::new("Who was denied what", "권한 거부된 주체와 작업"),
        note: Text::new("The ten with most calls that IAM refused.", "IAM이 거부한 호출이 가장 많은 10건."),
        sql: "SELECT principal, event_source, event_name, sum(requests) AS requests FROM access_denied_by_principal \
              GROUP BY principal, event_source, event_name ORDER BY requests DESC, principal, event_source, event_name LIMIT 10",
        labels: &[Label::new("Principal", "주체"), SERVICE, Label::new("Action", "작업"), REQUESTS],
        chart: Chart::Bars { value: 3 },
    },
    Figure {
        id: "console-logins",
        log: Log::CloudTrail,
        title: Text::new("Console logins", "콘솔 로그인"),
        note: Text::new("By user and result.", "사용자와 결과별."),
        sql: "SELECT coalesce(user_name, requester) AS who, mfa_used, result, count(*) AS logins FROM console_logins \
              GROUP BY coalesce(user_name, requester), mfa_used, result ORDER BY logins DESC, who, mfa_used, result LIMIT 10",
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
        log: Log::CloudTrail,
        title: Text::new("Callers with signature version 2", "서명 버전 2 호출자"),
        note: Text::new(
            "From data events in CloudTrail. Signature version 2 is on its way out.",
            "CloudTrail 데이터 이벤트 기준. 서명 버전 2는 지원이 종료되는 방식이다.",
        ),
        sql: "SELECT requester, source_ip, bucket, operation, user_agent, sum(requests) AS requests FROM sigv2_callers \
              WHERE log = 'cloudtrail' GROUP BY requester, source_ip, bucket, operation, user_agent \
              ORDER BY requests DESC, requester, source_ip, bucket, operation, user_agent LIMIT 10",
        labels: &[
            Label::new("Requester", "요청자"),
            IP,
            BUCKET,
            Label::new("Action", "작업"),
            Label::new("User agent", "사용자 에이전트"),
            REQUESTS,
        ],
        chart: Chart::Bars { value: 5 },
    },
    Figure {
        id: "hours",
        log: Log::S3Access,
        title: Text::new("S3 requests by hour", "시간대별 S3 요청 지표"),
        note: Text::new(
            "The sixteen request metrics of S3, from the logs, by hour in Korea. Logs come on a best-effort basis and do not tell bytes \
             scanned by SELECT; uploads are the sizes of objects put. Latencies are means.",
            "S3의 16가지 요청 지표를 로그로 재구성한 값(한국 시간). 로그는 최선의 노력으로 전달되며 SELECT가 스캔한 바이트는 남지 않는다. \
             업로드 바이트는 저장된 객체의 크기이고, 지연 시간은 평균이다.",
        ),
        // Means of buckets cannot be put together: those of the hour are taken from the table, over the same requests.
        sql: "SELECT hours.hour_kst, sum(all_requests), sum(get_requests), sum(put_requests), sum(delete_requests), \
              sum(head_requests), sum(post_requests), sum(select_requests), sum(list_requests), sum(select_bytes_scanned), \
              sum(select_bytes_returned), sum(bytes_downloaded), sum(bytes_uploaded), sum(errors_4xx), sum(errors_5xx), \
              min(means.first_byte), min(means.total) FROM s3_requests_by_hour AS hours JOIN \
              (SELECT date_trunc('hour', request_time_kst) AS hour_kst, avg(turn_around_time) AS first_byte, \
              avg(total_time) AS total FROM s3_access \
              WHERE operation LIKE 'REST.%' OR operation LIKE 'WEBSITE.%' OR operation LIKE 'SOAP.%' GROUP BY 1) AS means \
              ON means.hour_kst = hours.hour_kst GROUP BY hours.hour_kst ORDER BY hours.hour_kst",
        labels: &[
            Label::new("Hour", "시각"),
            Label::new("All requests", "모든 요청"),
            Label::new("GET requests", "GET 요청"),
            Label::new("PUT requests", "PUT 요청"),
            Label::new("DELETE requests", "DELETE 요청"),
            Label::new("HEAD requests", "HEAD 요청"),
            Label::new("POST requests", "POST 요청"),
            Label::new("SELECT requests", "SELECT 요청"),
            Label::new("LIST requests", "LIST 요청"),
            Label::bytes("SELECT: bytes scanned", "SELECT: 스캔된 바이트"),
            Label::bytes("SELECT: bytes returned", "SELECT: 반환된 바이트"),
            Label::bytes("Bytes downloaded", "다운로드된 바이트"),
            Label::bytes("Bytes uploaded", "업로드된 바이트"),
            Label::new("4xx errors", "4xx 오류"),
            Label::new("5xx errors", "5xx 오류"),
            Label::mean_ms("First byte latency", "첫 번째 바이트 지연 시간"),
            Label::mean_ms("Total request latency", "총 요청 지연 시간"),
        ],
        chart: Chart::Panels(Mark::HourLine),
    },
    Figure {
        id: "objects",
        log: Log::S3Access,
        title: Text::new("Most requested objects", "가장 많이 요청된 객체"),
        note: Text::new("GET requests for objects; the first five.", "객체 GET 요청 기준 상위 5개."),
        sql: "SELECT bucket, key, sum(bytes_sent) AS bytes, sum(requests) AS requests FROM top_objects \
              GROUP BY bucket, key ORDER BY requests DESC, bucket, key LIMIT 5",
        labels: &[BUCKET, OBJECT, Label::bytes("Sent", "전송량"), REQUESTS],
        chart: Chart::Bars { value: 3 },
    },
    Figure {
        id: "statuses",
        log: Log::S3Access,
        title: Text::new("Requests by status code", "응답 상태 코드별 요청 수"),
        note: Text::new("HTTP status of the response.", "응답의 HTTP 상태 코드."),
        sql: "SELECT CAST(http_status AS varchar) AS status, sum(requests) AS requests FROM status_codes \
              GROUP BY http_status ORDER BY http_status",
        labels: &[Label::new("Status", "상태 코드"), REQUESTS],
        chart: Chart::Bars { value: 1 },
    },
    Figure {
        id: "addresses",
        log: Log::S3Access,
        title: Text::new("Addresses that read objects", "객체에 접근한 IP 주소"),
        note: Text::new("The ten with most GET requests for objects.", "객체 GET 요청이 가장 많은 10개."),
        sql: "SELECT remote_ip, sum(requests) AS requests FROM access_ips GROUP BY remote_ip \
              ORDER BY requests DESC, remote_ip LIMIT 10",
        labels: &[IP, REQUESTS],
        chart: Chart::Bars { value: 1 },
    },
    Figure {
        id: "denied-addresses",
        log: Log::S3Access,
        title: Text::new("Denied addresses", "거부된 IP 주소"),
        note: Text::new("The ten with most answers 403.", "403 응답이 가장 많은 10개."),
        sql: "SELECT remote_ip, sum(requests) AS requests FROM denied_ips GROUP BY remote_ip \
              ORDER BY requests DESC, remote_ip LIMIT 10",
        labels: &[IP, REQUESTS],
        chart: Chart::Bars { value: 1 },
    },
    Figure {
        id: "denied-keys",
        log: Log::S3Access,
        title: Text::new("Denied objects", "거부된 객체"),
        note: Text::new("The ten keys with most answers 403.", "403 응답이 가장 많은 키 10개."),
        sql: "SELECT bucket, key, sum(requests) AS requests FROM denied_keys GROUP BY bucket, key \
              ORDER BY requests DESC, bucket, key LIMIT 10",
        labels: &[BUCKET, OBJECT, REQUESTS],
        chart: Chart::Bars { value: 2 },
    },
    Figure {
        id: "anonymous",
        log: Log::S3Access,
        title: Text::new("Anonymous requests", "익명 요청"),
        note: Text::new("The ten buckets and operations with most.", "가장 많은 버킷과 작업 10개."),
        sql: "SELECT bucket, operation, count(*) AS requests FROM anonymous_requests WHERE log = 's3_access' \
              GROUP BY bucket, operation ORDER BY requests DESC, bucket, operation LIMIT 10",
        labels: &[BUCKET, Label::new("Operation", "작업"), REQUESTS],
        chart: Chart::Bars { value: 2 },
    },
    Figure {
        id: "sigv2-access-logs",
        log: Log::S3Access,
        title: Text::new("Callers with signature version 2", "서명 버전 2 호출자"),
        note: Text::new(
            "From access logs. Signature version 2 is on its way out.",
            "액세스 로그 기준. 서명 버전 2는 지원이 종료되는 방식이다.",
        ),
        sql: "SELECT requester, source_ip, bucket, operation, user_agent, sum(requests) AS requests FROM sigv2_callers \
              WHERE log = 's3_access' GROUP BY requester, source_ip, bucket, operation, user_agent \
              ORDER BY requests DESC, requester, source_ip, bucket, operation, user_agent LIMIT 10",
        labels: &[
            Label::new("Requester", "요청자"),
            IP,
            BUCKET,
            Label::new("Operation", "작업"),
            Label::new("User agent", "사용자 에이전트"),
            REQUESTS,
        ],
        chart: Chart::Bars { value: 5 },
    },
];

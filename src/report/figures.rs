//! The figures of the report, in the order of the page.

use super::figure::{Chart, Figure, Label, Log, Mark};
use super::text::Text;

const DAY: Label = Label::new("Day", "날짜");
const REQUESTS: Label = Label::new("Requests", "요청 수");
const BUCKET: Label = Label::new("Bucket", "버킷");
const OBJECT: Label = Label::new("Object", "객체");
const IP: Label = Label::new("IP address", "IP 주소");
const SERVICE: Label = Label::new("Service", "서비스");

/// The figures: CloudTrail first, then S3 access logs, then load balancers.
pub const FIGURES: [Figure; 18] = [
    Figure {
        id: "months",
        log: Log::CloudTrail,
        title: Text::new("Users and events by month", "월별 사용자 수와 이벤트 수"),
        note: Text::new(
            "Covers the days of this report. A user is a principal that called an AWS service. Calls by AWS itself count as events only.",
            "이 보고서의 기간만 집계합니다. 사용자는 AWS 서비스를 호출한 보안 주체이며, AWS가 직접 호출한 이벤트는 이벤트 수에만 포함됩니다.",
        ),
        sql: "SELECT month, users, events FROM monthly_users ORDER BY month",
        labels: &[
            Label::new("Month", "월"),
            Label::new("Users", "사용자 수"),
            Label::new("Events", "이벤트 수"),
        ],
        chart: Chart::Panels(Mark::Column),
    },
    Figure {
        id: "service-users",
        log: Log::CloudTrail,
        title: Text::new("Users by service and day", "서비스별 일일 사용자 수"),
        note: Text::new("The 15 services with the most events.", "이벤트가 가장 많은 서비스 15개"),
        sql: "SELECT event_source, proc_ymd, users FROM daily_users_by_service \
              WHERE event_source IN (SELECT event_source FROM daily_users_by_service GROUP BY event_source \
              ORDER BY sum(events) DESC, event_source LIMIT 15) ORDER BY event_source, proc_ymd",
        labels: &[SERVICE, DAY, Label::new("Users", "사용자 수")],
        chart: Chart::Heat { value: 2 },
    },
    Figure {
        id: "service-events",
        log: Log::CloudTrail,
        title: Text::new("Events per user by service and day", "서비스별 사용자당 일일 이벤트 수"),
        note: Text::new("The 15 services with the most events.", "이벤트가 가장 많은 서비스 15개"),
        sql: "SELECT event_source, proc_ymd, events_per_user FROM daily_users_by_service \
              WHERE event_source IN (SELECT event_source FROM daily_users_by_service GROUP BY event_source \
              ORDER BY sum(events) DESC, event_source LIMIT 15) ORDER BY event_source, proc_ymd",
        labels: &[SERVICE, DAY, Label::mean("Events per user", "사용자당 이벤트 수")],
        chart: Chart::Heat { value: 2 },
    },
    Figure {
        id: "denied-principals",
        log: Log::CloudTrail,
        title: Text::new("Denied calls by principal", "보안 주체별 거부된 호출"),
        note: Text::new(
            "The 10 combinations of principal, service and action with the most calls denied by IAM.",
            "IAM이 거부한 호출이 가장 많은 보안 주체·서비스·작업 조합 10개",
        ),
        sql: "SELECT principal, event_source, event_name, sum(requests) AS requests FROM access_denied_by_principal \
              GROUP BY principal, event_source, event_name ORDER BY requests DESC, principal, event_source, event_name LIMIT 10",
        labels: &[Label::new("Principal", "보안 주체"), SERVICE, Label::new("Action", "작업"), REQUESTS],
        chart: Chart::Bars { value: 3 },
    },
    Figure {
        id: "console-logins",
        log: Log::CloudTrail,
        title: Text::new("Console logins", "콘솔 로그인"),
        note: Text::new(
            "The 10 combinations of user, MFA and result with the most logins.",
            "로그인이 가장 많은 사용자·MFA·결과 조합 10개",
        ),
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
        title: Text::new("Callers that use Signature Version 2", "서명 버전 2 호출자"),
        note: Text::new(
            "From CloudTrail data events. AWS is phasing out Signature Version 2.",
            "CloudTrail 데이터 이벤트 기준입니다. AWS는 서명 버전 2의 지원을 단계적으로 종료하고 있습니다.",
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
        title: Text::new("S3 request metrics by hour", "시간대별 S3 요청 지표"),
        note: Text::new(
            "The 16 request metrics of S3, computed from the logs, by hour in KST. AWS delivers the logs on a best-effort basis, and \
             they do not contain the bytes scanned by SELECT. Uploads are the sizes of the objects put. Latencies are means.",
            "S3의 요청 지표 16개를 로그에서 계산한 값입니다(KST 기준). 로그는 최선 노력(best-effort) 방식으로 전달되며, SELECT가 스캔한 \
             바이트는 로그에 기록되지 않습니다. 업로드 바이트는 저장된 객체의 크기이고, 지연 시간은 평균값입니다.",
        ),
        // Means per bucket cannot be combined, so the hourly means come from the table, over the same requests.
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
            Label::new("All requests", "전체 요청"),
            Label::new("GET requests", "GET 요청"),
            Label::new("PUT requests", "PUT 요청"),
            Label::new("DELETE requests", "DELETE 요청"),
            Label::new("HEAD requests", "HEAD 요청"),
            Label::new("POST requests", "POST 요청"),
            Label::new("SELECT requests", "SELECT 요청"),
            Label::new("LIST requests", "LIST 요청"),
            Label::bytes("SELECT bytes scanned", "SELECT 스캔 바이트"),
            Label::bytes("SELECT bytes returned", "SELECT 반환 바이트"),
            Label::bytes("Bytes downloaded", "다운로드 바이트"),
            Label::bytes("Bytes uploaded", "업로드 바이트"),
            Label::new("4xx errors", "4xx 오류"),
            Label::new("5xx errors", "5xx 오류"),
            Label::mean_ms("First byte latency", "첫 바이트 지연 시간"),
            Label::mean_ms("Total request latency", "전체 요청 지연 시간"),
        ],
        chart: Chart::Panels(Mark::HourLine),
    },
    Figure {
        id: "objects",
        log: Log::S3Access,
        title: Text::new("Most requested objects", "가장 많이 요청된 객체"),
        note: Text::new("The 5 objects with the most GET requests.", "GET 요청이 가장 많은 객체 5개"),
        sql: "SELECT bucket, key, sum(bytes_sent) AS bytes, sum(requests) AS requests FROM top_objects \
              GROUP BY bucket, key ORDER BY requests DESC, bucket, key LIMIT 5",
        labels: &[BUCKET, OBJECT, Label::bytes("Bytes sent", "전송 바이트"), REQUESTS],
        chart: Chart::Bars { value: 3 },
    },
    Figure {
        id: "statuses",
        log: Log::S3Access,
        title: Text::new("Requests by status code", "상태 코드별 요청 수"),
        note: Text::new("HTTP status codes of the responses.", "응답의 HTTP 상태 코드 기준"),
        sql: "SELECT CAST(http_status AS varchar) AS status, sum(requests) AS requests FROM status_codes \
              GROUP BY http_status ORDER BY http_status",
        labels: &[Label::new("Status code", "상태 코드"), REQUESTS],
        chart: Chart::Bars { value: 1 },
    },
    Figure {
        id: "addresses",
        log: Log::S3Access,
        title: Text::new("IP addresses that read objects", "객체를 읽은 IP 주소"),
        note: Text::new(
            "The 10 IP addresses with the most GET requests for objects.",
            "객체 GET 요청이 가장 많은 IP 주소 10개",
        ),
        sql: "SELECT remote_ip, sum(requests) AS requests FROM access_ips GROUP BY remote_ip \
              ORDER BY requests DESC, remote_ip LIMIT 10",
        labels: &[IP, REQUESTS],
        chart: Chart::Bars { value: 1 },
    },
    Figure {
        id: "denied-addresses",
        log: Log::S3Access,
        title: Text::new("Denied IP addresses", "접근이 거부된 IP 주소"),
        note: Text::new(
            "The 10 IP addresses with the most 403 responses.",
            "403 응답이 가장 많은 IP 주소 10개",
        ),
        sql: "SELECT remote_ip, sum(requests) AS requests FROM denied_ips GROUP BY remote_ip \
              ORDER BY requests DESC, remote_ip LIMIT 10",
        labels: &[IP, REQUESTS],
        chart: Chart::Bars { value: 1 },
    },
    Figure {
        id: "denied-keys",
        log: Log::S3Access,
        title: Text::new("Denied objects", "접근이 거부된 객체"),
        note: Text::new("The 10 keys with the most 403 responses.", "403 응답이 가장 많은 객체 키 10개"),
        sql: "SELECT bucket, key, sum(requests) AS requests FROM denied_keys GROUP BY bucket, key \
              ORDER BY requests DESC, bucket, key LIMIT 10",
        labels: &[BUCKET, OBJECT, REQUESTS],
        chart: Chart::Bars { value: 2 },
    },
    Figure {
        id: "anonymous",
        log: Log::S3Access,
        title: Text::new("Anonymous requests", "익명 요청"),
        note: Text::new(
            "The 10 combinations of bucket and operation with the most anonymous requests.",
            "익명 요청이 가장 많은 버킷·작업 조합 10개",
        ),
        sql: "SELECT bucket, operation, count(*) AS requests FROM anonymous_requests WHERE log = 's3_access' \
              GROUP BY bucket, operation ORDER BY requests DESC, bucket, operation LIMIT 10",
        labels: &[BUCKET, Label::new("Operation", "작업"), REQUESTS],
        chart: Chart::Bars { value: 2 },
    },
    Figure {
        id: "sigv2-access-logs",
        log: Log::S3Access,
        title: Text::new("Callers that use Signature Version 2", "서명 버전 2 호출자"),
        note: Text::new(
            "From S3 server access logs. AWS is phasing out Signature Version 2.",
            "S3 서버 액세스 로그 기준입니다. AWS는 서명 버전 2의 지원을 단계적으로 종료하고 있습니다.",
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
    Figure {
        id: "balancer-hours",
        log: Log::AlbAccess,
        title: Text::new("Requests to load balancers by hour", "시간대별 로드 밸런서 요청"),
        note: Text::new(
            "By hour in KST, over all load balancers. The latency is the mean time until the targets began to respond.",
            "모든 로드 밸런서를 합친 값입니다(KST 기준). 지연 시간은 대상이 응답하기 시작할 때까지 걸린 평균 시간입니다.",
        ),
        // The log has milliseconds. The mean of integers does not depend on the order of the rows.
        sql: "SELECT date_trunc('hour', event_time_kst) AS hour_kst, count(*) AS requests, \
              count_if(elb_status_code BETWEEN 400 AND 499) AS errors_4xx, count_if(elb_status_code >= 500) AS errors_5xx, \
              sum(received_bytes) AS received, sum(sent_bytes) AS sent, \
              avg(CASE WHEN target_processing_time >= 0 THEN CAST(round(target_processing_time * 1000) AS bigint) END) AS latency \
              FROM alb_access GROUP BY 1 ORDER BY 1",
        labels: &[
            Label::new("Hour", "시각"),
            Label::new("All requests", "전체 요청"),
            Label::new("4xx errors", "4xx 오류"),
            Label::new("5xx errors", "5xx 오류"),
            Label::bytes("Bytes received", "수신 바이트"),
            Label::bytes("Bytes sent", "전송 바이트"),
            Label::mean_ms("Target latency", "대상 지연 시간"),
        ],
        chart: Chart::Panels(Mark::HourLine),
    },
    Figure {
        id: "balancer-errors",
        log: Log::AlbAccess,
        title: Text::new("Errors by status code", "상태 코드별 오류"),
        note: Text::new(
            "Responses of load balancers with a status code of 400 or more, and how many of them no target sent.",
            "상태 코드가 400 이상인 로드 밸런서 응답 수와 그중 대상이 보내지 않은 응답 수",
        ),
        sql: "SELECT CAST(elb_status_code AS varchar) AS status, count_if(target_status_code IS NULL) AS without_target, \
              count(*) AS requests FROM alb_access WHERE elb_status_code >= 400 GROUP BY elb_status_code ORDER BY elb_status_code",
        labels: &[
            Label::new("Status code", "상태 코드"),
            Label::new("Not from a target", "대상이 보내지 않음"),
            REQUESTS,
        ],
        chart: Chart::Bars { value: 2 },
    },
    Figure {
        id: "slow-targets",
        log: Log::AlbAccess,
        title: Text::new("Slowest targets", "가장 느린 대상"),
        note: Text::new(
            "The 10 targets with the longest mean time until they began to respond.",
            "응답하기 시작할 때까지의 평균 시간이 가장 긴 대상 10개",
        ),
        sql: "SELECT elb, target_ip, count(*) AS requests, max(ms) AS longest, avg(ms) AS mean FROM \
              (SELECT elb, target_ip, CAST(round(target_processing_time * 1000) AS bigint) AS ms FROM alb_access \
              WHERE target_ip IS NOT NULL AND target_processing_time >= 0) AS answered \
              GROUP BY elb, target_ip ORDER BY mean DESC, elb, target_ip LIMIT 10",
        labels: &[
            Label::new("Load balancer", "로드 밸런서"),
            Label::new("Target", "대상"),
            REQUESTS,
            Label::mean_ms("Longest time in ms", "최장 시간(ms)"),
            Label::mean_ms("Mean time in ms", "평균 시간(ms)"),
        ],
        chart: Chart::Bars { value: 4 },
    },
    Figure {
        id: "balancer-clients",
        log: Log::AlbAccess,
        title: Text::new("Busiest clients", "요청이 가장 많은 클라이언트"),
        note: Text::new("The 10 IP addresses with the most requests.", "요청이 가장 많은 IP 주소 10개"),
        sql: "SELECT client_ip, count_if(elb_status_code >= 400) AS errors, sum(sent_bytes) AS sent, count(*) AS requests \
              FROM alb_access GROUP BY client_ip ORDER BY requests DESC, client_ip LIMIT 10",
        labels: &[IP, Label::new("Errors", "오류"), Label::bytes("Bytes sent", "전송 바이트"), REQUESTS],
        chart: Chart::Bars { value: 3 },
    },
];

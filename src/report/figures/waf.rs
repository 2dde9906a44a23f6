//! Figures of AWS WAF.

use super::labels::{COUNTRY, IP, PATH, REQUESTS};
use crate::report::figure::{Chart, Figure, Label};
use crate::report::log::WAF_REQUESTS;
use crate::report::text::Text;

const WEB_ACL: Label = Label::new("Web ACL", "웹 ACL");
const RULE: Label = Label::new("Rule", "규칙");
const BLOCKED: Label = Label::new("Blocked", "차단");

pub(super) const FIGURES: &[Figure] = &[
    Figure {
        id: "waf-rules",
        view: &WAF_REQUESTS,
        title: Text::new("Rules that stopped requests", "요청을 막은 규칙"),
        note: Text::new(
            "Requests that were not allowed, by web ACL, rule and action.",
            "허용되지 않은 요청을 웹 ACL·규칙·조치별로 집계했습니다.",
        ),
        sql: "SELECT web_acl, rule, action, count(DISTINCT client_ip) AS addresses, count(*) AS requests
FROM waf_requests
WHERE {days} AND action <> 'ALLOW'
GROUP BY 1, 2, 3",
        order: "requests DESC, web_acl, rule, action",
        limit: 15,
        labels: &[
            WEB_ACL,
            RULE,
            Label::new("Action", "조치"),
            Label::new("IP addresses", "IP 주소 수"),
            REQUESTS,
        ],
        chart: Chart::Bars { value: 4 },
    },
    Figure {
        id: "waf-clients",
        view: &WAF_REQUESTS,
        title: Text::new("Most blocked IP addresses", "가장 많이 차단된 IP 주소"),
        note: Text::new(
            "IP addresses by their number of blocked requests, next to all their requests.",
            "차단된 요청이 많은 IP 주소 순서이며, 전체 요청 수를 함께 표시합니다.",
        ),
        sql: "SELECT client_ip, country, count(*) AS requests, count_if(action = 'BLOCK') AS blocked
FROM waf_requests
WHERE {days}
GROUP BY 1, 2
HAVING count_if(action = 'BLOCK') > 0",
        order: "blocked DESC, client_ip, country",
        limit: 10,
        labels: &[IP, COUNTRY, REQUESTS, BLOCKED],
        chart: Chart::Bars { value: 3 },
    },
    Figure {
        id: "waf-countries",
        view: &WAF_REQUESTS,
        title: Text::new("Countries", "국가별 요청"),
        note: Text::new(
            "Requests by the country of the IP address. A dash stands for an unknown country.",
            "IP 주소의 국가별 요청 수입니다. –는 알 수 없는 국가입니다.",
        ),
        sql: "SELECT country, count_if(action = 'BLOCK') AS blocked, count(*) AS requests
FROM waf_requests
WHERE {days}
GROUP BY 1",
        order: "requests DESC, country",
        limit: 10,
        labels: &[COUNTRY, BLOCKED, REQUESTS],
        chart: Chart::Bars { value: 2 },
    },
    Figure {
        id: "waf-paths",
        view: &WAF_REQUESTS,
        title: Text::new("Most blocked paths", "가장 많이 차단된 경로"),
        note: Text::new(
            "Hosts and paths by their number of blocked requests.",
            "차단된 요청이 많은 호스트·경로 순서입니다.",
        ),
        sql: "SELECT host, path, count(*) AS blocked
FROM waf_requests
WHERE {days} AND action = 'BLOCK'
GROUP BY 1, 2",
        order: "blocked DESC, host, path",
        limit: 10,
        labels: &[Label::new("Host", "호스트"), PATH, BLOCKED],
        chart: Chart::Bars { value: 2 },
    },
];

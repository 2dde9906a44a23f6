//! The fields of CloudFront standard logs, in the order of AWS's page.
//!
//! Source: AWS, "Standard logging reference" and "Configure standard logging (v2)". Fields were added over time: a line of
//! 2011 has 12, one of 2019 has 33.

use super::keys;
use crate::dataset::headed_fields::{EventTime, Field, Grammar, LineRole, Reason, clock, date, number, text};
use crate::dataset::text_fields::{bigint, double, int, text as texts};
use crate::table::Identifier;

/// The table of fields.
pub(super) static GRAMMAR: Grammar<45> = Grammar {
    fields: &FIELDS,
    separator: b'\t',
    has_empty_values: true,
    has_json: true,
    role,
    foreign,
    is_own,
    default_fields: &OF_VERSION_1,
    default_counts: &[12, 15, 18, 19, 24, 26, 33, 34, 35],
    is_default_open: true,
    event_time: &[
        EventTime::Millis("timestamp(ms)"),
        EventTime::DateAndClock("date", "time"),
        EventTime::Seconds("timestamp"),
    ],
    event_time_meaning: "When the edge location finished its response, UTC, in milliseconds if they are logged",
    cluster: ["x_host_header", "x_edge_result_type"],
    id: Some("x_edge_request_id"),
    of_name: ("distribution_id", keys::distribution),
};

#[rustfmt::skip]
static FIELDS: [Field; 45] = [
    date("date"),
    clock("time"),
    text("x-edge-location", texts("x_edge_location", "Edge location that served the request, such as ICN57-P1")),
    number("sc-bytes", bigint("sc_bytes", "Bytes of the response, with its headers")),
    text("c-ip", texts("c_ip", "Address of the viewer, or of its proxy").searched()),
    text("cs-method", texts("cs_method", "Method of the request")),
    text("cs(Host)", texts("cs_host", "Domain name of the distribution")),
    text("cs-uri-stem", texts("cs_uri_stem", "Path of the URL, URL-encoded as logged").searched()),
    number("sc-status", int("sc_status", "HTTP status of the response; 0 if the viewer closed the connection first")),
    text("cs(Referer)", texts("cs_referer", "Referer header, URL-encoded as logged")),
    text("cs(User-Agent)", texts("cs_user_agent", "User-Agent header, URL-encoded as logged")),
    text("cs-uri-query", texts("cs_uri_query", "Query string of the URL, as logged")),
    text("cs(Cookie)", texts("cs_cookie", "Cookie header, if the distribution logs cookies")),
    text("x-edge-result-type", texts("x_edge_result_type", "Result after the last byte: Hit, RefreshHit, Miss, Error and others")),
    text("x-edge-request-id", texts("x_edge_request_id", "Id of the request").unique().identifies(Identifier::REQUEST)),
    text("x-host-header", texts("x_host_header", "Host header of the viewer")),
    text("cs-protocol", texts("cs_protocol", "Protocol of the request: http, https, ws, wss, grpcs")),
    number("cs-bytes", bigint("cs_bytes", "Bytes of the request, with its headers")),
    number("time-taken", double("time_taken", "Seconds from the request's receipt until the last byte of the response")),
    text("x-forwarded-for", texts("x_forwarded_for", "X-Forwarded-For header")),
    text("ssl-protocol", texts("ssl_protocol", "TLS version; NULL for HTTP")),
    text("ssl-cipher", texts("ssl_cipher", "TLS cipher; NULL for HTTP")),
    text("x-edge-response-result-type", texts("x_edge_response_result_type", "Result just before the response was returned")),
    text("cs-protocol-version", texts("cs_protocol_version", "HTTP version of the request")),
    text("fle-status", texts("fle_status", "Status of field-level encryption")),
    number("fle-encrypted-fields", int("fle_encrypted_fields", "Number of fields that field-level encryption encrypted")),
    number("c-port", int("c_port", "Port of the viewer")),
    number("time-to-first-byte", double("time_to_first_byte", "Seconds until the first byte of the response was written")),
    text("x-edge-detailed-result-type", texts("x_edge_detailed_result_type", "Result in detail, such as OriginDnsError")),
    text("sc-content-type", texts("sc_content_type", "Content-Type header of the response")),
    number("sc-content-len", bigint("sc_content_len", "Content-Length header of the response")),
    number("sc-range-start", bigint("sc_range_start", "Start of the range, if the response has a Content-Range header")),
    number("sc-range-end", bigint("sc_range_end", "End of this range")),
    text("distribution-tenant-id", texts("distribution_tenant_id", "Id of the distribution tenant")),
    text("connection-id", texts("connection_id", "Id of the TLS connection").searched()),
    number("timestamp(ms)", bigint("timestamp_ms", "When the response was finished, in milliseconds since 1970-01-01")),
    number("timestamp", bigint("timestamp_s", "When the response was finished, in seconds since 1970-01-01")),
    number("origin-fbl", double("origin_fbl", "Seconds until the first byte of the origin's response")),
    number("origin-lbl", double("origin_lbl", "Seconds until the last byte of the origin's response")),
    number("asn", bigint("asn", "Autonomous system number of the viewer")),
    text("c-country", texts("c_country", "Country of the viewer, two letters")),
    text("cache-behavior-path-pattern", texts("cache_behavior_path_pattern", "Path pattern of the cache behaviour")),
    text("viewer-request-log-data", texts("viewer_request_log_data", "Text that a function logged for the viewer's request, URL-encoded")),
    text("viewer-response-log-data", texts("viewer_response_log_data", "Text that a function logged for the response, URL-encoded")),
    text("DistributionId", texts("distribution_id", "Id of the distribution, from the record or the name of the object")),
];

/// The fields of version 1, in their order.
#[rustfmt::skip]
static OF_VERSION_1: [&str; 35] = [
    "date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status", "cs(Referer)",
    "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id", "x-host-header", "cs-protocol",
    "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher", "x-edge-response-result-type",
    "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port", "time-to-first-byte",
    "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start", "sc-range-end",
    "distribution-tenant-id", "connection-id",
];

/// Directives begin with `#`. CloudFront encodes it in the texts of clients, and no method of HTTP holds the colon.
fn role(line: &str) -> LineRole<'_> {
    let Some((directive, rest)) = line.strip_prefix('#').and_then(|line| line.split_once(':')) else {
        return LineRole::Record;
    };
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    if directive == "Fields" {
        // Some tools separate the names with tabs or invisible spaces.
        let is_between = |character: char| character.is_whitespace() || character == '\u{200b}';
        LineRole::Header(rest.split(is_between).filter(|name| !name.is_empty()).collect())
    } else if is_word(directive) && !rest.contains('\t') {
        LineRole::Note
    } else {
        LineRole::Record
    }
}

/// The logs of streaming distributions, until 2020, have events of a player.
fn foreign(names: &[&str]) -> Option<Reason> {
    names.contains(&"x-event").then_some(Reason {
        name: "rtmp",
        sentence: "the header is that of a streaming (RTMP) distribution, whose log has other rows",
    })
}

/// Names that no other log in this form has.
fn is_own(names: &[&str]) -> bool {
    const OWN: [&str; 6] = [
        "timestamp(ms)",
        "DistributionId",
        "distribution-tenant-id",
        "cache-behavior-path-pattern",
        "viewer-request-log-data",
        "viewer-response-log-data",
    ];
    let is_own = |name: &&str| name.starts_with("x-edge-") || OWN.contains(name);
    foreign(names).is_none() && names.iter().any(is_own)
}

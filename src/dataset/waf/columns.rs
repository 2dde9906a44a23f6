//! The columns of AWS WAF.
//!
//! Lists of rules have a structure of their own in each record, so they are JSON. Names come from the keys of a record in
//! `snake_case`. Source: AWS, "Log fields for protection pack (web ACL) traffic".

use crate::dataset::json_fields::{json_columns as c, json_schema};
use crate::table::Promotion;
use crate::table::column::ColumnType::{BigInt, Int, Json, Text, TextList, Timestamp};
use crate::table::column::{Column, Identifier, Naming, Origin, TableSchema};

/// Every column of a record, in order.
#[rustfmt::skip]
static COLUMNS: [Column; 44] = [
    c!("event_time", Timestamp, "timestamp", "When the request was inspected, UTC"),
    Column::new("event_time_kst", Timestamp, Origin::EventTimeKst, "When the request was inspected, Korean wall clock"),
    c!("format_version", Int, "formatVersion", "Version of the log format"),
    c!("webacl_id", Text, "webaclId", "ARN of the web ACL; an id in records of WAF Classic"),
    c!("terminating_rule_id", Text, "terminatingRuleId", "Rule that ended the inspection, or Default_Action"),
    c!("terminating_rule_type", Text, "terminatingRuleType", "Kind of that rule: REGULAR, RATE_BASED, GROUP, MANAGED_RULE_GROUP"),
    c!("action", Text, "action", "What happened to the request: ALLOW, BLOCK, CAPTCHA, CHALLENGE"),
    c!("http_source_name", Text, "httpSourceName", "Kind of the protected resource: ALB, CF, APIGW, APPSYNC, ..."),
    c!("http_source_id", Text, "httpSourceId", "Protected resource"),
    c!("response_code_sent", Int, "responseCodeSent", "HTTP status of a custom response"),
    c!("http_request_client_ip", Text, "httpRequest.clientIp", "Address of the client").searched(),
    c!("http_request_country", Text, "httpRequest.country", "Country of the address; - if unknown"),
    c!("http_request_uri", Text, "httpRequest.uri", "Path of the request"),
    c!("http_request_args", Text, "httpRequest.args", "Query string of the request"),
    c!("http_request_http_version", Text, "httpRequest.httpVersion", "Protocol, such as HTTP/2.0"),
    c!("http_request_http_method", Text, "httpRequest.httpMethod", "Method of the request"),
    c!("http_request_request_id", Text, "httpRequest.requestId", "Id that the protected resource gave the request; the trace id of a load balancer").identifies(Identifier::REQUEST),
    c!("http_request_fragment", Text, "httpRequest.fragment", "Fragment of the URL"),
    c!("http_request_scheme", Text, "httpRequest.scheme", "Scheme of the URL"),
    c!("http_request_host", Text, "httpRequest.host", "Host of the request"),
    c!("header_host", Text, "httpRequest.headers[host]", "First Host header"),
    c!("header_user_agent", Text, "httpRequest.headers[user-agent]", "First User-Agent header"),
    c!("header_referer", Text, "httpRequest.headers[referer]", "First Referer header"),
    c!("http_request_headers", Json, "httpRequest.headers", "Headers of the request, as JSON"),
    c!("labels", TextList, "labels[].name", "Labels that rules gave the request"),
    c!("oversize_fields", TextList, "oversizeFields", "Parts of the request that were too large to be inspected as a whole"),
    c!("terminating_rule_match_details", Json, "terminatingRuleMatchDetails", "Matches of the rule that ended the inspection, as JSON"),
    c!("rule_group_list", Json, "ruleGroupList", "Rule groups that inspected the request, as JSON"),
    c!("rate_based_rule_list", Json, "rateBasedRuleList", "Rate-based rules that inspected the request, as JSON"),
    c!("non_terminating_matching_rules", Json, "nonTerminatingMatchingRules", "Rules that matched and did not end the inspection, as JSON"),
    c!("request_headers_inserted", Json, "requestHeadersInserted", "Headers that rules added to the request, as JSON"),
    c!("captcha_response", Json, "captchaResponse", "Status of the CAPTCHA, as JSON"),
    c!("challenge_response", Json, "challengeResponse", "Status of the browser challenge, as JSON"),
    c!("monetize_verify_response", Json, "monetizeVerifyResponse", "Status of a payment, as JSON"),
    c!("ja3_fingerprint", Text, "ja3Fingerprint", "JA3 fingerprint of the TLS handshake").searched(),
    c!("ja4_fingerprint", Text, "ja4Fingerprint", "JA4 fingerprint of the TLS handshake").searched(),
    c!("request_body_size", BigInt, "requestBodySize", "Bytes of the request body"),
    c!("request_body_size_inspected_by_waf", BigInt, "requestBodySizeInspectedByWAF", "Bytes of the request body that were inspected"),
    c!("client_asn", BigInt, "clientAsn", "Autonomous system of the client"),
    c!("forwarded_asn", BigInt, "forwardedAsn", "Autonomous system of the forwarded address"),
    c!("cf_distribution_tenant_id", Text, "cfDistributionTenantId", "Tenant of the CloudFront distribution"),
    Column::new("extra", Json, Origin::Decoder, "Fields without a column of their own and values of an unexpected type, by JSON path"),
    Column::new("source_object", Text, Origin::SourceObject, "Raw object that the record was read from"),
    Column::new("source_record", BigInt, Origin::SourceRecord, "Number of the line in the raw object, from 1"),
];

/// Returns the schema of the table.
pub(super) fn schema(naming: Naming, promoted: &[Promotion]) -> TableSchema {
    json_schema(&COLUMNS, &[], promoted, ("event_time", &["action", "terminating_rule_id"]), naming)
}

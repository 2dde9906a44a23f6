//! The fields of ALB access logs, in the order of a line.
//!
//! Source: AWS, "Access logs for your Application Load Balancer". Fields were added over time: a line of 2016 has 17.

use crate::dataset::elb_keys;
use crate::dataset::text_fields::{
    Field, Grammar, Kind, Quoting, bare, bigint, double, either, int, list, quoted, quoted_or_dash, text,
    time,
};
use crate::table::Identifier;

/// The table of fields.
pub(super) static GRAMMAR: Grammar<34> = Grammar {
    fields: &FIELDS,
    quoting: Quoting::Quotes,
    oldest: 17,
    cluster: ["elb", "elb_status_code"],
    is_note: elb_keys::is_note,
};

#[rustfmt::skip]
static FIELDS: [Field; 34] = [
    bare(Kind::Text(text("type", "Type of request or connection: http, https, h2, grpcs, ws or wss"))),
    bare(Kind::EventTime(time("event_time", "When the response was sent, or the WebSocket connection closed, UTC"))),
    bare(Kind::Text(text("elb", "Load balancer: app/name/id"))),
    bare(Kind::AddressPort([
        text("client_ip", "Address of the client").searched(),
        int("client_port", "Port of the client"),
    ])),
    bare(Kind::AddressPort([
        text("target_ip", "Address of the target; NULL if the request reached no target, or a Lambda function"),
        int("target_port", "Port of the target"),
    ])),
    bare(Kind::Double(double("request_processing_time", "Seconds from the request's receipt until it was sent to a target; -1 if it was not"))),
    bare(Kind::Double(double("target_processing_time", "Seconds until the target began to respond; -1 if it did not"))),
    bare(Kind::Double(double("response_processing_time", "Seconds from the target's response until it was sent to the client; -1 if it was not"))),
    bare(Kind::Status(int("elb_status_code", "HTTP status of the load balancer's response; 0 where the log has 000"))),
    bare(Kind::Status(int("target_status_code", "HTTP status of the target's response; NULL if it sent none"))),
    bare(Kind::Integer(bigint("received_bytes", "Bytes of the request"))),
    bare(Kind::Integer(bigint("sent_bytes", "Bytes of the response"))),
    quoted(Kind::Request([
        text("request", "Request line as logged: method, URL and protocol"),
        text("request_method", "Method of the request; NULL if the request cannot be parsed"),
        text("request_url", "URL of the request, with scheme, host and port"),
        text("request_protocol", "Protocol of the request, such as HTTP/1.1"),
    ])).of_client(),
    quoted(Kind::Text(text("user_agent", "User-Agent header, cut at 8 KB"))).of_client(),
    bare(Kind::Text(text("ssl_cipher", "TLS cipher; NULL for HTTP"))),
    bare(Kind::Text(text("ssl_protocol", "TLS version; NULL for HTTP"))),
    bare(Kind::Text(text("target_group_arn", "ARN of the target group"))),
    quoted_or_dash(Kind::Text(text("trace_id", "X-Amzn-Trace-Id header. A client can send its own, so requests can share it").identifies(Identifier::REQUEST))).of_client(),
    quoted_or_dash(Kind::Text(text("domain_name", "Domain name that the client gave in the TLS handshake"))).of_client(),
    quoted_or_dash(Kind::Text(text("chosen_cert_arn", "ARN of the certificate, or session-reused"))),
    bare(Kind::Integer(int("matched_rule_priority", "Priority of the matched rule; 0 for the default rule, -1 for an error"))),
    bare(Kind::Time(time("request_creation_time", "When the request was received, UTC"))),
    quoted_or_dash(Kind::List(list("actions_executed", "Actions that were taken, such as waf and forward"))),
    quoted_or_dash(Kind::Text(text("redirect_url", "URL of a redirect"))).of_client(),
    quoted_or_dash(Kind::Text(text("error_reason", "Error reason code, if the action failed"))),
    // Documentation of 2019 to 2021 prints both lists without quotes.
    either(Kind::Text(text("target_port_list", "Targets that processed the request, as address:port"))),
    either(Kind::Text(text("target_status_code_list", "HTTP statuses of these targets"))),
    quoted_or_dash(Kind::Text(text("classification", "Desync classification: Acceptable, Ambiguous or Severe; NULL if compliant"))),
    quoted_or_dash(Kind::Text(text("classification_reason", "Reason of the classification"))),
    bare(Kind::Text(text("conn_trace_id", "Id of the connection, the same as in the connection log").searched())),
    quoted_or_dash(Kind::Text(text("transformed_host", "Host header after a transform"))).of_client(),
    quoted_or_dash(Kind::Text(text("transformed_uri", "URI after a transform"))).of_client(),
    quoted_or_dash(Kind::Text(text("request_transform_status", "Status of the transform"))),
    either(Kind::Text(text("ip_address", "Address of the load balancer's node"))),
];

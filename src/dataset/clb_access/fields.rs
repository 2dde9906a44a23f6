//! The fields of access logs of Classic Load Balancers, in the order of a line.
//!
//! Source: AWS, "Access logs for your Classic Load Balancer". A line of 2014 has 12 fields. No page of AWS says how quotes in the
//! texts of clients are written. Lines that users have published have a backslash before them.

use crate::dataset::elb_keys;
use crate::dataset::text_fields::{
    Field, Grammar, Kind, Quoting, bare, bigint, double, int, quoted, text, time,
};

/// The table of fields.
pub(super) static GRAMMAR: Grammar<15> = Grammar {
    fields: &FIELDS,
    quoting: Quoting::QuotesAndBackslashes,
    oldest: 12,
    cluster: ["elb", "elb_status_code"],
    is_note: elb_keys::is_note,
};

#[rustfmt::skip]
static FIELDS: [Field; 15] = [
    bare(Kind::EventTime(time("event_time", "When the load balancer received the request, UTC"))),
    bare(Kind::Text(text("elb", "Name of the load balancer"))),
    bare(Kind::AddressPort([
        text("client_ip", "Address of the client").searched(),
        int("client_port", "Port of the client"),
    ])),
    bare(Kind::AddressPort([
        text("backend_ip", "Address of the instance; NULL if the request reached none"),
        int("backend_port", "Port of the instance"),
    ])),
    bare(Kind::Double(double("request_processing_time", "Seconds from the request's receipt until it was sent to an instance; -1 if it was not"))),
    bare(Kind::Double(double("backend_processing_time", "Seconds until the instance began to respond; -1 if it did not"))),
    bare(Kind::Double(double("response_processing_time", "Seconds from the instance's response until it was sent to the client; -1 if it was not"))),
    bare(Kind::Status(int("elb_status_code", "HTTP status of the load balancer's response; NULL for a TCP listener"))),
    // A line can have 0.
    bare(Kind::Integer(int("backend_status_code", "HTTP status of the instance's response; NULL if it sent none, and for a TCP listener"))),
    bare(Kind::Integer(bigint("received_bytes", "Bytes of the request, or from the client of a TCP listener"))),
    bare(Kind::Integer(bigint("sent_bytes", "Bytes of the response, or to the client of a TCP listener"))),
    quoted(Kind::Request([
        text("request", "Request line as logged: method, URL and protocol; NULL for a TCP listener"),
        text("request_method", "Method of the request; NULL if the request cannot be parsed"),
        text("request_url", "URL of the request, with scheme, host and port"),
        text("request_protocol", "Protocol of the request, such as HTTP/1.1"),
    ])).of_client(),
    quoted(Kind::Text(text("user_agent", "User-Agent header; NULL in lines from before May 2015"))).of_client(),
    bare(Kind::Tls(text("ssl_cipher", "TLS cipher; NULL for a listener without TLS"))),
    bare(Kind::Tls(text("ssl_protocol", "TLS version; NULL for a listener without TLS"))),
];

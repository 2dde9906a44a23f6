//! The fields of ALB connection logs, in the order of a line.
//!
//! Source: AWS, "Connection logs for your Application Load Balancer". The first lines, of 2023, may lack the id of the
//! connection.

use crate::dataset::elb_keys;
use crate::dataset::text_fields::{
    Field, Grammar, Kind, Quoting, bare, double, either, int, quoted_or_dash, text, time,
};
use crate::table::Identifier;

/// The table of fields.
pub(super) static GRAMMAR: Grammar<15> = Grammar {
    fields: &FIELDS,
    quoting: Quoting::Quotes,
    oldest: 11,
    cluster: ["elb", "tls_verify_status"],
    is_note: elb_keys::is_note,
};

#[rustfmt::skip]
static FIELDS: [Field; 15] = [
    bare(Kind::EventTime(time("event_time", "When the client tried to connect, UTC"))),
    bare(Kind::Text(text("client_ip", "Address of the client").searched())),
    bare(Kind::Integer(int("client_port", "Port of the client"))),
    bare(Kind::Integer(int("listener_port", "Port of the listener"))),
    bare(Kind::Text(text("tls_protocol", "TLS version; NULL for a connection without TLS"))),
    bare(Kind::Text(text("tls_cipher", "TLS cipher; NULL for a connection without TLS"))),
    bare(Kind::Double(double("tls_handshake_latency", "Seconds of a successful handshake; NULL if none succeeded"))),
    quoted_or_dash(Kind::Text(text("leaf_client_cert_subject", "Subject of the client's certificate, which the client chooses"))).of_client(),
    bare(Kind::Validity([
        text("leaf_client_cert_validity", "Validity of the client's certificate, as logged"),
        time("leaf_client_cert_not_before", "Start of this validity, UTC"),
        time("leaf_client_cert_not_after", "End of this validity, UTC"),
    ])),
    bare(Kind::Text(text("leaf_client_cert_serial_number", "Serial number of the client's certificate").searched())),
    bare(Kind::Text(text("tls_verify_status", "Result of the verification of the client: Success or Failed:code; NULL without mutual TLS"))),
    bare(Kind::Text(text("conn_trace_id", "Id of the connection, the same as in the access log").identifies(Identifier::REQUEST))),
    either(Kind::Text(text("tls_keyexchange", "Key exchange of the handshake"))),
    either(Kind::Text(text("elb", "Load balancer: app/name/id; NULL in older lines"))),
    either(Kind::Text(text("ip_address", "Address of the load balancer's node"))),
];

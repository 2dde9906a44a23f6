//! The fields of NLB access logs, in the order of a line.
//!
//! Source: AWS, "Access logs for your Network Load Balancer". Only connections of TLS listeners are logged. A line of 2019 has 18
//! fields, and 21 since the fields about ALPN. Times have no zone and are in UTC. AWS encodes the texts of clients as in a URL, so
//! no field holds a space.

use crate::dataset::elb_keys;
use crate::dataset::text_fields::{Field, Grammar, Kind, Quoting, bare, bigint, int, text, time};

/// The table of fields.
pub(super) static GRAMMAR: Grammar<22> = Grammar {
    fields: &FIELDS,
    quoting: Quoting::Bare,
    oldest: 18,
    cluster: ["elb", "tls_protocol_version"],
    is_note: elb_keys::is_note,
};

#[rustfmt::skip]
static FIELDS: [Field; 22] = [
    bare(Kind::Word(text("type", "Type of listener: tls"), "tls")),
    bare(Kind::Text(text("version", "Version of the log's form"))),
    bare(Kind::EventTimeUtc(time("event_time", "When the connection ended, UTC. It can have begun days before"))),
    bare(Kind::Text(text("elb", "Load balancer: net/name/id"))),
    bare(Kind::Text(text("listener", "Id of the TLS listener"))),
    bare(Kind::AddressPort([
        text("client_ip", "Address of the client").searched(),
        int("client_port", "Port of the client"),
    ])),
    bare(Kind::AddressPort([
        text("destination_ip", "Address of the target; NULL if the connection reached none"),
        int("destination_port", "Port of the target"),
    ])),
    bare(Kind::Integer(bigint("connection_time", "Milliseconds from the begin to the end of the connection"))),
    bare(Kind::Integer(bigint("tls_handshake_time", "Milliseconds of the TLS handshake; NULL if it failed"))),
    bare(Kind::Integer(bigint("received_bytes", "Bytes from the client, after decryption"))),
    bare(Kind::Integer(bigint("sent_bytes", "Bytes to the client, before encryption"))),
    bare(Kind::Integer(int("incoming_tls_alert", "TLS alert from the client, if any"))),
    bare(Kind::Text(text("chosen_cert_arn", "ARN of the certificate; NULL without a valid client hello"))),
    bare(Kind::Text(text("chosen_cert_serial", "Reserved by AWS; NULL"))),
    bare(Kind::Text(text("tls_cipher", "TLS cipher; NULL without a handshake"))),
    bare(Kind::Text(text("tls_protocol_version", "TLS version, such as tlsv12; NULL without a handshake"))),
    bare(Kind::Text(text("tls_keyexchange", "Key exchange of the handshake"))),
    bare(Kind::Text(text("domain_name", "Domain name that the client gave in the TLS handshake, URL-encoded").searched())).of_client(),
    bare(Kind::Text(text("alpn_fe_protocol", "Application protocol negotiated with the client"))),
    bare(Kind::Text(text("alpn_be_protocol", "Application protocol negotiated with the target"))),
    bare(Kind::Text(text("alpn_client_preference_list", "Application protocols that the client offered: quoted, URL-encoded, cut at 256 bytes"))).of_client(),
    bare(Kind::TimeUtc(time("tls_connection_creation_time", "When the connection began, UTC; NULL in older lines"))),
];

//! Lines of every form, hostile lines, and the decoder against slow twins.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::NLB_ACCESS;
use crate::dataset::text_fields::tests::{
    assert_cells, assert_rejected, decode, decode_all, line_with, mutated,
};
use crate::dataset::{self, Dataset};
use crate::table::Naming;

/// The fields of a complete line.
const FIELDS: [&str; 22] = [
    "tls",
    "2.0",
    "2026-11-28T15:00:00",
    "net/edge/c6e77e28c25b2234",
    "g3d4b5e8bb8464cd",
    "203.0.113.7:51341",
    "10.0.0.185:443",
    "5",
    "2",
    "98",
    "246",
    "-",
    "arn:aws:acm:ap-northeast-2:123456789012:certificate/2a108f19-aded-46b0-8493-c63eb1ef4a99",
    "-",
    "TLS_AES_128_GCM_SHA256",
    "tlsv13",
    "X25519",
    "edge.example.com",
    "h2",
    "h2",
    "\"h2\",\"http/1.1\"",
    "2026-11-28T14:59:59",
];

/// A complete line with another text for some fields, by their numbers from 1.
fn complete(others: &[(usize, &str)]) -> String {
    line_with(&FIELDS, others)
}

#[test]
fn every_field_of_a_complete_line_has_its_column() {
    let expected = json!({
        "event_time": "2026-11-28T15:00:00Z",
        "type": "tls",
        "version": "2.0",
        "elb": "net/edge/c6e77e28c25b2234",
        "listener": "g3d4b5e8bb8464cd",
        "client_ip": "203.0.113.7",
        "client_port": 51_341,
        "destination_ip": "10.0.0.185",
        "destination_port": 443,
        "connection_time": 5,
        "tls_handshake_time": 2,
        "received_bytes": 98,
        "sent_bytes": 246,
        "incoming_tls_alert": 42,
        "chosen_cert_arn": "arn:aws:acm:ap-northeast-2:123456789012:certificate/2a108f19-aded-46b0-8493-c63eb1ef4a99",
        "chosen_cert_serial": "0a1b",
        "tls_cipher": "TLS_AES_128_GCM_SHA256",
        "tls_protocol_version": "tlsv13",
        "tls_keyexchange": "X25519",
        "domain_name": "edge.example.com",
        "alpn_fe_protocol": "h2",
        "alpn_be_protocol": "h2",
        "alpn_client_preference_list": "\"h2\",\"http/1.1\"",
        "tls_connection_creation_time": "2026-11-28T14:59:59Z",
        "extra": "\"z z\" 4 -",
    });
    let line = format!("{} \"z z\" 4 -", complete(&[(12, "42"), (14, "0a1b")]));
    assert_eq!(Value::Object(decode(&NLB_ACCESS, &line).unwrap().unwrap()), expected);
    let columns: Vec<String> =
        NLB_ACCESS.schema(Naming::Snake, &[]).columns.iter().map(|column| column.name.to_string()).collect();
    let expected = "event_time event_time_kst type version elb listener client_ip client_port destination_ip \
        destination_port connection_time tls_handshake_time received_bytes sent_bytes incoming_tls_alert \
        chosen_cert_arn chosen_cert_serial tls_cipher tls_protocol_version tls_keyexchange domain_name \
        alpn_fe_protocol alpn_be_protocol alpn_client_preference_list tls_connection_creation_time extra \
        source_object source_record";
    assert_eq!(columns.join(" "), expected);
}

#[test]
fn a_line_of_every_form_since_2019_is_a_row() {
    for count in 1..18 {
        assert_rejected(&NLB_ACCESS, &FIELDS[..count].join(" "), "missing_fields");
    }
    for count in 18..=22 {
        let row = decode(&NLB_ACCESS, &FIELDS[..count].join(" ")).unwrap().unwrap();
        assert_eq!(row["domain_name"], "edge.example.com", "{count}");
        assert_eq!(row.contains_key("alpn_client_preference_list"), count >= 21, "{count}");
        assert_eq!(row.contains_key("tls_connection_creation_time"), count == 22, "{count}");
    }
}

#[test]
fn hostile_lines_are_read_correctly_or_rejected() {
    for (line, expected) in [
        // Forged tail in sni.
        (
            r#"tls 2.0 2026-11-28T15:00:00 net/edge/c6e77e28c25b2234 g3d4b5e8bb8464cd 203.0.113.7:51341 10.0.0.185:443 5 2 98 246 - arn:aws:acm:ap-northeast-2:123456789012:certificate/2a108f19-aded-46b0-8493-c63eb1ef4a99 - TLS_AES_128_GCM_SHA256 tlsv13 X25519 evil%20h2%20h2%20%22h2%22%202020-01-01T00:00:00%0a h2 h2 "h2","http/1.1" 2026-11-28T14:59:59"#,
            Ok(
                json!({"domain_name": "evil%20h2%20h2%20%22h2%22%202020-01-01T00:00:00%0a", "alpn_fe_protocol": "h2", "tls_connection_creation_time": "2026-11-28T14:59:59Z"}),
            ),
        ),
        // Alpn cut at 256 bytes.
        (
            r#"tls 2.0 2026-11-28T15:00:00 net/edge/c6e77e28c25b2234 g3d4b5e8bb8464cd 203.0.113.7:51341 10.0.0.185:443 5 2 98 246 - arn:aws:acm:ap-northeast-2:123456789012:certificate/2a108f19-aded-46b0-8493-c63eb1ef4a99 - TLS_AES_128_GCM_SHA256 tlsv13 X25519 edge.example.com h2 h2 "h2","http/1.1","aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 2026-11-28T14:59:59"#,
            Ok(
                json!({"alpn_client_preference_list": "\"h2\",\"http/1.1\",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "tls_connection_creation_time": "2026-11-28T14:59:59Z"}),
            ),
        ),
        // Connection of ten days.
        (
            r#"tls 2.0 2026-11-28T14:59:59 net/edge/c6e77e28c25b2234 g3d4b5e8bb8464cd 203.0.113.7:51341 10.0.0.185:443 2332800000 2 9000000000 246 - arn:aws:acm:ap-northeast-2:123456789012:certificate/2a108f19-aded-46b0-8493-c63eb1ef4a99 - TLS_AES_128_GCM_SHA256 tlsv13 X25519 edge.example.com h2 h2 "h2","http/1.1" 2026-11-01T14:59:59"#,
            Ok(
                json!({"event_time": "2026-11-28T14:59:59Z", "tls_connection_creation_time": "2026-11-01T14:59:59Z", "connection_time": 2_332_800_000_i64, "received_bytes": 9_000_000_000_i64}),
            ),
        ),
        // Line of an alb.
        (
            r#"h2 2026-11-28T15:00:00.186641Z app/shop/50dc6c495c0c9188 203.0.113.7:46532 10.0.1.5:8080 0.000 0.048 0.000 200 200 257 1024 "GET https://shop.example.com:443/ HTTP/2.0" "Mozilla/5.0 (X11; Linux x86_64)" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/web/73e2d6bc24d8a067 "Root=1-692a1230-1d2c3b4a5f6e7d8c9b0a1f2e" "shop.example.com" "arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" 1 2026-11-28T15:00:00.138000Z "waf,forward" "-" "-" "10.0.1.5:8080" "200" "-" "-" TID_1234abcd5678ef90 "-" "-" "-" 203.0.113.99"#,
            Err("bad_type"),
        ),
    ] {
        match expected {
            Ok(cells) => assert_cells(&NLB_ACCESS, line, &cells),
            Err(reason) => assert_rejected(&NLB_ACCESS, line, reason),
        }
    }
}

#[test]
fn odd_values_have_their_meaning() {
    for (others, expected) in [
        (vec![(3, "2026-11-28T15:00:00.25Z")], json!({"event_time": "2026-11-28T15:00:00.250Z"})),
        (vec![(6, "2001:db8::7:443")], json!({"client_ip": "2001:db8::7", "client_port": 443})),
        (vec![(7, "-")], json!({"destination_ip": null, "destination_port": null})),
        (vec![(9, "-"), (12, "80")], json!({"tls_handshake_time": null, "incoming_tls_alert": 80})),
        (vec![(15, "-"), (16, "-"), (18, "-")], json!({"tls_cipher": null, "domain_name": null})),
        (
            vec![(18, "%22x%22"), (21, "\"-\"")],
            json!({"domain_name": "%22x%22", "alpn_client_preference_list": null}),
        ),
        // The front of a list, which AWS has cut, and a list of one protocol.
        (vec![(21, "\"h2\",\"")], json!({"alpn_client_preference_list": "\"h2\",\""})),
        (vec![(21, "\"h2\"")], json!({"alpn_client_preference_list": "\"h2\""})),
        (vec![(22, "-")], json!({"tls_connection_creation_time": null})),
        // A new field can be a time.
        (vec![(22, "2026-11-28T14:59:59 2026-11-28T15:00:00")], json!({"extra": "2026-11-28T15:00:00"})),
    ] {
        assert_cells(&NLB_ACCESS, &complete(&others), &expected);
    }
}

#[test]
fn a_line_that_a_client_or_a_cut_may_have_shifted_is_rejected() {
    for (others, reason) in [
        (vec![(1, "tcp")], "bad_type"),
        (vec![(1, "-")], "bad_type"),
        (vec![(3, "-")], "bad_time"),
        (vec![(3, "2026-11-31T15:00:00")], "bad_time"),
        (vec![(3, "2026-11-28T15:00:00+09:00")], "bad_time"),
        (vec![(6, "203.0.113.7")], "bad_address"),
        (vec![(7, "10.0.0.185:65536")], "bad_address"),
        (vec![(8, "1.5")], "bad_number"),
        (vec![(12, "2147483648")], "bad_number"),
        (vec![(18, "a  b")], "empty_field"),
        (vec![(22, "2026-11-28T14:59:59 ")], "empty_field"),
        // A server name with raw spaces moves the fields after it.
        (vec![(18, "a b")], "bad_time"),
        (vec![(18, "a h2 h2 - 2020-01-01T00:00:00 x")], "repeated_fields"),
        (vec![(21, "\"h2 x\"")], "bad_time"),
    ] {
        assert_rejected(&NLB_ACCESS, &complete(&others), reason);
    }
}

#[test]
fn the_front_of_a_line_is_recognised_and_no_other_log_type_takes_it() {
    let line = FIELDS.join(" ");
    assert_eq!(
        decode(&NLB_ACCESS, "Enable AccessLog for ELB: net/edge/0a1b at 2026-11-28T15:00:00.1Z"),
        None
    );
    for dataset in dataset::all() {
        assert_eq!(dataset.recognises(line.as_bytes()), dataset.name() == "nlb-access", "{}", dataset.name());
    }
    assert!(NLB_ACCESS.recognises(&line.as_bytes()[..line.find("edge.").unwrap()]));
    assert!(!NLB_ACCESS.recognises(line.replacen("tls", "tcp", 1).as_bytes()));
    assert!(!NLB_ACCESS.recognises(b""));
}

proptest! {
    /// Even if AWS did not encode the spaces of a client, the client could not change the time that AWS wrote.
    #[test]
    fn no_server_name_changes_a_field_of_aws(text in "(- |h2 |x |\"h2\" |2020-01-01T00:00:00 |a){0,9}a") {
        if let Ok(row) = decode(&NLB_ACCESS, &complete(&[(18, &text)])).unwrap() {
            prop_assert_eq!(&row["tls_connection_creation_time"], "2026-11-28T14:59:59Z", "{:?}", text);
            prop_assert_eq!(&row["alpn_fe_protocol"], "h2", "{:?}", text);
        }
    }

    /// The slow twin is the regular expression of Athena's page on these logs.
    #[test]
    fn the_regular_expression_of_athena_gives_the_same_values(
        texts in prop::collection::vec("[!-~]{1,12}", 6),
        numbers in prop::collection::vec(0..i32::MAX, 5),
    ) {
        let mut fields = FIELDS.map(str::to_owned);
        for (place, text) in [3, 4, 12, 17, 18, 20].into_iter().zip(&texts) {
            fields[place].clone_from(text);
        }
        for (place, number) in [7, 8, 9, 10, 11].into_iter().zip(&numbers) {
            fields[place] = number.to_string();
        }
        let line = fields[..21].join(" ");
        let groups = regex::Regex::new(ATHENA).unwrap();
        let groups = groups.captures(&line).expect("the expression accepts the line");
        let row = decode(&NLB_ACCESS, &line).unwrap().unwrap();
        for (number, column) in (1..).zip(OF_ATHENA) {
            let twin = Some(&groups[number]).filter(|text| !matches!(*text, "-" | "\"-\""));
            let found = row.get(column).map(|cell| cell.as_str().map_or(cell.to_string(), str::to_owned));
            let found = if column == "event_time" { found.map(|text| text.replace('Z', "")) } else { found };
            prop_assert_eq!(found.as_deref(), twin, "{}", column);
        }
    }

    /// Mutated lines do not panic, and the ledger of their rows balances.
    #[test]
    fn mutated_lines_are_rows_or_rejections(
        count in 16_usize..=24,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let whole = format!("{} a b", FIELDS.join(" "));
        let fields: Vec<&str> = whole.split(' ').collect();
        decode_all(&NLB_ACCESS, &mutated(fields[..count].join(" ").into_bytes(), &edits));
    }
}

/// AWS, "Create the table for NLB logs in Athena".
const ATHENA: &str = concat!(
    "^([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*):([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-0-9]*) ",
    "([-0-9]*) ([-0-9]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*)$"
);

/// The columns of its groups.
const OF_ATHENA: [&str; 23] = [
    "type",
    "version",
    "event_time",
    "elb",
    "listener",
    "client_ip",
    "client_port",
    "destination_ip",
    "destination_port",
    "connection_time",
    "tls_handshake_time",
    "received_bytes",
    "sent_bytes",
    "incoming_tls_alert",
    "chosen_cert_arn",
    "chosen_cert_serial",
    "tls_cipher",
    "tls_protocol_version",
    "tls_keyexchange",
    "domain_name",
    "alpn_fe_protocol",
    "alpn_be_protocol",
    "alpn_client_preference_list",
];

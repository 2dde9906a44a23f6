//! Lines of every form, and hostile lines.

use serde_json::{Value, json};

use super::ALB_CONNECTION;
use crate::dataset::Dataset;
use crate::dataset::text_fields::tests::{assert_cells, assert_rejected, decode};

const LINE: &str = r#"2026-11-28T14:59:59.999999Z 203.0.113.1 36280 443 TLSv1.3 TLS_AES_128_GCM_SHA256 0.004 "CN=device-7,O=Example,C=KR" NotBefore=2026-01-01T00:00:00Z;NotAfter=2027-01-01T00:00:00Z FEF257372D5C14D4 Success TID_3180a73013c8ca4bac2f731159d4b0fe X25519MLKEM768 app/shop/50dc6c495c0c9188 203.0.113.99"#;

#[test]
fn every_field_of_a_complete_line_has_its_column() {
    let expected = json!({
        "event_time": "2026-11-28T14:59:59.999Z",
        "client_ip": "203.0.113.1",
        "client_port": 36_280,
        "listener_port": 443,
        "tls_protocol": "TLSv1.3",
        "tls_cipher": "TLS_AES_128_GCM_SHA256",
        "tls_handshake_latency": 0.004,
        "leaf_client_cert_subject": "CN=device-7,O=Example,C=KR",
        "leaf_client_cert_validity": "NotBefore=2026-01-01T00:00:00Z;NotAfter=2027-01-01T00:00:00Z",
        "leaf_client_cert_not_before": "2026-01-01T00:00:00Z",
        "leaf_client_cert_not_after": "2027-01-01T00:00:00Z",
        "leaf_client_cert_serial_number": "FEF257372D5C14D4",
        "tls_verify_status": "Success",
        "conn_trace_id": "TID_3180a73013c8ca4bac2f731159d4b0fe",
        "tls_keyexchange": "X25519MLKEM768",
        "elb": "app/shop/50dc6c495c0c9188",
        "ip_address": "203.0.113.99",
    });
    assert_eq!(Value::Object(decode(&ALB_CONNECTION, LINE).unwrap().unwrap()), expected);
    assert_cells(&ALB_CONNECTION, &format!("{LINE} new \"x y\""), &json!({"extra": "new \"x y\""}));
}

#[test]
fn hostile_lines_are_read_correctly_or_rejected() {
    for (line, expected) in [
        // Forged tail in subject.
        (
            r#"2026-11-28T14:59:59.999999Z 203.0.113.1 36280 443 TLSv1.3 TLS_AES_128_GCM_SHA256 - "CN=x\x22 NotBefore=2020-01-01T00:00:00Z;NotAfter=2099-01-01T00:00:00Z 00 Success TID_0,O=evil" NotBefore=2026-01-01T00:00:00Z;NotAfter=2027-01-01T00:00:00Z FEF257372D5C14D4 Failed:ClientCertUntrusted TID_3180a73013c8ca4bac2f731159d4b0fe X25519MLKEM768 app/shop/50dc6c495c0c9188 203.0.113.99"#,
            Ok(
                json!({"leaf_client_cert_subject": "CN=x\\x22 NotBefore=2020-01-01T00:00:00Z;NotAfter=2099-01-01T00:00:00Z 00 Success TID_0,O=evil", "tls_verify_status": "Failed:ClientCertUntrusted", "conn_trace_id": "TID_3180a73013c8ca4bac2f731159d4b0fe", "tls_handshake_latency": null, "leaf_client_cert_not_after": "2027-01-01T00:00:00Z"}),
            ),
        ),
        // Plain http connection.
        (
            r#"2026-11-28T14:59:59.999999Z 203.0.113.1 36280 80 - - - "-" - - - TID_3180a73013c8ca4bac2f731159d4b0fe - app/shop/50dc6c495c0c9188 203.0.113.99"#,
            Ok(
                json!({"listener_port": 80, "tls_protocol": null, "tls_cipher": null, "tls_handshake_latency": null, "leaf_client_cert_subject": null, "leaf_client_cert_validity": null, "tls_verify_status": null, "conn_trace_id": "TID_3180a73013c8ca4bac2f731159d4b0fe"}),
            ),
        ),
        // Old form of twelve.
        (
            r#"2026-11-28T14:59:59.999999Z 203.0.113.1 36280 443 TLSv1.3 TLS_AES_128_GCM_SHA256 0.004 "CN=device-7,O=Example,C=KR" NotBefore=2026-01-01T00:00:00Z;NotAfter=2027-01-01T00:00:00Z FEF257372D5C14D4 Success TID_3180a73013c8ca4bac2f731159d4b0fe"#,
            Ok(
                json!({"conn_trace_id": "TID_3180a73013c8ca4bac2f731159d4b0fe", "tls_keyexchange": null, "elb": null, "ip_address": null, "extra": null}),
            ),
        ),
        // Cut inside subject.
        (
            r#"2026-11-28T14:59:59.999999Z 203.0.113.1 36280 443 TLSv1.3 TLS_AES_128_GCM_SHA256 0.004 "CN=device-7,O=Example,"#,
            Err("unclosed_quote"),
        ),
    ] {
        match expected {
            Ok(cells) => assert_cells(&ALB_CONNECTION, line, &cells),
            Err(reason) => assert_rejected(&ALB_CONNECTION, line, reason),
        }
    }
}

#[test]
fn odd_values_have_their_meaning() {
    let validity = "NotBefore=2026-01-01T00:00:00Z;NotAfter=2027-01-01T00:00:00Z";
    for (from, to, expected) in [
        (" 0.004 ", " - ", json!({"tls_handshake_latency": null})),
        (
            "\"CN=device-7,O=Example,C=KR\"",
            "-",
            json!({"leaf_client_cert_subject": null, "tls_verify_status": "Success"}),
        ),
        (validity, "-", json!({"leaf_client_cert_validity": null, "leaf_client_cert_not_before": null})),
        (
            validity,
            "NotBefore=-;NotAfter=-",
            json!({"leaf_client_cert_validity": "NotBefore=-;NotAfter=-", "leaf_client_cert_not_after": null}),
        ),
        (
            validity,
            "forever",
            json!({"leaf_client_cert_validity": "forever", "leaf_client_cert_not_after": null}),
        ),
        ("203.0.113.1 ", "2001:db8::1 ", json!({"client_ip": "2001:db8::1"})),
    ] {
        assert_cells(&ALB_CONNECTION, &LINE.replacen(from, to, 1), &expected);
    }
    for (from, to, reason) in [
        (" 443 ", " https ", "bad_number"),
        ("NotAfter=2027", "NotAfter=later", "bad_time"),
        ("NotAfter=2027-01-01T00:00:00Z", "NotAfter=", "bad_time"),
        ("\"CN=device-7,O=Example,C=KR\"", "CN=device-7", "unquoted_text"),
        ("O=Example", "O=\"Example\" x", "stray_quote"),
        (" Success ", " \"Success\" ", "quoted_field"),
    ] {
        assert_rejected(&ALB_CONNECTION, &LINE.replacen(from, to, 1), reason);
    }
}

#[test]
fn a_forged_tail_with_raw_quotes_is_rejected() {
    let tail = LINE.split_once("C=KR\" ").unwrap().1.replace("Success", "Failed:ClientCertUntrusted");
    let forged = LINE.replacen("CN=device-7", &format!("CN=x\" {tail} \"y"), 1);
    assert_rejected(&ALB_CONNECTION, &forged, "repeated_fields");
    let short = LINE.replacen("CN=device-7", "CN=x\" - 0 Success TID_0 \"y", 1);
    assert_rejected(&ALB_CONNECTION, &short, "repeated_fields");
}

#[test]
fn only_connection_lines_are_recognised() {
    assert!(ALB_CONNECTION.recognises(LINE.as_bytes()));
    assert!(ALB_CONNECTION.recognises(&LINE.as_bytes()[..100]));
    for line in [
        "2026-11-28T15:00:00.186641Z classic 203.0.113.7:46532 10.0.1.5:80 0.000 0.048 0.000 200 200 257 1024",
        "h2 2026-11-28T15:00:00.186641Z app/shop/50dc6c495c0c9188 203.0.113.7:46532 10.0.1.5:8080 0.000 0.048 0.000 200",
        "tls 2.0 2026-11-28T15:00:00 net/tcp/0a1b 0c2d 203.0.113.7:46532 10.0.1.5:8080 5 2 98 246 - - -",
    ] {
        assert!(!ALB_CONNECTION.recognises(line.as_bytes()), "{line}");
    }
}

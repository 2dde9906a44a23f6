//! Lines of every form, hostile lines, and the decoder against slow twins.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::ALB_ACCESS;
use crate::dataset::Dataset;
use crate::dataset::text_fields::tests::{
    assert_cells, assert_rejected, decode, decode_all, line_with, mutated,
};
use crate::table::Naming;

/// The fields of a complete line. The address of the node comes last.
const FIELDS: [&str; 34] = [
    "h2",
    "2026-11-28T15:00:00.186641Z",
    "app/shop/50dc6c495c0c9188",
    "203.0.113.7:46532",
    "10.0.1.5:8080",
    "0.000",
    "0.048",
    "0.000",
    "200",
    "200",
    "257",
    "1024",
    "\"GET https://shop.example.com:443/ HTTP/2.0\"",
    "\"curl/8.5.0\"",
    "TLS_AES_128_GCM_SHA256",
    "TLSv1.3",
    "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/web/73e2d6bc24d8a067",
    "\"Root=1-692a1230-1d2c3b4a5f6e7d8c9b0a1f2e\"",
    "\"shop.example.com\"",
    "\"arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012\"",
    "1",
    "2026-11-28T15:00:00.138000Z",
    "\"waf,forward\"",
    "\"-\"",
    "\"-\"",
    "\"10.0.1.5:8080\"",
    "\"200\"",
    "\"-\"",
    "\"-\"",
    "TID_1234abcd5678ef90",
    "\"-\"",
    "\"-\"",
    "\"-\"",
    "203.0.113.99",
];

/// A line with the first `count` fields.
fn line_of(count: usize) -> String {
    FIELDS[..count].join(" ")
}

/// A complete line with another text for some fields, by their numbers from 1.
fn complete(others: &[(usize, &str)]) -> String {
    line_with(&FIELDS, others)
}

#[test]
fn every_field_of_a_complete_line_has_its_column() {
    let expected = json!({
        "event_time": "2026-11-28T15:00:00.186Z",
        "type": "h2",
        "elb": "app/shop/50dc6c495c0c9188",
        "client_ip": "203.0.113.7",
        "client_port": 46_532,
        "target_ip": "10.0.1.5",
        "target_port": 8080,
        "request_processing_time": 0.0,
        "target_processing_time": 0.048,
        "response_processing_time": 0.0,
        "elb_status_code": 200,
        "target_status_code": 200,
        "received_bytes": 257,
        "sent_bytes": 1024,
        "request": "GET https://shop.example.com:443/ HTTP/2.0",
        "request_method": "GET",
        "request_url": "https://shop.example.com:443/",
        "request_protocol": "HTTP/2.0",
        "user_agent": "curl/8.5.0",
        "ssl_cipher": "TLS_AES_128_GCM_SHA256",
        "ssl_protocol": "TLSv1.3",
        "target_group_arn": "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/web/73e2d6bc24d8a067",
        "trace_id": "Root=1-692a1230-1d2c3b4a5f6e7d8c9b0a1f2e",
        "domain_name": "shop.example.com",
        "chosen_cert_arn": "arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012",
        "matched_rule_priority": 1,
        "request_creation_time": "2026-11-28T15:00:00.138Z",
        "actions_executed": ["waf", "forward"],
        "target_port_list": "10.0.1.5:8080",
        "target_status_code_list": "200",
        "conn_trace_id": "TID_1234abcd5678ef90",
        "ip_address": "203.0.113.99",
    });
    assert_eq!(Value::Object(decode(&ALB_ACCESS, &line_of(34)).unwrap().unwrap()), expected);
    let columns: Vec<String> =
        ALB_ACCESS.schema(Naming::Snake, &[]).columns.iter().map(|column| column.name.to_string()).collect();
    let expected = "event_time event_time_kst type elb client_ip client_port target_ip target_port request_processing_time \
        target_processing_time response_processing_time elb_status_code target_status_code received_bytes sent_bytes request \
        request_method request_url request_protocol user_agent ssl_cipher ssl_protocol target_group_arn trace_id domain_name \
        chosen_cert_arn matched_rule_priority request_creation_time actions_executed redirect_url error_reason \
        target_port_list target_status_code_list classification classification_reason conn_trace_id transformed_host \
        transformed_uri request_transform_status ip_address extra source_object source_record";
    assert_eq!(columns.join(" "), expected);
}

#[test]
fn a_line_of_every_form_since_2016_is_a_row() {
    for count in 17..=34 {
        let row = decode(&ALB_ACCESS, &line_of(count)).unwrap().unwrap();
        assert_eq!(row["ssl_protocol"], "TLSv1.3", "{count}");
        assert_eq!(row.contains_key("trace_id"), count >= 18, "{count}");
        assert_eq!(row.contains_key("conn_trace_id"), count >= 30, "{count}");
        assert!(!row.contains_key("extra"), "{count}");
    }
    for count in 1..17 {
        assert_rejected(&ALB_ACCESS, &line_of(count), "missing_fields");
    }
}

#[test]
fn fields_after_the_last_known_one_are_extra() {
    let line = format!("{} \"new field\" 5 - TID_2", line_of(34));
    assert_cells(
        &ALB_ACCESS,
        &line,
        &json!({"ip_address": "203.0.113.99", "extra": "\"new field\" 5 - TID_2"}),
    );
}

#[test]
fn hostile_lines_are_read_correctly_or_rejected() {
    for (line, expected) in [
        // Forged tail in user agent.
        (
            r#"h2 2026-11-28T15:00:00.186641Z app/shop/50dc6c495c0c9188 203.0.113.7:46532 10.0.1.5:8080 0.000 0.048 0.000 200 200 257 1024 "GET https://shop.example.com:443/ HTTP/2.0" "curl/8\x22 - - arn:evil \x22Root=1-00000000-000000000000000000000000\x22 \x22evil.example\x22 \x22-\x22 0" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/web/73e2d6bc24d8a067 "Root=1-692a1230-1d2c3b4a5f6e7d8c9b0a1f2e" "shop.example.com" "arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" 1 2026-11-28T15:00:00.138000Z "waf,forward" "-" "-" "10.0.1.5:8080" "200" "-" "-" TID_1234abcd5678ef90 "-" "-" "-" 203.0.113.99"#,
            Ok(
                json!({"user_agent": "curl/8\\x22 - - arn:evil \\x22Root=1-00000000-000000000000000000000000\\x22 \\x22evil.example\\x22 \\x22-\\x22 0", "ssl_cipher": "TLS_AES_128_GCM_SHA256", "domain_name": "shop.example.com", "trace_id": "Root=1-692a1230-1d2c3b4a5f6e7d8c9b0a1f2e", "matched_rule_priority": 1, "extra": null}),
            ),
        ),
        // Blanks in url.
        (
            r#"h2 2026-11-28T15:00:00.186641Z app/shop/50dc6c495c0c9188 203.0.113.7:46532 10.0.1.5:8080 0.000 0.048 0.000 200 200 257 1024 "GET https://shop.example.com:443/a b?c= d HTTP/1.1" "Mozilla/5.0 (X11; Linux x86_64)" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/web/73e2d6bc24d8a067 "Root=1-692a1230-1d2c3b4a5f6e7d8c9b0a1f2e" "shop.example.com" "arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" 1 2026-11-28T15:00:00.138000Z "waf,forward" "-" "-" "10.0.1.5:8080" "200" "Acceptable" "SpaceInUri" TID_1234abcd5678ef90 "-" "-" "-" 203.0.113.99"#,
            Ok(
                json!({"request": "GET https://shop.example.com:443/a b?c= d HTTP/1.1", "request_method": "GET", "request_url": "https://shop.example.com:443/a b?c= d", "request_protocol": "HTTP/1.1", "classification": "Acceptable", "classification_reason": "SpaceInUri"}),
            ),
        ),
        // Unparsable request.
        (
            r#"http 2026-11-28T15:00:00.186641Z app/shop/50dc6c495c0c9188 203.0.113.7:46532 - -1 -1 -1 400 - 0 272 "- http://shop.example.com:80- -" "-" - - - "-" "-" "-" - 2026-11-28T15:00:00.138000Z "-" "-" "-" "-" "-" "-" "-" TID_1234abcd5678ef90 "-" "-" "-" -"#,
            Ok(
                json!({"type": "http", "target_ip": null, "target_port": null, "request_processing_time": -1.0, "target_processing_time": -1.0, "response_processing_time": -1.0, "elb_status_code": 400, "target_status_code": null, "received_bytes": 0, "request": "- http://shop.example.com:80- -", "request_method": null, "request_url": "http://shop.example.com:80", "request_protocol": null, "user_agent": null, "trace_id": null, "matched_rule_priority": null, "actions_executed": null, "ip_address": null}),
            ),
        ),
        // Raw quotes in user agent.
        (
            r#"h2 2026-11-28T15:00:00.186641Z app/shop/50dc6c495c0c9188 203.0.113.7:46532 10.0.1.5:8080 0.000 0.048 0.000 200 200 257 1024 "GET https://shop.example.com:443/ HTTP/2.0" "pip/19.1 {"ci": null} "x" y" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/web/73e2d6bc24d8a067 "Root=1-692a1230-1d2c3b4a5f6e7d8c9b0a1f2e" "shop.example.com" "arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" 1 2026-11-28T15:00:00.138000Z "waf,forward" "-" "-" "10.0.1.5:8080" "200" "-" "-" TID_1234abcd5678ef90 "-" "-" "-" 203.0.113.99"#,
            Err("stray_quote"),
        ),
    ] {
        match expected {
            Ok(cells) => assert_cells(&ALB_ACCESS, line, &cells),
            Err(reason) => assert_rejected(&ALB_ACCESS, line, reason),
        }
    }
}

#[test]
fn odd_values_have_their_meaning() {
    for (others, expected) in [
        (vec![(4, "2001:db8::7:443")], json!({"client_ip": "2001:db8::7", "client_port": 443})),
        (vec![(4, "[2001:db8::7]:443")], json!({"client_ip": "2001:db8::7", "client_port": 443})),
        (vec![(5, "-")], json!({"target_ip": null, "target_port": null})),
        (
            vec![(6, "-1"), (7, "0.000000001")],
            json!({"request_processing_time": -1.0, "target_processing_time": 1e-9}),
        ),
        (vec![(9, "000"), (10, "-")], json!({"elb_status_code": 0, "target_status_code": null})),
        (vec![(13, "\"\"")], json!({"request": null, "request_method": null, "request_url": null})),
        (
            vec![(14, "\"a \\x22b\\x22 \\xEC\\x95\\x88\"")],
            json!({"user_agent": "a \\x22b\\x22 \\xEC\\x95\\x88"}),
        ),
        (vec![(14, "\"a\"b\"")], json!({"user_agent": "a\"b"})),
        (vec![(21, "-1"), (22, "-")], json!({"matched_rule_priority": -1, "request_creation_time": null})),
        (vec![(23, "\"-\"")], json!({"actions_executed": null})),
        (vec![(24, "\"https://a/?q=a b\"")], json!({"redirect_url": "https://a/?q=a b"})),
        (
            vec![(26, "10.0.1.5:8080"), (27, "200")],
            json!({"target_port_list": "10.0.1.5:8080", "target_status_code_list": "200"}),
        ),
        (vec![(28, "-"), (29, "-")], json!({"classification": null, "classification_reason": null})),
        (vec![(34, "\"203.0.113.9\"")], json!({"ip_address": "203.0.113.9", "extra": null})),
        (vec![(34, "-")], json!({"ip_address": null})),
    ] {
        assert_cells(&ALB_ACCESS, &complete(&others), &expected);
    }
}

#[test]
fn a_line_that_a_client_or_a_cut_may_have_shifted_is_rejected() {
    for (others, reason) in [
        (vec![(2, "2026-11-31T15:00:00Z")], "bad_time"),
        (vec![(2, "-")], "bad_time"),
        (vec![(2, "2026-11-28T15:00:00")], "bad_time"),
        (vec![(3, "app/\"x")], "stray_quote"),
        (vec![(3, "\"app/x\"")], "quoted_field"),
        (vec![(4, "203.0.113.7")], "bad_address"),
        (vec![(4, ":443")], "bad_address"),
        (vec![(4, "203.0.113.7:65536")], "bad_address"),
        (vec![(4, "203.0.113.7:000443")], "bad_address"),
        (vec![(6, "1e3")], "bad_number"),
        (vec![(6, ".5")], "bad_number"),
        (vec![(6, "NaN")], "bad_number"),
        (vec![(9, "2000")], "bad_number"),
        (vec![(9, "OK")], "bad_number"),
        (vec![(11, "9223372036854775808")], "bad_number"),
        (vec![(11, "+1")], "bad_number"),
        (vec![(13, "GET")], "unquoted_text"),
        (vec![(14, "-")], "unquoted_text"),
        (vec![(14, "\"a")], "stray_quote"),
        (vec![(14, "\"a \"b\"")], "stray_quote"),
        // The text of the client leaves a quote open, which swallows the fields up to the trace id.
        (vec![(14, "\"\" x 7 2026-11-28T15:00:00Z \"")], "stray_quote"),
        (vec![(18, "Root=1")], "unquoted_text"),
        (vec![(21, "2147483648")], "bad_number"),
        (vec![(22, "yesterday")], "bad_time"),
        (vec![(34, "203.0.113.99 ")], "empty_field"),
        (vec![(34, "\"203.0.113.99")], "unclosed_quote"),
        (vec![(1, " h2")], "empty_field"),
    ] {
        assert_rejected(&ALB_ACCESS, &complete(&others), reason);
    }
    assert_rejected(&ALB_ACCESS, "no log line at all, only words", "missing_fields");
    let (_, detail) = decode(&ALB_ACCESS, &complete(&[(9, "OK")])).unwrap().unwrap_err();
    assert_eq!(detail, "a number is neither digits nor a dash (field 9, elb_status_code, byte 107)");
}

#[test]
fn a_forged_tail_with_raw_quotes_is_rejected() {
    let tail = FIELDS[14..].join(" ");
    for agent in [
        format!("\"x\" {tail} \"y\""),
        format!("\"x\" {} \"y\"", tail.replace("TLSv1.3", "forged")),
        "\"x\" - - arn:evil \"Root=1\" \"evil\" \"-\" 0 2026-11-28T15:00:00Z \"forward\" \"y\"".to_owned(),
    ] {
        let outcome = decode(&ALB_ACCESS, &complete(&[(14, &agent)])).unwrap();
        assert!(outcome.is_err(), "{agent}: {outcome:?}");
    }
    assert_rejected(&ALB_ACCESS, &complete(&[(14, &format!("\"x\" {tail} \"y\""))]), "repeated_fields");
}

#[test]
fn the_note_in_a_test_file_and_blank_lines_are_skipped() {
    let note = "Enable AccessLog for ELB: app/shop/50dc6c495c0c9188 at 2026-11-28T15:00:00.123Z";
    assert_eq!(decode(&ALB_ACCESS, note), None);
    assert_eq!(decode(&ALB_ACCESS, " \r\n"), None);
    assert_rejected(&ALB_ACCESS, "Enable everything", "missing_fields");
}

#[test]
fn the_front_of_a_line_is_recognised() {
    let long = complete(&[(14, &format!("\"{}\"", "a".repeat(9000)))]);
    for (head, expected) in [
        (line_of(34), true),
        (format!("\r\n{}\r\n", line_of(17)), true),
        (long[..4096].to_owned(), true),
        (line_of(11), false),
        (complete(&[(2, "2.0")]), false),
        ("2026-11-28T15:00:00.1Z 203.0.113.1 36280 443 - - - \"-\" - - - TID_1".to_owned(), false),
        ("79a59df9 results [01/Nov/2023:03:00:00 +0000] 192.0.2.3 - ID".to_owned(), false),
        ("{\"Records\":[]}".to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(ALB_ACCESS.recognises(head.as_bytes()), expected, "{head}");
    }
}

/// The columns that AWS writes after the user agent and the trace id.
const OF_AWS: [&str; 8] = [
    "ssl_cipher",
    "ssl_protocol",
    "target_group_arn",
    "chosen_cert_arn",
    "matched_rule_priority",
    "request_creation_time",
    "actions_executed",
    "conn_trace_id",
];

/// Pieces from which a client composes a text that imitates fields.
fn forged() -> impl Strategy<Value = String> {
    let tail = FIELDS[14..].join(" ");
    let pieces = prop::sample::select(vec![
        "\" ".to_owned(),
        " \"".to_owned(),
        "\"".to_owned(),
        " ".to_owned(),
        "x".to_owned(),
        "- ".to_owned(),
        "\"-\" ".to_owned(),
        "\" - - - \"-\" \"-\" \"-\" 7 2026-11-28T15:00:00Z \"a\" \"b\" \"c\" \"d\" \"e\" \"f\" \"g\" T \"h\" \"i\" \"j\" k \"l".to_owned(),
        "\" - - - \"-".to_owned(),
        " 7 2026-11-28T15:00:00Z ".to_owned(),
        "a b c ".to_owned(),
        format!("\" {tail} \""),
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Even if AWS did not escape the quotes of a client, the client could not change a field of AWS.
    #[test]
    fn no_text_of_a_client_changes_a_field_of_aws(
        text in forged(),
        field in prop::sample::select(vec![13_usize, 14, 18]),
        count in 22_usize..=34,
    ) {
        let honest = decode(&ALB_ACCESS, &line_of(count)).unwrap().unwrap();
        let mut fields = FIELDS.map(str::to_owned);
        fields[field - 1] = format!("\"{text}\"");
        if let Ok(row) = decode(&ALB_ACCESS, &fields[..count].join(" ")).unwrap() {
            for column in OF_AWS {
                prop_assert_eq!(row.get(column), honest.get(column), "{} of {:?}", column, text);
            }
        }
    }

    /// The slow twin is the regular expression of Athena's page on these logs, for texts without quotes.
    #[test]
    fn the_regular_expression_of_athena_gives_the_same_values(
        texts in prop::collection::vec("[ !#-~]{1,12}", 5),
        count in prop::sample::select(vec![29_usize, 30]),
    ) {
        let mut fields = FIELDS.map(str::to_owned);
        fields[12] = format!("\"GET https://a:443/{} HTTP/1.1\"", texts[0].trim());
        for (number, text) in [(14, &texts[1]), (18, &texts[2]), (19, &texts[3])] {
            fields[number - 1] = format!("\"{text}\"");
        }
        let line = fields[..count].join(" ");
        let groups = regex::Regex::new(ATHENA).unwrap();
        let groups = groups.captures(&line).expect("the expression accepts the line");
        let row = decode(&ALB_ACCESS, &line).unwrap().unwrap();
        for (number, column) in (1..).zip(OF_ATHENA) {
            let twin = groups.get(number).map_or("", |group| group.as_str());
            let twin = if matches!(twin, "-" | "") { None } else { Some(twin) };
            let found = row.get(column).map(|cell| match cell {
                Value::String(text) if column.contains("time") => text.replace('Z', ""),
                Value::String(text) => text.clone(),
                Value::Array(texts) => texts.iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>().join(","),
                number => number.to_string(),
            });
            let is_same = match (&found, twin) {
                (Some(found), Some(twin)) if column.contains("time") => {
                    twin.starts_with(found.as_str()) || found.parse::<f64>().ok() == twin.parse::<f64>().ok()
                }
                (found, twin) => found.as_deref() == twin,
            };
            prop_assert!(is_same, "{}: {:?} and {:?}", column, found, twin);
        }
    }

    /// Mutated lines do not panic, and the ledger of their rows balances.
    #[test]
    fn mutated_lines_are_rows_or_rejections(
        count in 15_usize..=36,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let line = format!("{} \"a\" b", line_of(34)).into_bytes();
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let line = fields[..count.min(fields.len())].join(&b' ');
        decode_all(&ALB_ACCESS, &mutated(line, &edits));
    }
}

/// AWS, "Create the table for ALB access logs in Athena", without the transform fields.
const ATHENA: &str = concat!(
    r#"^([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*)[:-]([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-.0-9]*) (|[-0-9]*) (-|[-0-9]*) ([-0-9]*) ([-0-9]*) "([^ ]*) (.*) (- |[^ ]*)" "([^"]*)" ([A-Z0-9-_]+) ([A-Za-z0-9.-]*) ([^ ]*) "#,
    r#""([^"]*)" "([^"]*)" "([^"]*)" ([-.0-9]*) ([^ ]*) "([^"]*)" "([^"]*)" "([^ ]*)" "([^\s]+?)" "([^\s]+)" "([^ ]*)" "([^ ]*)" ?([^ ]*)?( .*)?$"#
);

/// The columns of its groups.
const OF_ATHENA: [&str; 34] = [
    "type",
    "event_time",
    "elb",
    "client_ip",
    "client_port",
    "target_ip",
    "target_port",
    "request_processing_time",
    "target_processing_time",
    "response_processing_time",
    "elb_status_code",
    "target_status_code",
    "received_bytes",
    "sent_bytes",
    "request_method",
    "request_url",
    "request_protocol",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
    "target_group_arn",
    "trace_id",
    "domain_name",
    "chosen_cert_arn",
    "matched_rule_priority",
    "request_creation_time",
    "actions_executed",
    "redirect_url",
    "error_reason",
    "target_port_list",
    "target_status_code_list",
    "classification",
    "classification_reason",
    "conn_trace_id",
];

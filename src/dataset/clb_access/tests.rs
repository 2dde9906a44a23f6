//! Lines of every form, hostile lines, and the decoder against slow twins.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::CLB_ACCESS;
use crate::dataset::text_fields::tests::{
    assert_cells, assert_rejected, decode, decode_all, line_with, mutated,
};
use crate::dataset::{self, Dataset};
use crate::table::Naming;

/// The fields of a complete line.
const FIELDS: [&str; 15] = [
    "2026-11-28T15:00:00.945958Z",
    "old-shop",
    "203.0.113.7:2817",
    "10.0.0.1:80",
    "0.000073",
    "0.001048",
    "0.000057",
    "200",
    "200",
    "0",
    "29",
    "\"GET https://shop.example.com:443/ HTTP/1.1\"",
    "\"curl/7.38.0\"",
    "DHE-RSA-AES128-SHA",
    "TLSv1.2",
];

/// A complete line with another text for some fields, by their numbers from 1.
fn complete(others: &[(usize, &str)]) -> String {
    line_with(&FIELDS, others)
}

#[test]
fn every_field_of_a_complete_line_has_its_column() {
    let expected = json!({
        "event_time": "2026-11-28T15:00:00.945Z",
        "elb": "old-shop",
        "client_ip": "203.0.113.7",
        "client_port": 2817,
        "backend_ip": "10.0.0.1",
        "backend_port": 80,
        "request_processing_time": 0.000_073,
        "backend_processing_time": 0.001_048,
        "response_processing_time": 0.000_057,
        "elb_status_code": 200,
        "backend_status_code": 200,
        "received_bytes": 0,
        "sent_bytes": 29,
        "request": "GET https://shop.example.com:443/ HTTP/1.1",
        "request_method": "GET",
        "request_url": "https://shop.example.com:443/",
        "request_protocol": "HTTP/1.1",
        "user_agent": "curl/7.38.0",
        "ssl_cipher": "DHE-RSA-AES128-SHA",
        "ssl_protocol": "TLSv1.2",
    });
    assert_eq!(Value::Object(decode(&CLB_ACCESS, &FIELDS.join(" ")).unwrap().unwrap()), expected);
    let columns: Vec<String> =
        CLB_ACCESS.schema(Naming::Snake, &[]).columns.iter().map(|column| column.name.to_string()).collect();
    let expected = "event_time event_time_kst elb client_ip client_port backend_ip backend_port \
        request_processing_time backend_processing_time response_processing_time elb_status_code \
        backend_status_code received_bytes sent_bytes request request_method request_url request_protocol \
        user_agent ssl_cipher ssl_protocol extra source_object source_record";
    assert_eq!(columns.join(" "), expected);
}

#[test]
fn a_line_of_every_form_since_2014_is_a_row() {
    for count in 1..12 {
        assert_rejected(&CLB_ACCESS, &FIELDS[..count].join(" "), "missing_fields");
    }
    for count in 12..=15 {
        let row = decode(&CLB_ACCESS, &FIELDS[..count].join(" ")).unwrap().unwrap();
        assert_eq!(row["request_method"], "GET", "{count}");
        assert_eq!(row.contains_key("user_agent"), count >= 13, "{count}");
        assert_eq!(row.contains_key("ssl_protocol"), count == 15, "{count}");
    }
}

#[test]
fn hostile_lines_are_read_correctly_or_rejected() {
    for (line, expected) in [
        // Backslash quotes.
        (
            r#"2026-11-28T15:00:00.945958Z old-shop 203.0.113.7:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET https://shop.example.com:443/ HTTP/1.1" "\"nlpproject.info research\"" DHE-RSA-AES128-SHA TLSv1.2"#,
            Ok(
                json!({"user_agent": "\\\"nlpproject.info research\\\"", "ssl_cipher": "DHE-RSA-AES128-SHA", "ssl_protocol": "TLSv1.2"}),
            ),
        ),
        // Forged tail.
        (
            r#"2026-11-28T15:00:00.945958Z old-shop 203.0.113.7:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET https://shop.example.com:443/ HTTP/1.1" "x\" ECDHE-RSA-AES256-SHA TLSv1.9 \"y" DHE-RSA-AES128-SHA TLSv1.2"#,
            Ok(
                json!({"user_agent": "x\\\" ECDHE-RSA-AES256-SHA TLSv1.9 \\\"y", "ssl_cipher": "DHE-RSA-AES128-SHA", "ssl_protocol": "TLSv1.2", "extra": null}),
            ),
        ),
        // Tcp listener.
        (
            r#"2026-11-28T15:00:00.945958Z old-shop 203.0.113.7:2817 10.0.0.1:80 0.000073 0.001048 0.000057 - - 82 305 "- - - " "-" - -"#,
            Ok(
                json!({"elb_status_code": null, "backend_status_code": null, "request": null, "request_method": null, "request_url": null, "request_protocol": null, "user_agent": null, "ssl_cipher": null, "received_bytes": 82}),
            ),
        ),
        // Underscored cipher and future fields.
        (
            r#"2026-11-28T15:00:00.945958Z old-shop 203.0.113.7:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET https://shop.example.com:443/ HTTP/1.1" "curl/7.38.0" TLS_AES_128_GCM_SHA256 TLSv1.3 "z z" 4"#,
            Ok(
                json!({"ssl_cipher": "TLS_AES_128_GCM_SHA256", "ssl_protocol": "TLSv1.3", "extra": "\"z z\" 4"}),
            ),
        ),
    ] {
        match expected {
            Ok(cells) => assert_cells(&CLB_ACCESS, line, &cells),
            Err(reason) => assert_rejected(&CLB_ACCESS, line, reason),
        }
    }
}

#[test]
fn odd_values_have_their_meaning() {
    for (others, expected) in [
        (vec![(3, "2001:db8::7:443")], json!({"client_ip": "2001:db8::7", "client_port": 443})),
        (
            vec![(4, "-"), (5, "-1"), (6, "-1"), (7, "-1"), (8, "408"), (9, "-")],
            json!({"backend_ip": null, "backend_port": null, "backend_processing_time": -1.0, "backend_status_code": null}),
        ),
        (vec![(8, "504"), (9, "0")], json!({"elb_status_code": 504, "backend_status_code": 0})),
        (vec![(12, "\"- http://a:80- -\"")], json!({"request_method": null, "request_url": "http://a:80"})),
        (vec![(13, "\"-\""), (14, "-"), (15, "-")], json!({"user_agent": null, "ssl_cipher": null})),
        (vec![(13, "\"a \\\\\"")], json!({"user_agent": "a \\\\"})),
        (vec![(13, "\"a\"b\"")], json!({"user_agent": "a\"b"})),
        // Two fields of an ALB after the last one.
        (
            vec![(15, "TLSv1.2 arn:aws:elasticloadbalancing:r:123456789012:targetgroup/a/b \"Root=1-0\"")],
            json!({"extra": "arn:aws:elasticloadbalancing:r:123456789012:targetgroup/a/b \"Root=1-0\""}),
        ),
        (vec![(15, "TLSv1.2 \"new field\" 5 -")], json!({"extra": "\"new field\" 5 -"})),
        (vec![(15, "TLSv1.2 - -")], json!({"extra": "- -"})),
    ] {
        assert_cells(&CLB_ACCESS, &complete(&others), &expected);
    }
}

#[test]
fn a_line_that_a_client_or_a_cut_may_have_shifted_is_rejected() {
    for (others, reason) in [
        (vec![(1, "2026-11-28T15:00:00.945958")], "bad_time"),
        (vec![(2, "\"a\"")], "quoted_field"),
        (vec![(3, "203.0.113.7")], "bad_address"),
        (vec![(5, "fast")], "bad_number"),
        (vec![(8, "20")], "bad_number"),
        (vec![(11, "1.0")], "bad_number"),
        (vec![(12, "GET")], "unquoted_text"),
        (vec![(13, "curl")], "unquoted_text"),
        (vec![(13, "\"a \"b\"")], "stray_quote"),
        (vec![(14, "\"a\"")], "quoted_field"),
        // A text that ends with a backslash takes the quote after it, if AWS does not escape backslashes.
        (vec![(12, "\"GET / HTTP/1.1\\\"")], "stray_quote"),
        (vec![(13, "\"a\\\"")], "unclosed_quote"),
        (vec![(13, "\"torn in the middle")], "unclosed_quote"),
        // Raw quotes and a false tail.
        (vec![(13, "\"x\" ECDHE-RSA-AES256-SHA TLSv1.9 \"y\"")], "repeated_fields"),
        (vec![(13, "\"x\" a b \"y\""), (14, "-"), (15, "-")], "repeated_fields"),
        (vec![(12, "\"GET / HTTP/1.1\" \"x\" a b \"y\"")], "repeated_fields"),
        (vec![(12, "\"GET / HTTP/1.1\" \"x\" a b \"y \"")], "repeated_fields"),
    ] {
        assert_rejected(&CLB_ACCESS, &complete(&others), reason);
    }
    assert_rejected(&CLB_ACCESS, "the second half\" DHE-RSA-AES128-SHA TLSv1.2", "stray_quote");
}

#[test]
fn the_front_of_a_line_is_recognised_and_no_other_log_type_takes_it() {
    let line = FIELDS.join(" ");
    assert_eq!(decode(&CLB_ACCESS, "Enable AccessLog for ELB: old-shop at 2026-11-28T15:00:00.1Z"), None);
    for dataset in dataset::all() {
        assert_eq!(dataset.recognises(line.as_bytes()), dataset.name() == "clb-access", "{}", dataset.name());
    }
    assert!(CLB_ACCESS.recognises(&line.as_bytes()[..line.find("GET").unwrap()]));
    for other in [
        "2026-11-28T14:59:59.999999Z 203.0.113.1 36280 443 TLSv1.3 TLS_AES_128_GCM_SHA256 0.004 \"-\" - - - TID_1",
        "h2 2026-11-28T15:00:00.1Z app/shop/50dc 203.0.113.7:46532 10.0.1.5:8080 0.000 0.048 0.000 200 200 257 1024",
    ] {
        assert!(!CLB_ACCESS.recognises(other.as_bytes()), "{other}");
    }
}

proptest! {
    /// Even if AWS did not escape the quotes of a client, the client could not change the TLS version of the line.
    #[test]
    fn no_text_of_a_client_changes_a_field_of_aws(
        text in "(\" | \"|\"|\\\\|x|a b|\"-\" |TLSv1.9 ){0,9}",
        field in 12_usize..=13,
        is_plain in any::<bool>(),
    ) {
        let mut others = if is_plain { vec![(14, "-"), (15, "-")] } else { vec![] };
        let text = format!("\"{text}\"");
        others.push((field, &text));
        if let Ok(row) = decode(&CLB_ACCESS, &complete(&others)).unwrap() {
            let expected = if is_plain { None } else { Some(&json!("TLSv1.2")) };
            prop_assert_eq!(row.get("ssl_protocol"), expected, "{:?}", text);
        }
    }

    /// The slow twin is the regular expression of Athena's page on these logs, for texts without quotes.
    #[test]
    fn the_regular_expression_of_athena_gives_the_same_values(
        texts in prop::collection::vec("[!#-\\[\\]-~]{1,12}", 3),
        numbers in prop::collection::vec(0..i32::MAX, 2),
        seconds in prop::collection::vec(0..9_000_000, 3),
    ) {
        let mut fields = FIELDS.map(str::to_owned);
        fields[1].clone_from(&texts[0]);
        fields[11] = format!("\"GET http://a:80/{} HTTP/1.1\"", texts[1]);
        fields[12] = format!("\"{} x\"", texts[2]);
        for (place, number) in [9, 10].into_iter().zip(&numbers) {
            fields[place] = number.to_string();
        }
        for (place, millionths) in [4, 5, 6].into_iter().zip(&seconds) {
            fields[place] = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
        }
        let line = fields.join(" ");
        let groups = regex::Regex::new(ATHENA).unwrap();
        let groups = groups.captures(&line).expect("the expression accepts the line");
        let row = decode(&CLB_ACCESS, &line).unwrap().unwrap();
        for (number, column) in (1..).zip(OF_ATHENA) {
            let twin = groups[number].trim_matches('"');
            let twin = Some(twin).filter(|text| *text != "-");
            let found = row.get(column).map(|cell| cell.as_str().map_or(cell.to_string(), str::to_owned));
            let is_same = match (&found, twin) {
                (Some(found), Some(twin)) if column == "event_time" => twin.starts_with(&found.replace('Z', "")),
                (Some(found), Some(twin)) if column.ends_with("processing_time") => {
                    found.parse::<f64>().ok() == twin.parse::<f64>().ok()
                }
                (found, twin) => found.as_deref() == twin,
            };
            prop_assert!(is_same, "{}: {:?} and {:?}", column, found, twin);
        }
    }

    /// Mutated lines do not panic, and the ledger of their rows balances.
    #[test]
    fn mutated_lines_are_rows_or_rejections(
        count in 10_usize..=17,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let whole = format!("{} \"a\" b", FIELDS.join(" "));
        let fields: Vec<&str> = whole.split(' ').collect();
        decode_all(&CLB_ACCESS, &mutated(fields[..count].join(" ").into_bytes(), &edits));
    }
}

/// AWS, "Create the table for Classic Load Balancer logs in Athena".
const ATHENA: &str = concat!(
    "^([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*)[:-]([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-.0-9]*) (|[-0-9]*) (-|[-0-9]*) ",
    r#"([-0-9]*) ([-0-9]*) "([^ ]*) ([^ ]*) (- |[^ ]*)" ("[^"]*") ([A-Z0-9-]+) ([A-Za-z0-9.-]*)$"#
);

/// The columns of its groups.
const OF_ATHENA: [&str; 19] = [
    "event_time",
    "elb",
    "client_ip",
    "client_port",
    "backend_ip",
    "backend_port",
    "request_processing_time",
    "backend_processing_time",
    "response_processing_time",
    "elb_status_code",
    "backend_status_code",
    "received_bytes",
    "sent_bytes",
    "request_method",
    "request_url",
    "request_protocol",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
];

//! Lines of every form, hostile lines, keys, and the decoder against slow twins.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::CLOUDFRONT;
use crate::dataset::text_fields::tests::{Outcome, decode_all, decode_object};
use crate::dataset::{Dataset, KeyClaim, KeyTime, all, object_key};
use crate::kst::UtcInstant;
use crate::table::Naming;

/// The names of version 1 and the values of a complete line.
const LINE: [(&str, &str); 35] = [
    ("date", "2026-11-28"),
    ("time", "15:00:00"),
    ("x-edge-location", "ICN57-P1"),
    ("sc-bytes", "1045619"),
    ("c-ip", "203.0.113.7"),
    ("cs-method", "GET"),
    ("cs(Host)", "d111111abcdef8.cloudfront.net"),
    ("cs-uri-stem", "/view/my/file.html"),
    ("sc-status", "200"),
    ("cs(Referer)", "www.example.com"),
    ("cs(User-Agent)", "Mozilla/5.0%20(X11;%20Linux%20x86_64)"),
    ("cs-uri-query", "a=b%20c"),
    ("cs(Cookie)", "zip 98101"),
    ("x-edge-result-type", "Hit"),
    ("x-edge-request-id", "SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ=="),
    ("x-host-header", "www.example.com"),
    ("cs-protocol", "https"),
    ("cs-bytes", "23"),
    ("time-taken", "0.001"),
    ("x-forwarded-for", "192.0.2.1, 192.0.2.2"),
    ("ssl-protocol", "TLSv1.3"),
    ("ssl-cipher", "TLS_AES_128_GCM_SHA256"),
    ("x-edge-response-result-type", "Hit"),
    ("cs-protocol-version", "HTTP/2.0"),
    ("fle-status", "Processed"),
    ("fle-encrypted-fields", "2"),
    ("c-port", "11040"),
    ("time-to-first-byte", "0.001"),
    ("x-edge-detailed-result-type", "Hit"),
    ("sc-content-type", "text/html"),
    ("sc-content-len", "78"),
    ("sc-range-start", "0"),
    ("sc-range-end", "77"),
    ("distribution-tenant-id", "dt_2te1Ura9X3R2iCGNjW123"),
    ("connection-id", "BO9RZ"),
];

/// The fields that only version 2 has, with values.
const OF_VERSION_2: [(&str, &str); 10] = [
    ("timestamp(ms)", "1795877999999"),
    ("timestamp", "1795877999"),
    ("origin-fbl", "0.254"),
    ("origin-lbl", "0.25"),
    ("asn", "4294967295"),
    ("c-country", "KR"),
    ("cache-behavior-path-pattern", "*"),
    ("viewer-request-log-data", "vip%22"),
    ("viewer-response-log-data", "x"),
    ("DistributionId", "E2ABCDEFGHIJKL"),
];

const NAME: &str = "p/E13XOUZ3C0STES.2026-11-28-15.a1b2c3d4.gz";

/// A header and a line of some fields.
fn w3c(fields: &[(&str, &str)]) -> String {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let values: Vec<&str> = fields.iter().map(|(_, value)| *value).collect();
    format!("#Version: 1.0\n#Fields: {}\n{}\n", names.join(" "), values.join("\t"))
}

/// Returns the column of a field.
fn column_of(name: &str) -> String {
    match name {
        "timestamp" => "timestamp_s".to_owned(),
        "DistributionId" => "distribution_id".to_owned(),
        _ => name.to_lowercase().replace(['-', '('], "_").replace(')', ""),
    }
}

fn with(name: &str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    LINE.iter().map(|(known, old)| (*known, if *known == name { value } else { *old })).collect()
}

fn decode(text: &str) -> Outcome {
    let mut outcomes = decode_all(&CLOUDFRONT, text.as_bytes());
    assert_eq!(outcomes.len(), 1, "{text}");
    outcomes.remove(0)
}

fn row(text: &str) -> Map<String, Value> {
    decode(text).unwrap_or_else(|fault| panic!("{fault:?}: {text}"))
}

fn reason(text: &str) -> &'static str {
    decode(text).expect_err(text).0
}

fn assert_cells(text: &str, expected: &Value) {
    let row = row(text);
    for (column, value) in expected.as_object().unwrap() {
        assert_eq!(row.get(column).unwrap_or(&Value::Null), value, "{column} of {text}");
    }
}

#[test]
fn every_field_of_both_versions_has_its_column() {
    let fields: Vec<_> = LINE.into_iter().chain(OF_VERSION_2).collect();
    let mut expected = json!({"event_time": "2026-11-28T14:59:59.999Z"});
    for (name, value) in fields.iter().filter(|(name, _)| !["date", "time"].contains(name)) {
        let number = value.parse::<f64>().ok().filter(|number| number.fract() != 0.0).map(Value::from);
        let number = value.parse::<i64>().ok().map(Value::from).or(number);
        expected[column_of(name)] = number.unwrap_or_else(|| (*value).into());
    }
    assert_eq!(Value::Object(row(&w3c(&fields))), expected);
    let names: Map<String, Value> =
        fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    assert_eq!(Value::Object(row(&Value::Object(names).to_string())), expected);
    let columns = CLOUDFRONT.schema(Naming::Snake, &[]).columns;
    assert_eq!(columns.len(), expected.as_object().unwrap().len() + 4);
}

#[test]
fn lines_without_a_header_have_the_fields_of_a_known_form() {
    let line_of = |count: usize| LINE[..count].iter().map(|(_, value)| *value).collect::<Vec<_>>().join("\t");
    for count in 1..=35 {
        let is_known = [12, 15, 18, 19, 24, 26, 33, 34, 35].contains(&count);
        match decode(&line_of(count)) {
            Ok(row) => {
                assert!(is_known, "{count}");
                assert_eq!(row["cs_uri_query"], "a=b%20c");
                assert_eq!(row.contains_key("sc_range_end"), count >= 33, "{count}");
            }
            Err((reason, _)) => assert_eq!((is_known, reason), (false, "missing_fields"), "{count}"),
        }
    }
    assert_cells(&format!("{}\tx\ty", line_of(35)), &json!({"extra": "{\"\":\"x\\ty\"}"}));
}

#[test]
fn hostile_lines_are_read_correctly_or_rejected() {
    // Forged tail in user agent, and text that is encoded twice: nothing is decoded.
    let agent = "x%09-%09-%09Error%0A2020-01-01";
    assert_cells(
        &w3c(&with("cs(User-Agent)", agent)),
        &json!({"cs_user_agent": agent, "x_edge_result_type": "Hit", "sc_range_end": 77, "extra": null}),
    );
    assert_cells(&w3c(&with("cs-uri-query", "q=%2525")), &json!({"cs_uri_query": "q=%2525"}));
    // Cut.
    let whole = w3c(&LINE);
    let cut = whole.rsplitn(16, '\t').last().unwrap();
    assert_eq!(reason(cut), "missing_fields");
    // Header with new names.
    let mut fields = LINE.to_vec();
    fields.insert(5, ("x-new-thing", "7\"\\\u{1}"));
    fields.push(("x-newer", "-"));
    assert_cells(
        &w3c(&fields),
        &json!({"c_ip": "203.0.113.7", "cs_method": "GET", "extra": "{\"x-new-thing\":\"7\\\"\\\\\\u0001\"}"}),
    );
    // Version 2: milliseconds decide, forged JSON in user agent, a choice of fields in an order of the user, and a cut line.
    assert_cells(
        r#"{"date":"2026-11-28","time":"14:59:59","timestamp(ms)":"1795877999999","x-edge-location":"ICN57-P1","c-ip":"203.0.113.7","sc-status":"200","cs(User-Agent)":"curl/8","x-edge-request-id":"SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ=="}"#,
        &json!({"event_time": "2026-11-28T14:59:59.999Z", "timestamp_ms": 1_795_877_999_999_i64, "sc_status": 200, "extra": null}),
    );
    assert_cells(
        r#"{"date":"2026-11-28","time":"14:59:59","timestamp(ms)":"1795877999999","x-edge-location":"ICN57-P1","c-ip":"203.0.113.7","sc-status":"200","cs(User-Agent)":"x%22,%22sc-status%22:%22500","x-edge-request-id":"SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==","cs(Cookie)":"a=\"b\\"}"#,
        &json!({"cs_user_agent": "x%22,%22sc-status%22:%22500", "cs_cookie": "a=\"b\\", "sc_status": 200}),
    );
    let header = "#Fields: timestamp(ms) c-country c-ip date time viewer-request-log-data asn\n";
    assert_cells(
        &format!("{header}1795877999999\t-\t203.0.113.7\t2026-11-28\t14:59:59\tvip%22%20row%3D1\t16509\n"),
        &json!({
            "event_time": "2026-11-28T14:59:59.999Z", "c_country": null, "c_ip": "203.0.113.7",
            "viewer_request_log_data": "vip%22%20row%3D1", "asn": 16_509, "extra": null
        }),
    );
    assert_eq!(reason(&format!("{header}1795877999999\t-\t203.0.113.7\n")), "missing_fields");
}

#[test]
fn odd_values_have_their_meaning_or_are_rejected() {
    for (name, value, expected) in [
        ("sc-status", "000", json!({"sc_status": 0})),
        ("sc-status", "", json!({"sc_status": null})),
        ("time-taken", "-", json!({"time_taken": null})),
        ("cs-method", "\"-\"", json!({"cs_method": null})),
        ("c-ip", "2001:db8::1", json!({"c_ip": "2001:db8::1"})),
    ] {
        assert_cells(&w3c(&with(name, value)), &expected);
    }
    for (name, value, expected) in [
        ("sc-status", "OK", "bad_number"),
        ("c-port", "2147483648", "bad_number"),
        ("sc-bytes", "1.5", "bad_number"),
        ("time-taken", "1e3", "bad_number"),
        ("date", "2026-11-31", "bad_time"),
        ("date", "2026-11-280", "bad_time"),
        ("time", "24:00:00", "bad_time"),
        ("time", "15:00", "bad_time"),
        ("time", "-", "no_time"),
    ] {
        assert_eq!(reason(&w3c(&with(name, value))), expected, "{name} {value}");
    }
    let (_, detail) = decode(&w3c(&with("sc-status", "OK"))).unwrap_err();
    assert_eq!(detail, "a number is neither digits nor a dash (field sc-status)");
}

#[test]
fn the_event_time_is_that_of_the_finest_field() {
    for (line, expected) in [
        (
            r#"{"timestamp(ms)":"1795877999999","date":"2020-01-01","time":"00:00:00"}"#,
            "2026-11-28T14:59:59.999Z",
        ),
        (r#"{"timestamp":1795877999,"date":"2020-01-01","time":"00:00:01"}"#, "2020-01-01T00:00:01Z"),
        (r#"{"timestamp":1795877999,"timestamp(ms)":"-","date":null}"#, "2026-11-28T14:59:59Z"),
    ] {
        assert_cells(line, &json!({"event_time": expected}));
    }
    for (line, expected) in [
        (r#"{"asn":"1"}"#, "no_time"),
        (r#"{"timestamp(ms)":"253402300800000"}"#, "bad_time"),
        (r#"{"timestamp(ms)":"-1"}"#, "bad_time"),
        (r#"{"timestamp(ms)":"1.5"}"#, "bad_number"),
        (r#"{"timestamp":"1","timestamp":"2"}"#, "repeated_key"),
        (r#"{"timestamp":"1","x":"1","\u0078":"2"}"#, "repeated_key"),
        (r#"{"timestamp":"1"} {}"#, "bad_json"),
        (r#"{"timestamp":"1""#, "bad_json"),
        (r#"{"timestamp":"1",}"#, "bad_json"),
        ("{}", "no_time"),
    ] {
        assert_eq!(reason(line), expected, "{line}");
    }
    let deep = format!("{{\"timestamp\":\"1\",\"x\":{}{}}}", "[".repeat(600), "]".repeat(600));
    assert_eq!(reason(&deep), "bad_json");
}

#[test]
fn json_keeps_unknown_names_verbatim() {
    assert_cells(
        r#"{"timestamp":"1","x":{"a": 1.0},"cs(User\u002dAgent)":"a\tb","y":null,"z":"-"}"#,
        &json!({"cs_user_agent": "a\tb", "extra": "{\"x\":{\"a\": 1.0}}"}),
    );
}

#[test]
fn a_header_holds_until_the_next_one_or_the_end_of_the_object() {
    let two = format!("{}{}", w3c(&LINE[..12]), w3c(&[("c-ip", "192.0.2.9"), ("timestamp", "1")]));
    let rows: Vec<_> = decode_all(&CLOUDFRONT, two.as_bytes()).into_iter().map(Result::unwrap).collect();
    assert_eq!((&rows[0]["c_ip"], &rows[1]["c_ip"]), (&json!("203.0.113.7"), &json!("192.0.2.9")));
    assert_eq!(rows[1]["event_time"], "1970-01-01T00:00:01Z");
    let spaced = w3c(&LINE).replace(" time ", "\t time\u{200b} ");
    assert_cells(&spaced.replace('\n', "\r\n"), &json!({"connection_id": "BO9RZ"}));
    let twice = "#Fields: timestamp c-ip c-ip\n1\t2\t3\n";
    assert_eq!(reason(twice), "repeated_name");
    let streaming = "#Fields: date\ttime\tx-edge-location\tc-ip\tx-event\n2010-03-12\t23:51:20\tSEA4\t192.0.2.147\tconnect\n";
    assert_eq!(reason(streaming), "rtmp");
    // A method of HTTP can begin with a number sign.
    assert_eq!(reason("#Fields: cs-method timestamp\n#GET\tx\n"), "bad_number");
    assert!(decode_all(&CLOUDFRONT, b"#Software: x\n\n").is_empty());
}

#[test]
fn the_name_of_the_object_shows_the_distribution() {
    let text = w3c(&LINE);
    let outcomes = decode_object(&CLOUDFRONT, NAME, text.as_bytes());
    assert_eq!(outcomes[0].as_ref().unwrap()["distribution_id"], "E13XOUZ3C0STES");
    let own = r#"{"timestamp":"1","DistributionId":"E2ABCDEFGHIJKL"}"#;
    let outcomes = decode_object(&CLOUDFRONT, NAME, own.as_bytes());
    assert_eq!(outcomes[0].as_ref().unwrap()["distribution_id"], "E2ABCDEFGHIJKL");
    assert!(!row(&text).contains_key("distribution_id"));
}

#[test]
fn keys_are_claimed_by_their_names() {
    let hour = UtcInstant::parse_iso8601("2026-11-28T15:00:00Z").unwrap();
    let (first, second) = (
        KeyClaim::Mine(KeyTime::stretch(hour, 3_600_000, 7_200_000)),
        KeyClaim::Mine(KeyTime::Delivered(hour.plus_ms(3_600_000))),
    );
    let name = "E13XOUZ3C0STES.2026-11-28-15.a1b2c3d4.gz";
    for (path, expected) in [
        (NAME.to_owned(), first),
        (name.to_owned(), first),
        (name.replace(".gz", ""), first),
        (format!("AWSLogs/111122223333/CloudFront/{name}"), second),
        (format!("x/E13XOUZ3C0STES/2026/11/28/15/{name}"), second),
        (
            format!(
                "AWSLogs/aws-account-id=111122223333/CloudFront/DistributionId=E13XOUZ3C0STES/year=2026/month=11/day=28/hour=15/{name}"
            ),
            second,
        ),
        (format!("x/{}", name.replace(".gz", ".parquet")), KeyClaim::NotMine(object_key::IN_PARQUET)),
        ("AWSLogs/111122223333/CloudTrail/".to_owned(), KeyClaim::NotMine("log of another AWS service")),
        ("AWSLogs/111122223333/CloudFront/".to_owned(), KeyClaim::Unclear),
        (name.replace("11-28", "11-31"), KeyClaim::Unclear),
        (name.to_lowercase(), KeyClaim::Unclear),
        ("E1.2026-11-28-15.a1b2c3d4.gz".to_owned(), KeyClaim::Unclear),
        ("2026-11-28-15-00-00-23B392B734E22958".to_owned(), KeyClaim::Unclear),
        ("aws-waf-logs-x-1-2026-11-28-15-00-00-0a1b".to_owned(), KeyClaim::Unclear),
        ("111122223333_CloudTrail_us-east-1_20261128T1500Z_x.json.gz".to_owned(), KeyClaim::Unclear),
        (String::new(), KeyClaim::Unclear),
    ] {
        assert_eq!(CLOUDFRONT.claim(&path), expected, "{path}");
        if matches!(expected, KeyClaim::Mine(_)) {
            let others = all().filter(|other| other.name() != "cloudfront");
            for other in others {
                assert!(!matches!(other.claim(&path), KeyClaim::Mine(_)), "{} of {path}", other.name());
            }
        }
    }
    assert_eq!(CLOUDFRONT.time_in_key(NAME).unwrap().start, "p/E13XOUZ3C0STES.".len());
    assert_eq!(CLOUDFRONT.time_in_key(&format!("CloudFront/{name}")), None);
    for (folder, expected) in [
        ("AWSLogs/111122223333/CloudFront", true),
        ("AWSLogs/111122223333/CloudFront/E13XOUZ3C0STES", true),
        ("x/DistributionId=E13XOUZ3C0STES", true),
        ("AWSLogs/111122223333/CloudTrail/us-east-1", false),
    ] {
        assert_eq!(CLOUDFRONT.holds_days(folder), expected, "{folder}");
    }
    let origin = CLOUDFRONT.origin("AWSLogs/111122223333/CloudFront/E13XOUZ3C0STES/x");
    assert_eq!((origin.account, origin.region), (Some("111122223333"), None));
}

#[test]
fn the_first_bytes_show_the_log_type() {
    let first_line = w3c(&LINE).lines().last().unwrap().to_owned();
    for (head, expected) in [
        (w3c(&LINE), true),
        (w3c(&LINE)[..200].to_owned(), true),
        (first_line.clone(), true),
        (first_line[..200].to_owned(), true),
        (first_line[..60].to_owned(), false),
        (r#"{"date":"2026-11-28","x-edge-location":"ICN"#.to_owned(), false),
        (r#"{"date":"2026-11-28","x-edge-location":"ICN","#.to_owned(), true),
        (r#"{"Records":[{"eventTime":"2026-11-28T15:00:00Z"}]}"#.to_owned(), false),
        ("#Software: Microsoft IIS\n#Fields: date time s-ip cs-method cs-uri-stem\n".to_owned(), false),
        ("#Fields: date time x-edge-location c-ip x-event\n".to_owned(), false),
        ("#Version: 1.0\n".to_owned(), false),
        (String::new(), false),
        ("\u{fffd}\0\t\t\t\t\t\t\t\t\t\t\t\t".to_owned(), false),
    ] {
        assert_eq!(CLOUDFRONT.recognises(head.as_bytes()), expected, "{head}");
    }
}

/// The slow twin: the values of a line by the names of a header, without kinds.
fn slow(names: &[&str], values: &[String]) -> Map<String, Value> {
    let null = |text: &str| matches!(text, "-" | "" | "\"-\"");
    let pairs = names.iter().zip(values).filter(|(_, value)| !null(value));
    pairs.map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect()
}

proptest! {
    #[test]
    fn texts_are_those_of_the_slow_twin_in_any_order(
        order in Just(vec!["c-ip", "cs-method", "cs(Host)", "x-new", "timestamp", "c-country", "y"]).prop_shuffle(),
        values in prop::collection::vec("[a-z\"\\\\ %\u{ac00}-]{0,4}", 7),
    ) {
        let values: Vec<String> =
            order.iter().zip(values).map(|(name, value)| if *name == "timestamp" { "1".to_owned() } else { value }).collect();
        // A line that begins with a brace is JSON, and one with a number sign can be a directive.
        let text = format!("#Fields: {}\n{}\n", order.join(" "), values.join("\t"));
        let outcomes = decode_all(&CLOUDFRONT, text.as_bytes());
        prop_assert_eq!(outcomes.len(), 1);
        let row = outcomes[0].as_ref().unwrap();
        let expected = slow(&order, &values);
        let extra: Map<String, Value> = row.get("extra").map_or_else(Map::new, |extra| serde_json::from_str(extra.as_str().unwrap()).unwrap());
        for (name, column) in [("c-ip", "c_ip"), ("cs-method", "cs_method"), ("cs(Host)", "cs_host"), ("c-country", "c_country")] {
            prop_assert_eq!(row.get(column), expected.get(name), "{}", name);
        }
        for name in ["x-new", "y"] {
            prop_assert_eq!(extra.get(name), expected.get(name), "{}", name);
        }
    }

    /// No damage stops the decoder, and every line is a row, a rejection or a directive.
    #[test]
    fn mutated_objects_are_decoded_without_a_panic(
        cuts in prop::collection::vec((0_usize..2000, any::<u8>()), 0..6),
        json in any::<bool>(),
    ) {
        let mut bytes = if json {
            let names: Map<String, Value> = LINE.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            format!("{0}\n{0}\n", Value::Object(names)).into_bytes()
        } else {
            format!("{}{}", w3c(&LINE), w3c(&LINE[..26])).into_bytes()
        };
        for (at, byte) in cuts {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        prop_assert!(decode_all(&CLOUDFRONT, &bytes).len() <= lines);
        CLOUDFRONT.recognises(&bytes);
    }
}

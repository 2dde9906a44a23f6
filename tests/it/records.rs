//! Unusual CloudTrail records are kept if their meaning is clear. Otherwise only the record itself is quarantined.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Day, Row, Table, Workdir, document, event, gz, text, without};

/// Publishes one file of records.
fn publish(records: &[impl std::fmt::Display]) -> Day {
    publish_bytes(document(records))
}

fn publish_bytes(content: impl AsRef<[u8]>) -> Day {
    let work = Workdir::new();
    work.cloudtrail("a", gz(content));
    work.run(Table::CLOUDTRAIL).allow_rejects().publishes(Table::CLOUDTRAIL)
}

/// The row of one event with `overrides`.
fn row_with(overrides: Value) -> Row {
    publish(&[event("id", overrides)]).row("event_id", "id")
}

/// Puts each record between two valid ones. Only the record must be rejected, with its reason and text.
fn check_rejected(cases: &[(&str, &str)]) {
    let mut records = vec![event("good 0", json!({})).to_string()];
    for (number, (record, _)) in (1..).zip(cases) {
        records.extend([(*record).to_owned(), event(&format!("good {number}"), json!({})).to_string()]);
    }
    let day = publish(&records);
    let good = cases.len() + 1;
    assert_eq!(day.ledger(), [good + cases.len(), good, 0, 0, cases.len()].map(|count| count as u64));
    assert_eq!(day.values("event_id").len(), good);
    for (line, (number, (record, reason))) in day.quarantine().iter().zip((1..).zip(cases)) {
        assert_eq!((line["record"].as_u64(), text(&line["reason"])), (Some(2 * number), *reason), "{record}");
        assert_eq!(text(&line["raw"]), *record);
    }
}

#[test]
fn only_the_invalid_element_is_quarantined() {
    check_rejected(&[
        ("\"text\"", "not_an_object"),
        ("17", "not_an_object"),
        ("null", "not_an_object"),
        ("true", "not_an_object"),
        ("[{}]", "not_an_object"),
        ("{}", "missing_event_time"),
        ("{\"eventTime\":\"2023-11-01T03:00:00Z\",\"a\":tru}", "invalid_json"),
        ("{\"eventTime\" \"2023-11-01T03:00:00Z\"}", "invalid_json"),
        ("{'eventTime':1}", "invalid_json"),
        ("{\"a\":01}", "invalid_json"),
        ("{\"a\":\"\t\"}", "invalid_json"),
    ]);
}

#[test]
fn an_event_notification_is_not_a_cloudtrail_record() {
    let of_s3 =
        json!({"eventVersion": "2.1", "eventSource": "aws:s3", "s3": {"bucket": {"name": "results"}}});
    let of_sqs = without(event("x", json!({"eventSource": "aws:sqs"})), "eventTime").to_string();
    check_rejected(&[
        (&event("x", of_s3.clone()).to_string(), "event_notification"),
        (&of_sqs, "event_notification"),
    ]);
    let work = Workdir::new();
    work.write("raw/export.json", document([event("notified", of_s3)]));
    work.write("raw/trail.json", document([event("logged", json!({}))]).replace("Rec", "\\u0052\\u0065c"));
    let day = work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    assert_eq!((day.values("event_id"), day.quarantine().len()), (vec!["logged".to_owned()], 0));
}

#[test]
fn a_record_without_a_valid_time_is_quarantined() {
    let with_time = |time: Value| event("x", json!({"eventTime": time})).to_string();
    let without_time = without(event("x", json!({})), "eventTime").to_string();
    let cases: Vec<(String, &str)> = [
        json!(null),
        json!(""),
        json!("yesterday"),
        json!("2023-02-30T00:00:00Z"),
        json!("2023-11-01T03:00:00"),
        json!("2023-11-01T25:00:00Z"),
        json!(1_698_807_600),
        json!({"at": "2023-11-01T03:00:00Z"}),
    ]
    .map(|time| {
        let reason = if time.is_null() { "missing_event_time" } else { "bad_event_time" };
        (with_time(time), reason)
    })
    .into_iter()
    .chain([(without_time, "missing_event_time")])
    .collect();
    check_rejected(&cases.iter().map(|(record, reason)| (record.as_str(), *reason)).collect::<Vec<_>>());
}

#[test]
fn invalid_utf8_quarantines_only_its_record() {
    let [before, broken, after] = ["before", "br@ken", "after"].map(|id| event(id, json!({})).to_string());
    let broken: Vec<u8> = broken.bytes().map(|byte| if byte == b'@' { 0xff } else { byte }).collect();
    let content =
        [b"{\"Records\":[", before.as_bytes(), b",", &broken, b",", after.as_bytes(), b"]}"].concat();
    let day = publish_bytes(content);
    assert_eq!(day.values("event_id"), ["after", "before"]);
    let line = &day.quarantine()[0];
    assert_eq!((line["record"].as_u64(), text(&line["reason"])), (Some(2), "invalid_utf8"));
    assert_eq!(text(&line["encoding"]), "base64");
    assert_eq!(STANDARD.decode(text(&line["raw"])).unwrap(), broken);
}

#[test]
fn a_field_of_ten_megabytes_is_kept_whole() {
    let long: String = (0..10_000_000_u32).map(|place| char::from(b'a' + (place % 23) as u8)).collect();
    let row = row_with(json!({"userAgent": long, "requestParameters": {"body": long}}));
    assert!(row["user_agent"] == long.as_str(), "the text should be unchanged");
    let body = format!("{{\"body\":\"{long}\"}}");
    assert!(row["request_parameters"] == body.as_str(), "the JSON should be unchanged");
}

/// The first long record fits a buffer and is rejected whole. The second is skipped while it is read.
#[test]
fn a_record_over_32_mebibytes_is_quarantined_and_the_next_one_kept() {
    let endless = |mebibytes: usize| {
        let text = "x".repeat(mebibytes << 20);
        format!("{{\"eventTime\":\"2023-11-01T03:00:00Z\",\"eventID\":\"long\",\"a\":\"{text}}},{{\"}}")
    };
    let good = |id: &str| event(id, json!({})).to_string();
    let day = publish(&[good("before"), endless(33), good("between"), endless(65), good("after")]);
    assert_eq!(day.values("event_id"), ["after", "before", "between"]);
    assert_eq!(day.row("event_id", "after")["source_record"], 5);
    let quarantine = day.quarantine();
    let rejected: Vec<_> =
        quarantine.iter().map(|line| (line["record"].as_u64(), text(&line["reason"]))).collect();
    assert_eq!(rejected, [(Some(2), "too_long"), (Some(4), "too_long")]);
    assert_eq!(text(&quarantine[0]["raw"]).len(), 1 << 20, "the quarantine should keep the first MiB");
}

#[test]
fn an_object_that_ends_inside_a_long_record_is_damaged() {
    let work = Workdir::new();
    let front = document([event("kept", json!({}))]);
    let endless = format!("{},{{\"a\":\"{}", front.strip_suffix("]}").unwrap(), "x".repeat(65 << 20));
    work.cloudtrail("a", gz(endless));
    let day = work.run(Table::CLOUDTRAIL).allow_rejects().publishes(Table::CLOUDTRAIL);
    assert_eq!((day.values("event_id").len(), day.quarantine().len()), (1, 1));
    assert_eq!(day.inputs()[0]["damaged"], true, "the rest of the object is unknown");
}

#[test]
fn nesting_is_limited_in_depth() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":[".repeat(depth / 2), "]}".repeat(depth / 2));
    let record = |id: &str, depth: usize| {
        event(id, json!({"requestParameters": "@"})).to_string().replace("\"@\"", &nested(depth))
    };
    let day = publish(&[record("flat", 2), record("deep", 100), record("too deep", 600), record("next", 2)]);
    assert_eq!(day.values("event_id"), ["deep", "flat", "next"]);
    assert_eq!(day.row("event_id", "deep")["request_parameters"], nested(100));
    let line = &day.quarantine()[0];
    assert_eq!((line["record"].as_u64(), text(&line["reason"])), (Some(3), "too_deep"));
}

#[test]
fn the_last_of_duplicate_keys_counts() {
    let record = event("first", json!({"userIdentity": {"type": "Root", "arn": "first"}})).to_string();
    let identity = r#""userIdentity":{"type":"Role"},"vpcEndpointId":"a","vpcEndpointId":null"#;
    let again = format!(r#","eventID":"last","eventTime":"2023-11-01T04:00:00Z",{identity}}}"#);
    let day = publish(&[format!("{}{again}", record.strip_suffix('}').unwrap())]);
    let row = day.row("event_id", "last");
    assert_eq!(
        (&row["event_time"], &row["user_identity_type"]),
        (&json!("2023-11-01T04:00:00"), &json!("Role"))
    );
    assert_eq!((row.get("user_identity_arn"), row.get("vpc_endpoint_id")), (None, None));
}

#[test]
fn json_columns_hold_the_exact_logged_text() {
    let parameters =
        r#"{ "z":1e400, "a" : 9007199254740993,"e":-0.0,  "s":"\u00e9\/é\ud83d", "n":null, "a":[ ] }"#;
    let record = event("id", json!({"requestParameters": "@", "responseElements": "@"})).to_string();
    let row = publish(&[record.replace("\"@\"", parameters)]).row("event_id", "id");
    assert_eq!(
        (&row["request_parameters"], &row["response_elements"]),
        (&json!(parameters), &json!(parameters))
    );
}

#[test]
fn values_of_another_type_are_converted_or_kept_in_extra() {
    for (overrides, column, expected, extra) in [
        (json!({"readOnly": "true"}), "read_only", Some(json!(true)), None),
        (json!({"readOnly": "false"}), "read_only", Some(json!(false)), None),
        (json!({"readOnly": null}), "read_only", None, None),
        (json!({"readOnly": "perhaps"}), "read_only", None, Some(json!({"readOnly": "perhaps"}))),
        (json!({"readOnly": 1}), "read_only", None, Some(json!({"readOnly": 1}))),
        (json!({"sourceIPAddress": 17}), "source_ip_address", Some(json!("17")), None),
        (json!({"sourceIPAddress": ["a"]}), "source_ip_address", Some(json!("[\"a\"]")), None),
        (json!({"userIdentity": null}), "user_identity_type", None, None),
        (json!({"userIdentity": "AWS"}), "user_identity_type", None, Some(json!({"userIdentity": "AWS"}))),
        (json!({"userIdentity": {"type": {"a": 1}}}), "user_identity_type", Some(json!("{\"a\":1}")), None),
        (json!({"eventName": null}), "event_name", None, None),
        (json!({"resources": [{"ARN": "r"}]}), "resources_arn", Some(json!(["r"])), None),
        (json!({"resources": "all"}), "resources_arn", None, Some(json!({"resources": "all"}))),
    ] {
        let row = row_with(overrides.clone());
        assert_eq!(row.get(column), expected.as_ref(), "{overrides}");
        let found = row.get("extra").map(|extra| serde_json::from_str::<Value>(text(extra)).unwrap());
        assert_eq!(found, extra, "{overrides}");
    }
}

#[test]
fn a_record_with_only_a_time_is_a_row() {
    let day = publish(&[json!({"eventTime": "2023-11-01T03:00:00Z"})]);
    assert_eq!(
        day.rows()[0].keys().collect::<Vec<_>>(),
        ["event_time", "event_time_kst", "source_object", "source_record"]
    );
}

#[test]
fn unknown_fields_are_kept_in_extra() {
    let row = row_with(json!({
        "newField": {"a": [1, null]},
        "userIdentity": {"type": "Role", "newPart": 7, "sessionContext": {"newDepth": "x"}},
        "tlsDetails": {"tlsVersion": "TLSv1.3", "newSuite": true},
    }));
    let extra: Value = serde_json::from_str(text(&row["extra"])).unwrap();
    let expected = json!({
        "newField": {"a": [1, null]},
        "userIdentity.newPart": 7,
        "userIdentity.sessionContext.newDepth": "x",
        "tlsDetails.newSuite": true,
    });
    assert_eq!(extra, expected);
    assert_eq!(row["tls_details_tls_version"], "TLSv1.3");
}

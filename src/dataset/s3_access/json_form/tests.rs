//! Records in JSON: every field, unexpected values, hostile texts, and which records equal a text line.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::dataset::s3_access::S3Access;
use crate::dataset::text_fields::tests::{Outcome, assert_cells, assert_rejected, decode, decode_all};
use crate::dataset::{Dataset, DecodeLimits};
use crate::kst::DayRange;
use crate::table::{Identity, Naming};

/// A record of a client's GET request, with all keys in AWS's order.
fn record() -> Value {
    let text = concat!(
        r#"{"schema_version_id":"V_1_0","bucket_arn":"arn:aws:s3:::my-data-bucket","bucket_name":"my-data-bucket","#,
        r#""request_time":"2026-11-28T14:59:59.999Z","#,
        r#""bucket_owner_id":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be","#,
        r#""remote_ip":"203.0.113.45","requester":"arn:aws:iam::123456789012:role/DataAnalystRole","#,
        r#""request_id":"3E57427F33A59F07","operation":"REST.GET.OBJECT","key_name":"reports/2026/q.parquet","#,
        r#""request_uri":"GET /my-data-bucket/reports/2026/q.parquet HTTP/1.1","http_status":200,"error_code":null,"#,
        r#""bytes_sent_size":1048576,"object_size":1048576,"total_duration":45,"turn_around_duration":12,"#,
        r#""referer":null,"user_agent":"aws-sdk-java/2.20.0","version_id":null,"#,
        r#""host_id":"s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234=","#,
        r#""signature_version":"SigV4","cipher_suite":"TLS_AES_128_GCM_SHA256","authentication_type":"AuthHeader","#,
        r#""host_header":"my-data-bucket.s3.us-east-1.amazonaws.com","tls_version":"TLSv1.3","#,
        r#""access_point_arn":null,"acl_required":false,"source_region":"us-east-1"}"#,
    );
    serde_json::from_str(text).unwrap()
}

/// The text line of the same request.
const LINE: &str = r#"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be my-data-bucket [28/Nov/2026:14:59:59 +0000] 203.0.113.45 arn:aws:iam::123456789012:role/DataAnalystRole 3E57427F33A59F07 REST.GET.OBJECT reports/2026/q.parquet "GET /my-data-bucket/reports/2026/q.parquet HTTP/1.1" 200 - 1048576 1048576 45 12 "-" "aws-sdk-java/2.20.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader my-data-bucket.s3.us-east-1.amazonaws.com TLSv1.3 - - us-east-1"#;

/// The record with other values; a value is left out if it is the text `absent`.
fn with(values: &Value) -> String {
    let mut record = record();
    let fields = record.as_object_mut().unwrap();
    for (key, value) in values.as_object().unwrap() {
        fields.insert(key.clone(), value.clone());
    }
    fields.retain(|_, value| value != "absent");
    record.to_string()
}

#[expect(clippy::needless_pass_by_value, reason = "a literal at each call")]
fn check(values: Value, expected: Value) {
    assert_cells(&S3Access, &with(&values), &expected);
}

/// The identities of lines, by line number.
fn identities(lines: &[&str]) -> BTreeMap<u32, Identity> {
    let schema = S3Access.schema(Naming::Snake, &[]);
    let mut decoder = S3Access.decoder(&schema, DecodeLimits::ATHENA);
    let mut rows = Rows::new(schema.decoded(), [0; 4]);
    decoder.begin("key");
    rows.begin_object(0, DayRange::EVER);
    decoder.finish(&[], &mut rows);
    let text = lines.join("\n") + "\n";
    assert_eq!(decoder.decode(text.as_bytes(), &mut rows), text.len());
    let keys = rows.take_batch().keys;
    assert_eq!(keys.len(), lines.len(), "{:?}", rows.take_rejections());
    keys.iter().map(|key| (key.position.record, key.identity)).collect()
}

fn are_duplicates(one: &str, other: &str) -> bool {
    let identities = identities(&[one, other]);
    identities[&1] == identities[&2]
}

#[test]
fn a_record_gives_the_cells_of_its_text_line_and_the_milliseconds() {
    let Some(Ok(mut from_json)) = decode(&S3Access, &record().to_string()) else { panic!("no row") };
    let Some(Ok(mut from_text)) = decode(&S3Access, LINE) else { panic!("no row") };
    assert_eq!(from_json.remove("request_time"), Some(json!("2026-11-28T14:59:59.999Z")));
    assert_eq!(from_text.remove("request_time"), Some(json!("2026-11-28T14:59:59Z")));
    // A text line does not distinguish an ACL that was not required from an unknown one.
    assert_eq!(from_json.remove("acl_required"), Some(json!(false)));
    assert_eq!(from_json, from_text);
    assert_eq!(from_json.len(), 23);
}

#[test]
fn values_keep_their_meaning() {
    check(json!({"bytes_sent_size": 0}), json!({"bytes_sent": 0}));
    check(
        json!({"bytes_sent_size": null, "http_status": null}),
        json!({"bytes_sent": null, "http_status": null}),
    );
    check(json!({"acl_required": true}), json!({"acl_required": true}));
    check(
        json!({"requester": null, "key_name": "absent"}),
        json!({"requester": null, "key": null, "key_decoded": null}),
    );
    check(
        json!({"object_size": 11_674_111_891_i64, "total_duration": "251695"}),
        json!({"object_size": 11_674_111_891_i64, "total_time": 251_695}),
    );
    check(json!({"user_agent": "-", "referer": ""}), json!({"user_agent": "-", "referer": ""}));
    check(
        json!({"request_time": "2026-11-28T23:59:59+09:00"}),
        json!({"request_time": "2026-11-28T14:59:59Z"}),
    );
}

#[test]
fn a_key_that_may_be_encoded_is_not_decoded() {
    check(json!({"key_name": "a b/한.txt"}), json!({"key": "a b/한.txt", "key_decoded": "a b/한.txt"}));
    for key in ["a%20b", "a+b", "100%"] {
        check(json!({"key_name": key}), json!({"key": key, "key_decoded": null}));
    }
}

#[test]
fn extra_keeps_the_values_without_a_column() {
    for (values, expected) in [
        (json!({"new_thing": [1, "a"]}), json!({"new_thing": [1, "a"]})),
        (json!({"schema_version_id": "V_1_1"}), json!({"schema_version_id": "V_1_1"})),
        (
            json!({"bucket_arn": "arn:aws-cn:s3:::my-data-bucket"}),
            json!({"bucket_arn": "arn:aws-cn:s3:::my-data-bucket"}),
        ),
        (json!({"http_status": "OK"}), json!({"http_status": "OK"})),
        (json!({"http_status": 3_000_000_000_i64}), json!({"http_status": 3_000_000_000_i64})),
        (
            json!({"acl_required": "Perhaps", "object_size": 1.5}),
            json!({"object_size": 1.5, "acl_required": "Perhaps"}),
        ),
    ] {
        let row = decode(&S3Access, &with(&values)).unwrap().unwrap();
        let extra: Value = serde_json::from_str(row["extra"].as_str().unwrap()).unwrap();
        assert_eq!(extra, expected, "{values}");
    }
    check(json!({"schema_version_id": "absent", "bucket_arn": null}), json!({"extra": null}));
}

/// The lines of `s3-access-json-hostile-examples.json` that are rows.
#[test]
fn texts_of_clients_are_read_as_they_are() {
    let agent = r#"pip/19.1 {"ci":null} "" - x= SigV4"#;
    check(
        json!({"user_agent": agent}),
        json!({"user_agent": agent, "signature_version": "SigV4", "http_status": 200}),
    );
    let uri = "GET /my-data-bucket/k?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261128&X-Amz-Signature=0123456789abcdef&X-Amz-Security-Token=FQoGZXIvYXdzE HTTP/1.1";
    check(json!({"request_uri": uri, "authentication_type": "QueryString"}), json!({"request_uri": uri}));
    check(
        json!({"schema_version_id": "V_1_1", "new_thing": [1, "a"]}),
        json!({"extra": r#"{"new_thing":[1,"a"],"schema_version_id":"V_1_1"}"#, "parse_quality": "exact"}),
    );
}

#[test]
fn replaced_characters_are_marked() {
    let half = record().to_string().replace("aws-sdk", r"\ud800x");
    assert_cells(&S3Access, &half, &json!({"user_agent": "\u{fffd}x-java/2.20.0", "parse_quality": "lossy"}));
    for whole in [r"\ufffd", "\u{fffd}", r"\ud83d\ude00", r"\u0041"] {
        let whole = record().to_string().replace("aws-sdk", whole);
        assert_cells(&S3Access, &whole, &json!({"parse_quality": "exact"}));
    }
    let mut bytes = record().to_string().into_bytes();
    let agent = bytes.windows(3).position(|part| part == b"aws").unwrap();
    bytes[agent] = 0xff;
    let outcomes = decode_all(&S3Access, &bytes);
    assert_eq!(outcomes[0].as_ref().unwrap()["parse_quality"], "lossy");
}

#[test]
fn lines_that_are_not_one_record_are_rejected() {
    let line = record().to_string();
    for (line, reason) in [
        (line[..line.len() - 1].to_owned(), "truncated_json"),
        (line[..400].to_owned(), "truncated_json"),
        (format!("{line}{line}"), "text_after_record"),
        (line.replacen(':', " ", 1), "invalid_json"),
        ("{}".to_owned(), "missing_request_time"),
        (with(&json!({"request_time": null})), "missing_request_time"),
        (with(&json!({"request_time": "2026-11-28 14:59:59"})), "bad_time"),
        (with(&json!({"request_time": 1_795_878_000_000_i64})), "bad_time"),
    ] {
        assert_rejected(&S3Access, &line, reason);
    }
}

#[test]
fn an_object_may_hold_both_forms() {
    let other = with(&json!({"request_id": "0000000000000000"}));
    let text = [LINE, &other, LINE, "{", &other, "broken", LINE].join("\r\n");
    let outcomes = decode_all(&S3Access, format!("\u{feff}{}\n{text}", record()).as_bytes());
    let show = |outcome: &Outcome| match outcome {
        Ok(row) => row["request_id"].as_str().unwrap()[..4].to_owned(),
        Err((reason, _)) => (*reason).to_owned(),
    };
    let shown: Vec<String> = outcomes.iter().map(show).collect();
    assert_eq!(shown, ["3E57", "3E57", "0000", "3E57", "0000", "3E57", "truncated_json", "missing_fields"]);
    for row in outcomes.iter().flatten() {
        assert_eq!(row["user_agent"], "aws-sdk-java/2.20.0");
    }
}

#[test]
fn the_content_shows_the_form() {
    let whole = record().to_string();
    for head in [whole.as_str(), &whole[..400], &format!("\u{feff}\n{whole}")] {
        assert!(S3Access.recognises(head.as_bytes()), "{head}");
    }
    assert!(S3Access.recognises(br#"{"operation":"x","request_time":"t","bucket_name":"b"}"#));
    for head in [
        &whole[..40],
        r#"{"Records":[{"request_time":"t","bucket_name":"b"}]}"#,
        r#"{"timestamp":1,"httpRequest":{"request_time":"t","bucket_name":"b"}}"#,
        r#"{"request_time":"t","request_id":"a","operation":"x"}"#,
        r#"{"bucket_name":"b","operation":"x","request_id":"a"}"#,
        "{}",
        "",
    ] {
        assert!(!S3Access.recognises(head.as_bytes()), "{head}");
    }
}

#[test]
fn the_same_request_in_both_forms_is_one_row() {
    for (values, line) in [
        (json!({}), LINE.to_owned()),
        (json!({"request_time": "2026-11-28T14:59:59Z"}), LINE.to_owned()),
        (
            json!({"schema_version_id": "absent", "bucket_arn": "absent", "acl_required": null}),
            LINE.to_owned(),
        ),
        (json!({"acl_required": true}), LINE.replace("- - us-east-1", "- Yes us-east-1")),
        (
            json!({"bytes_sent_size": 0, "error_code": "NoSuchKey"}),
            LINE.replace("200 - 1048576 ", "200 NoSuchKey - "),
        ),
        (
            json!({"requester": null, "referer": "https://a.example/ b"}),
            LINE.replace("arn:aws:iam::123456789012:role/DataAnalystRole", "-")
                .replace("\"-\"", "\"https://a.example/ b\""),
        ),
    ] {
        assert!(are_duplicates(&with(&values), &line), "{values}");
    }
    // Lines of batch deletes have bare dashes.
    let delete = json!({"operation": "BATCH.DELETE.OBJECT", "request_uri": null, "user_agent": null});
    let line = LINE.replace("REST.GET.OBJECT", "BATCH.DELETE.OBJECT").replace("\"-\"", "-");
    let line = line
        .replace("\"GET /my-data-bucket/reports/2026/q.parquet HTTP/1.1\"", "-")
        .replace("\"aws-sdk-java/2.20.0\"", "-");
    assert!(are_duplicates(&with(&delete), &line));
    // The keys of a JSON object have no order.
    let record = record();
    let reordered =
        record.as_object().unwrap().iter().rev().map(|(key, value)| format!("\"{key}\": {value}"));
    assert!(are_duplicates(&format!("{{{}}}", reordered.collect::<Vec<_>>().join(", ")), LINE));
}

#[test]
fn requests_that_differ_or_may_differ_are_two_rows() {
    let job = "e5042925-b524-4b3b-a869-f3881e78ff3a";
    for (values, line) in [
        (json!({"key_name": "reports/2026/r.parquet"}), LINE.to_owned()),
        (json!({"version_id": "3HL4kqtJvjVBH40Nrjfkd"}), LINE.to_owned()),
        (json!({"request_time": "2026-11-28T14:59:58.999Z"}), LINE.to_owned()),
        (json!({"new_thing": 1}), LINE.to_owned()),
        (json!({"schema_version_id": "V_2_0"}), LINE.to_owned()),
        (json!({"bucket_arn": "arn:aws-cn:s3:::my-data-bucket"}), LINE.to_owned()),
        (json!({"request_id": job}), LINE.replace("3E57427F33A59F07", job)),
        (json!({"user_agent": "-"}), LINE.replace("aws-sdk-java/2.20.0", "-")),
        // In a text line, the key may stand for bytes that are not UTF-8.
        (json!({"key_name": "\u{fffd}"}), LINE.replace("reports/2026/q.parquet \"", "\u{fffd} \"")),
        // These lines have two readings.
        (json!({"user_agent": "a\" \"b"}), LINE.replace("aws-sdk-java/2.20.0", "a\" \"b")),
        (json!({"key_name": "a b"}), LINE.replace("reports/2026/q.parquet \"", "a b \"")),
    ] {
        let record = with(&values);
        let identities =
            if decode(&S3Access, &line).unwrap().is_ok() { are_duplicates(&record, &line) } else { false };
        assert!(!identities, "{values}");
    }
    // Jobs whose times are whole seconds lose nothing in a text line.
    let whole = json!({"request_id": job, "request_time": "2026-11-28T14:59:59.000Z"});
    assert!(are_duplicates(&with(&whole), &LINE.replace("3E57427F33A59F07", job)));
    // The rows of a multi-object delete share their request id.
    let delete = |key: &str| with(&json!({"operation": "BATCH.DELETE.OBJECT", "key_name": key}));
    assert!(!are_duplicates(&delete("a"), &delete("b")));
    // A client cannot make two of its records equal.
    let forged = json!({"referer": "x\" \"y", "user_agent": "z"});
    assert!(!are_duplicates(&with(&forged), &with(&json!({"referer": "x", "user_agent": "y\" \"z"}))));
}

/// The reading of a record by `serde_json`, for columns that hold texts and numbers.
fn slow_twin(record: &Map<String, Value>) -> Map<String, Value> {
    let mut row = Map::new();
    for (field, key) in FIELDS.into_iter().zip(KEYS) {
        let cell = match record.get(key) {
            None | Some(Value::Null) => continue,
            Some(value) if field == Field::AclRequired => value.as_bool().map(Value::from),
            Some(value) if is_number(field) => value.as_i64().map(Value::from),
            Some(Value::String(text)) => Some(text.as_str().into()),
            Some(other) => Some(other.to_string().into()),
        };
        row.extend(cell.map(|cell| (field.name().to_owned(), cell)));
    }
    row
}

/// A record with unusual values at some of its keys.
fn unusual() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        4 => "[a-z\"\\\\ \\-%+]{0,8}",
        1 => "\\PC{0,6}",
        1 => Just("-".to_owned()),
        1 => Just("x\" 200 - - - 1 1 \"-\" \"y".to_owned()),
    ];
    let value = prop_oneof![
        6 => text.prop_map(Value::from),
        1 => (0_i64..3000).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!([1])),
    ];
    let keys: Vec<&str> = KEYS.into_iter().filter(|key| *key != "request_time").collect();
    prop::collection::vec((prop::sample::select(keys), value), 0..6).prop_map(|fields| {
        let mut record = record();
        record
            .as_object_mut()
            .unwrap()
            .extend(fields.into_iter().map(|(key, value)| (key.to_owned(), value)));
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_cells_agree_with_serde_json(record in unusual()) {
        let mut row = decode(&S3Access, &record.to_string()).unwrap().unwrap();
        for column in ["key_decoded", "extra", "parse_quality"] {
            row.remove(column);
        }
        let mut expected = slow_twin(record.as_object().unwrap());
        expected.insert("request_time".to_owned(), "2026-11-28T14:59:59.999Z".into());
        prop_assert_eq!(row, expected);
    }

    /// Two records, or a record and a text line, have one identity only if all their columns agree.
    #[test]
    fn equal_identities_mean_equal_values(one in unusual(), other in unusual()) {
        let (one, other) = (one.to_string(), other.to_string());
        let whole = Line::of_text(&one);
        let twin = text_twin::of(&Record::of(&shape(), &whole).unwrap());
        let rivals = twin.iter().map(String::as_str).chain([other.as_str(), LINE]);
        for rival in rivals {
            if are_duplicates(&one, rival) {
                let value = |line: &str| {
                    let mut row = decode(&S3Access, line).unwrap().unwrap();
                    row.remove("request_time");
                    row.remove("acl_required");
                    row.remove("key_decoded");
                    row.retain(|_, value| *value != 0);
                    row
                };
                prop_assert_eq!(value(&one), value(rival));
            }
        }
    }

    #[test]
    fn damage_causes_no_panic_and_no_wrong_count(
        at in 0_usize..1000, bytes in prop::collection::vec(any::<u8>(), 0..6), cut in 0_usize..1100
    ) {
        let mut line = record().to_string().into_bytes();
        let at = at.min(line.len());
        line.splice(at..(at + 1).min(line.len()), bytes);
        line.truncate(cut);
        let lines = [LINE.as_bytes(), &line, LINE.as_bytes()].join(&b'\n');
        let outcomes = decode_all(&S3Access, &lines);
        prop_assert!(outcomes.iter().filter(|outcome| outcome.is_ok()).count() >= 2 || line.contains(&b'\n'));
    }
}

//! The decoder on unusual input, on input in pieces, and against a slow twin on `serde_json`.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int64Type, TimestampMillisecondType};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::dataset::cloudtrail::CloudTrail;
use crate::dataset::{Dataset, DecodeLimits};
use crate::kst::DayRange;
use crate::ledger::RowLedger;
use crate::table::{ColumnType, Naming, Origin, Promotion, Rejection, RowBatch};

#[derive(Debug, PartialEq)]
struct Decoded {
    /// Record number and the cells that are not null.
    rows: Vec<(u32, Map<String, Value>)>,
    rejected: Vec<(u32, &'static str)>,
    ledger: RowLedger,
}

fn schema() -> TableSchema {
    let promote = Promotion {
        column: "role_arn".to_owned(),
        path: "requestParameters.roleArn".to_owned(),
        column_type: ColumnType::Text,
    };
    CloudTrail.schema(Naming::Snake, &[promote])
}

/// Decodes a file pushed in pieces of `piece` bytes.
fn decode_pieces(bytes: &[u8], piece: usize, limits: DecodeLimits) -> Decoded {
    let schema = schema();
    let mut decoder = CloudTrail.decoder(&schema, limits);
    let mut rows = Rows::new(schema.decoded(), [7; 4]);
    rows.begin_object(0, DayRange::EVER);
    decoder.begin("");
    let mut pending = Vec::new();
    for part in bytes.chunks(piece) {
        pending.extend_from_slice(part);
        let used = decoder.decode(&pending, &mut rows);
        pending.drain(..used);
    }
    decoder.finish(&pending, &mut rows);
    let rejected = rows.take_rejections().iter().map(|r: &Rejection| (r.position.record, r.reason)).collect();
    let ledger = rows.ledger();
    assert!(ledger.balances(), "{ledger:?}");
    Decoded { rows: as_json(&schema, &rows.take_batch().plain().unwrap()), rejected, ledger }
}

fn decode(text: &str) -> Decoded {
    let whole = decode_pieces(text.as_bytes(), text.len().max(1), DecodeLimits::ATHENA);
    assert_eq!(
        whole,
        decode_pieces(text.as_bytes(), 7, DecodeLimits::ATHENA),
        "input in pieces gives another result"
    );
    whole
}

fn as_json(schema: &TableSchema, batch: &RowBatch) -> Vec<(u32, Map<String, Value>)> {
    let row = |row: usize| {
        let cells = schema.decoded().zip(&batch.cells).filter(|(_, cells)| cells.is_valid(row));
        let cells = cells.map(|(column, cells)| (column.name.to_string(), cell(cells.as_ref(), row)));
        (batch.keys[row].position.record, cells.collect())
    };
    (0..batch.keys.len()).map(row).collect()
}

fn cell(cells: &dyn Array, row: usize) -> Value {
    match cells.data_type() {
        DataType::Utf8 => cells.as_string::<i32>().value(row).into(),
        DataType::Boolean => cells.as_boolean().value(row).into(),
        DataType::Int64 => cells.as_primitive::<Int64Type>().value(row).into(),
        DataType::Timestamp(..) => {
            UtcInstant(cells.as_primitive::<TimestampMillisecondType>().value(row)).to_string().into()
        }
        _ => cells
            .as_list::<i32>()
            .value(row)
            .as_string::<i32>()
            .iter()
            .map(|e| e.map_or(Value::Null, Value::from))
            .collect(),
    }
}

/// A file with one record made of `fields` and an event time.
fn one(fields: &str) -> Map<String, Value> {
    let decoded = decode(&format!("{{\"Records\":[{{\"eventTime\":\"2023-11-01T00:00:00Z\",{fields}}}]}}"));
    assert_eq!(decoded.rejected, [], "{fields}");
    let mut row = decoded.rows.into_iter().next().unwrap().1;
    row.remove("event_time");
    row
}

#[expect(clippy::needless_pass_by_value, reason = "a literal at each call")]
fn check(fields: &str, expected: Value) {
    assert_eq!(Value::Object(one(fields)), expected, "{fields}");
}

#[test]
fn values_of_every_type_reach_their_columns() {
    check(r#""awsRegion":"ap-northeast-2""#, json!({"aws_region": "ap-northeast-2"}));
    check(r#""userAgent":"a\"b\\ \uD55C한""#, json!({"user_agent": "a\"b\\ 한한"}));
    check(r#""userAgent":"""#, json!({"user_agent": ""}));
    check(r#""awsRegion":null"#, json!({}));
    check(
        r#""sourceIPAddress":12,"apiVersion":1.10"#,
        json!({"source_ip_address": "12", "api_version": "1.10"}),
    );
    check(
        r#""readOnly":true,"managementEvent":"false""#,
        json!({"read_only": true, "management_event": false}),
    );
    check(r#""readOnly":"maybe""#, json!({"extra": r#"{"readOnly":"maybe"}"#}));
    check(r#""requestParameters":"text""#, json!({"request_parameters": "\"text\""}));
}

#[test]
fn json_columns_are_verbatim() {
    let written = r#"{"a" : 1e400, "b":9007199254740993,"a":-0.0,"c":"\ud83d\ude00"}"#;
    check(&format!("\"requestParameters\":{written}"), json!({"request_parameters": written}));
}

#[test]
fn promoted_values_have_their_own_columns_and_remain_in_the_json() {
    let parameters = r#"{"bucketName":"b","key":"k\/1","roleArn":"arn:r"}"#;
    check(
        &format!("\"requestParameters\":{parameters}"),
        json!({"request_parameters": parameters, "bucket_name": "b", "object_key": "k/1", "role_arn": "arn:r"}),
    );
    let data = r#"{"bytesTransferredIn":0.0,"bytesTransferredOut":"x","SignatureVersion":"SigV4"}"#;
    check(
        &format!("\"additionalEventData\":{data}"),
        json!({"additional_event_data": data, "bytes_transferred_in": 0, "signature_version": "SigV4"}),
    );
}

#[test]
fn identities_are_flattened_and_unusual_forms_are_kept() {
    check(
        r#""userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"userName":"r"},"attributes":{"creationDate":"20231031T010628Z","mfaAuthenticated":"true"}}}"#,
        json!({
            "user_identity_type": "AssumedRole",
            "user_identity_session_context_session_issuer_user_name": "r",
            "user_identity_session_context_attributes_creation_date": "2023-10-31T01:06:28Z",
            "user_identity_session_context_attributes_mfa_authenticated": true,
        }),
    );
    check(r#""userIdentity":null"#, json!({}));
    check(r#""userIdentity":{"sessionContext":{"sessionIssuer":{}}}"#, json!({}));
    check(r#""userIdentity":"root""#, json!({"extra": r#"{"userIdentity":"root"}"#}));
    check(
        r#""userIdentity":{"type":"Root","newThing":{"a":[1]}}"#,
        json!({"user_identity_type": "Root", "extra": r#"{"userIdentity.newThing":{"a":[1]}}"#}),
    );
    for path in [
        r#"{"webIdFederationData":{"federatedProvider":"p"}}"#,
        r#"{"sessionContext":{"webIdFederationData":{"federatedProvider":"p"}}}"#,
    ] {
        check(
            &format!("\"userIdentity\":{path}"),
            json!({"user_identity_session_context_web_id_federation_data_federated_provider": "p"}),
        );
    }
    let provider = "user_identity_session_context_web_id_federation_data_federated_provider";
    for (second, extra) in [("null", None), ("\"b\"", Some("\"b\""))] {
        let both = format!(
            r#""userIdentity":{{"webIdFederationData":{{"federatedProvider":"a"}},"sessionContext":{{"webIdFederationData":{{"federatedProvider":{second}}}}}}}"#
        );
        let row = one(&both);
        assert_eq!(row[provider], "a");
        let path = "userIdentity.sessionContext.webIdFederationData.federatedProvider";
        assert_eq!(row.get("extra").cloned(), extra.map(|value| json!(format!("{{\"{path}\":{value}}}"))));
    }
    check(
        r#""userIdentity":{"sessionContext":{"attributes":{"creationDate":"soon"}}}"#,
        json!({"extra": r#"{"userIdentity.sessionContext.attributes.creationDate":"soon"}"#}),
    );
}

#[test]
fn resources_become_parallel_lists() {
    check(
        r#""resources":[{"ARN":"a","accountId":"1","type":"t"},{"arn":"b"},{"type":"u","ARNPrefix":"p"}]"#,
        json!({
            "resources_arn": ["a", "b", null],
            "resources_account_id": ["1", null, null],
            "resources_type": ["t", null, "u"],
            "resources_arn_prefix": [null, null, "p"],
        }),
    );
    check(r#""resources":null"#, json!({}));
    check(r#""resources":"x""#, json!({"extra": r#"{"resources":"x"}"#}));
    let both = one(r#""resources":[{"ARN":"a","arn":"b"}]"#);
    assert_eq!(both["extra"], r#"{"resources":[{"ARN":"a","arn":"b"}]}"#);
    let unknown = one(r#""resources":[{"ARN":"a","new":1}]"#);
    assert_eq!(unknown["extra"], r#"{"resources":[{"ARN":"a","new":1}]}"#);
}

#[test]
fn unknown_fields_are_kept_and_the_last_of_equal_keys_counts() {
    check(r#""new":{"a":1},"n\"w":2"#, json!({"extra": r#"{"new":{"a":1},"n\"w":2}"#}));
    check(r#""eventName":"A","eventName":"B""#, json!({"event_name": "B"}));
    check(
        r#""userIdentity":{"type":"A","arn":"x"},"userIdentity":{"type":"B"}"#,
        json!({"user_identity_type": "B"}),
    );
    check(r#""requestParameters":{"key":"k"},"requestParameters":null"#, json!({}));
    check(r#""event\u004eame":"A""#, json!({"event_name": "A"}));
}

const GOOD: &str = r#"{"eventTime":"2023-11-01T00:00:00Z","eventID":"1"}"#;

fn check_file(text: &str, rows: &[u32], rejected: &[(u32, &str)]) {
    let decoded = decode(text);
    let numbers: Vec<u32> = decoded.rows.iter().map(|(record, _)| *record).collect();
    assert_eq!((numbers.as_slice(), decoded.rejected.as_slice()), (rows, rejected), "{text}");
}

#[test]
fn records_are_found_anywhere_in_the_document() {
    check_file(&format!("{{\"Records\":[{GOOD},{GOOD}]}}"), &[1, 2], &[]);
    check_file(&format!(" {{ \"a\":[1,{{}}], \"Records\" : [ {GOOD} ] , \"z\":null }} \n"), &[1], &[]);
    check_file(&format!("{{\"Records\":[{GOOD}]}}\n{{\"Records\":[{GOOD}]}}"), &[1, 2], &[]);
    check_file(&format!("\u{feff}{{\"Records\":[{GOOD}]}}"), &[1], &[]);
    check_file("{\"Records\":[]}", &[], &[]);
    check_file(&format!(r#"{{"Rec\u006frds":[{GOOD}],"\u0052ecords":[{GOOD}]}}"#), &[1, 2], &[]);
}

/// The notification of the S3 guide, shortened; one of another service without a time; and a source that only looks similar.
#[test]
fn event_notifications_are_rejected_one_by_one() {
    let of_s3 = r#"{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-west-2","eventTime":"2023-11-01T00:00:00.000Z",
        "eventName":"ObjectCreated:Put","userIdentity":{"principalId":"A"},"s3":{"bucket":{"name":"b"}}}"#;
    let of_sqs = r#"{"messageId":"1","eventSource":"aws:sqs"}"#;
    let of_aws = r#"{"eventTime":"2023-11-01T00:00:00Z","eventSource":"aws.example.com"}"#;
    let notified = "event_notification";
    check_file(
        &format!("{{\"Records\":[{of_s3},{GOOD},{of_sqs},{of_aws}]}}"),
        &[2, 4],
        &[(1, notified), (3, notified)],
    );
}

#[test]
fn other_files_are_rejected_as_a_whole() {
    check_file("{}", &[], &[(0, "no_records")]);
    check_file("{\"digestStartTime\":\"x\",\"logFiles\":[]}", &[], &[(0, "no_records")]);
    check_file("{\"Records\":null}", &[], &[(0, "no_records")]);
    check_file("", &[], &[(0, "empty_object")]);
    check_file(" \n", &[], &[(0, "empty_object")]);
    check_file("[1]", &[], &[(0, "invalid_json")]);
    check_file("plain text", &[], &[(0, "invalid_json")]);
    check_file("{\"Rec", &[], &[(0, "truncated_json")]);
}

#[test]
fn a_bad_record_is_rejected_alone() {
    for (bad, reason) in [
        ("{\"eventName\":\"x\"}", "missing_event_time"),
        ("{\"eventTime\":null}", "missing_event_time"),
        ("{\"eventTime\":\"yesterday\"}", "bad_event_time"),
        ("{\"eventTime\":1698796800}", "bad_event_time"),
        ("\"text\"", "not_an_object"),
        ("7", "not_an_object"),
        ("null", "not_an_object"),
        ("[{}]", "not_an_object"),
        ("{\"a\":tru}", "invalid_json"),
        ("{\"a\":\"\\q}\"}", "invalid_json"),
        ("{\"a\" 1}", "invalid_json"),
        ("nonsense", "invalid_json"),
    ] {
        check_file(&format!("{{\"Records\":[{GOOD},{bad},{GOOD}]}}"), &[1, 3], &[(2, reason)]);
        check_file(&format!("{{\"Records\":[{bad},{GOOD}]}}"), &[2], &[(1, reason)]);
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(600), "]".repeat(600));
    check_file(&format!("{{\"Records\":[{GOOD},{deep},{GOOD}]}}"), &[1, 3], &[(2, "too_deep")]);
}

#[test]
fn a_cut_file_gives_the_records_before_the_cut() {
    let whole = format!("{{\"Records\":[{GOOD},{GOOD}]}}");
    for end in 1..whole.len() - 1 {
        let decoded = decode(&whole[..end]);
        let complete = whole[..end].matches('}').count();
        assert_eq!((decoded.rows.len(), decoded.rejected.len()), (complete, 1), "{}", &whole[..end]);
    }
}

#[test]
fn invalid_utf8_rejects_only_its_record() {
    let mut file = format!("{{\"Records\":[{GOOD},{{\"eventName\":\"?\"}},{GOOD}]}}").into_bytes();
    let place = file.iter().position(|byte| *byte == b'?').unwrap();
    file[place] = 0xff;
    for piece in [1, 5, 64, file.len()] {
        let decoded = decode_pieces(&file, piece, DecodeLimits::ATHENA);
        assert_eq!((decoded.rows.len(), decoded.rejected.as_slice()), (2, [(2, "invalid_utf8")].as_slice()));
    }
}

#[test]
fn a_record_beyond_the_limit_is_skipped() {
    let long = format!("{{\"eventTime\":\"2023-11-01T00:00:00Z\",\"a\":\"{}]}}\"}}", "x".repeat(500));
    let file = format!("{{\"Records\":[{GOOD},{long},{GOOD}]}}");
    for piece in [10, 64, 150] {
        let decoded = decode_pieces(file.as_bytes(), piece, DecodeLimits { max_record_bytes: 200 });
        assert_eq!((decoded.rows.len(), decoded.rejected.as_slice()), (2, [(2, "too_long")].as_slice()));
    }
}

/// The expected row of a record, from a parsed document.
fn slow_twin(record: &Value) -> Map<String, Value> {
    let mut row = Map::new();
    for column in schema().decoded() {
        let Origin::Json(paths) = &column.origin else { continue };
        for path in paths.iter().filter(|path| !path.contains("[]")) {
            let value = path.split('.').try_fold(record, |value, key| value.get(key));
            if let Some(cell) =
                value.filter(|value| !value.is_null()).and_then(|value| slow_cell(value, column.column_type))
            {
                row.insert(column.name.to_string(), cell);
            }
        }
    }
    row
}

fn slow_cell(value: &Value, column_type: ColumnType) -> Option<Value> {
    match column_type {
        ColumnType::Json => Some(value.to_string().into()),
        ColumnType::Text => Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned).into()),
        ColumnType::Bool => match value.as_str() {
            Some(text) => text.parse::<bool>().ok().map(Value::from),
            None => value.as_bool().map(Value::from),
        },
        ColumnType::BigInt => value.as_i64().map(Value::from),
        ColumnType::Timestamp => Some(UtcInstant::parse_iso8601(value.as_str()?)?.to_string().into()),
        // No column of the plain table has one of these types.
        ColumnType::Int | ColumnType::Double | ColumnType::TextList => None,
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => "\\PC{0,10}".prop_map(Value::from),
        1 => "[\\x00-\\x7f]{0,10}".prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!("2013-11-02T01:06:28Z")),
    ];
    leaf.prop_recursive(2, 8, 4, |element| {
        prop_oneof![
            prop::collection::vec(element.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,3}", element, 0..4)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// A record with values of any type at some of the known paths.
fn record() -> impl Strategy<Value = Value> {
    let paths: Vec<String> = schema()
        .decoded()
        .filter_map(|column| match &column.origin {
            Origin::Json(paths) => Some(paths[0].to_string()),
            _ => None,
        })
        .filter(|path| !path.contains("[]") && path != "eventTime")
        .collect();
    prop::collection::vec((prop::sample::select(paths), value()), 0..20).prop_map(|fields| {
        let mut record = json!({"eventTime": "2023-11-01T00:00:00Z"});
        for (path, value) in fields {
            let mut place = &mut record;
            for key in path.split('.') {
                if !place.is_object() {
                    *place = json!({});
                }
                place = place.as_object_mut().unwrap().entry(key).or_insert(Value::Null);
            }
            *place = value;
        }
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn flattening_agrees_with_serde_json(record in record(), other in record()) {
        // The decoder expects the order of keys of the record before.
        let records = [&record, &other, &record];
        let decoded = decode(&json!({"Records": records}).to_string());
        prop_assert_eq!(decoded.rejected, []);
        prop_assert_eq!(decoded.rows.len(), records.len());
        for ((_, mut row), record) in decoded.rows.into_iter().zip(records) {
            row.remove("extra");
            prop_assert_eq!(row, slow_twin(record));
        }
    }

    #[test]
    fn no_bytes_cause_a_panic_or_a_wrong_count(
        middle in prop::collection::vec(any::<u8>(), 0..60), piece in 1_usize..50
    ) {
        let mut file = format!("{{\"Records\":[{GOOD},").into_bytes();
        file.extend(middle);
        file.extend(format!(",{GOOD}]}}").bytes());
        let decoded = decode_pieces(&file, piece, DecodeLimits { max_record_bytes: 120 });
        prop_assert!(decoded.ledger.written >= 1);
    }
}

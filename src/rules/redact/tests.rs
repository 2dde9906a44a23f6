//! Effects of rules on columns and on rejected rows.

use arrow::array::{BooleanArray, TimestampMillisecondArray};
use arrow::datatypes::Int64Type;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::dataset::{self, DecodeLimits};
use crate::table::{Naming, Position, Promotion, Rows};

fn defaults() -> RedactRules {
    RedactRules::new(dataset::named("cloudtrail").unwrap().default_redactions())
}

fn rules(texts: &[&str]) -> RedactRules {
    let mut rules = defaults();
    rules.add(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    rules
}

fn promoted() -> Vec<Promotion> {
    let promotion = |column: &str, path: &str, column_type| Promotion {
        column: column.to_owned(),
        path: path.to_owned(),
        column_type,
    };
    vec![
        promotion("pin", "requestParameters.pin", ColumnType::BigInt),
        promotion("user", "requestParameters.user", ColumnType::Text),
    ]
}

fn trail() -> TableSchema {
    dataset::named("cloudtrail").unwrap().schema(Naming::Snake, &promoted())
}

/// The columns of one CloudTrail record, decoded and masked.
fn masked(record: &str, texts: &[&str]) -> (TableSchema, Vec<ArrayRef>) {
    let schema = trail();
    let mut decoder = dataset::named("cloudtrail").unwrap().decoder(&schema, DecodeLimits::ATHENA);
    let mut rows = Rows::new(schema.decoded(), [0; 4]);
    let record = record.trim_start_matches('{');
    let document = format!("{{\"Records\":[{{\"eventTime\":\"2023-11-01T00:00:00Z\",{record}]}}");
    assert_eq!(decoder.decode(document.as_bytes(), &mut rows), document.len(), "{document}");
    let mut batch = rows.take_batch();
    Redaction::new(&schema, &rules(texts)).unwrap().apply(&mut batch.cells);
    (schema, batch.plain().unwrap().cells)
}

fn text<'c>((schema, cells): &'c (TableSchema, Vec<ArrayRef>), name: &str) -> Option<&'c str> {
    let place = schema.decoded().position(|column| column.name == name).unwrap();
    let cells = cells[place].as_string::<i32>();
    cells.is_valid(0).then(|| cells.value(0))
}

fn column<'c>((schema, cells): &'c (TableSchema, Vec<ArrayRef>), name: &str) -> &'c ArrayRef {
    &cells[schema.decoded().position(|column| column.name == name).unwrap()]
}

#[test]
fn session_tokens_and_signatures_are_masked_by_default() {
    let record = r#"{"responseElements":{"credentials":{"accessKeyId":"ASIA","sessionToken":"s1"}},
        "requestParameters":{"X-Amz-Signature":"s2","X-Amz-Date":"d","url":"https:\/\/x\/?X-Amz-Credential=s3\u0026v=1"},
        "userAgent":"[x?x-amz-security-token=s4]","resources":[{"ARN":"arn:x?X-Amz-Signature=s5"},{"ARN":null}]}"#;
    let cells = masked(record, &[]);
    assert_eq!(
        text(&cells, "response_elements"),
        Some(r#"{"credentials":{"accessKeyId":"ASIA","sessionToken":"REDACTED"}}"#)
    );
    assert_eq!(
        text(&cells, "request_parameters"),
        Some(
            r#"{"X-Amz-Signature":"REDACTED","X-Amz-Date":"d","url":"https:\/\/x\/?X-Amz-Credential=REDACTED\u0026v=1"}"#
        )
    );
    assert_eq!(text(&cells, "user_agent"), Some("[x?x-amz-security-token=REDACTED"));
    let arns = column(&cells, "resources_arn").as_list::<i32>().value(0);
    assert_eq!(
        arns.as_string::<i32>().iter().collect::<Vec<_>>(),
        [Some("arn:x?X-Amz-Signature=REDACTED"), None]
    );
}

#[test]
fn a_path_masks_the_columns_above_at_and_below_it() {
    let record = r#"{"requestParameters":{"pin":12,"user":{"name":"kim","id":3}},"userIdentity":{"userName":"kim",
        "sessionContext":{"attributes":{"mfaAuthenticated":"true"},"newKey":7}},"readOnly":true,"newField":{"deep":[{"x":1}]}}"#;
    let whole = masked(
        record,
        &["requestParameters", "userIdentity.sessionContext", "readOnly", "newField.deep[].x"],
    );
    assert_eq!(text(&whole, "request_parameters"), Some("\"REDACTED\""));
    assert_eq!(text(&whole, "user"), Some("REDACTED"));
    assert_eq!(column(&whole, "pin").as_primitive::<Int64Type>().null_count(), 1);
    assert_eq!(column(&whole, "read_only").null_count(), 1);
    assert_eq!(column(&whole, "user_identity_session_context_attributes_mfa_authenticated").null_count(), 1);
    assert_eq!(text(&whole, "user_identity_user_name"), Some("kim"));
    assert_eq!(
        text(&whole, "extra"),
        Some(r#"{"userIdentity.sessionContext.newKey":"REDACTED","newField":{"deep":[{"x":"REDACTED"}]}}"#)
    );
    let inside = masked(record, &["requestParameters.user.name", "requestParameters.pin"]);
    assert_eq!(
        text(&inside, "request_parameters"),
        Some(r#"{"pin":"REDACTED","user":{"name":"REDACTED","id":3}}"#)
    );
    assert_eq!(text(&inside, "user"), Some(r#"{"name":"REDACTED","id":3}"#));
    assert_eq!(column(&inside, "pin").null_count(), 1);
    assert_eq!(text(&inside, "error_code"), None);
}

#[test]
fn a_value_that_does_not_fit_its_column_is_masked_in_extra() {
    let cells = masked(
        r#"{"readOnly":"perhaps secret","tlsDetails":"secret"}"#,
        &["readOnly", "tlsDetails.tlsVersion"],
    );
    assert_eq!(text(&cells, "extra"), Some(r#"{"tlsDetails":"secret","readOnly":"REDACTED"}"#));
    let cells = masked(r#"{"resources":{"ARN":"secret"}}"#, &["resources[].ARN"]);
    assert_eq!(text(&cells, "extra"), Some(r#"{"resources":{"ARN":"REDACTED"}}"#));
}

#[test]
fn a_key_with_escapes_is_masked() {
    let cells = masked(
        r#"{"responseElements":{"credentials":{"\u0073essionToken":"s1"}},"requestParameters":{"X-\u0041mz-Signature":"s2"}}"#,
        &[],
    );
    assert_eq!(
        text(&cells, "response_elements"),
        Some(r#"{"credentials":{"\u0073essionToken":"REDACTED"}}"#)
    );
    assert_eq!(text(&cells, "request_parameters"), Some(r#"{"X-\u0041mz-Signature":"REDACTED"}"#));
}

#[test]
fn columns_with_nothing_to_mask_are_not_copied() {
    let schema = trail();
    let mut cells: Vec<ArrayRef> = schema
        .decoded()
        .map(|column| match column.column_type {
            ColumnType::Text | ColumnType::Json => {
                Arc::new(StringArray::from(vec![Some("{\"a\":1}")])) as ArrayRef
            }
            ColumnType::Timestamp => Arc::new(TimestampMillisecondArray::from(vec![Some(1)])),
            ColumnType::Bool => Arc::new(BooleanArray::from(vec![Some(true)])),
            kind @ (ColumnType::Int | ColumnType::BigInt | ColumnType::Double | ColumnType::TextList) => {
                new_null_array(&kind.arrow(), 1)
            }
        })
        .collect();
    let before = cells.clone();
    Redaction::new(&schema, &defaults()).unwrap().apply(&mut cells);
    assert!(cells.iter().zip(&before).all(|(after, before)| Arc::ptr_eq(after, before)));
}

#[test]
fn none_removes_the_rules_before_it() {
    assert_eq!(rules(&["none"]).texts().len(), 0);
    assert_eq!(rules(&["none", "?x", "?x"]).texts(), ["?x"]);
    assert_eq!(rules(&["?x"]).texts().len(), defaults().texts().len() + 1);
}

#[test]
fn invalid_rules_are_refused() {
    for rule in ["", "?", "a..b", ".a", "a.", "?a=b", "?a b", "?a%20", "a.\"b\"", "[]"] {
        let error = Redaction::new(&trail(), &rules(&[rule])).unwrap_err();
        assert!(error.to_string().contains("invalid mask"), "{rule}: {error}");
    }
    let error = Redaction::new(&trail(), &rules(&["eventTime"])).unwrap_err();
    assert!(error.to_string().contains("event time"), "{error}");
}

fn rejected(raw: &[u8], raw_bytes: usize, detail: &str, texts: &[&str]) -> Rejection {
    let position = Position { object: 0, record: 1 };
    let raw = Some(raw.to_vec());
    let rejection = Rejection { position, reason: "bad_time", detail: detail.to_owned(), raw, raw_bytes };
    Redaction::new(&trail(), &rules(texts)).unwrap().rejection(rejection)
}

#[test]
fn rejected_rows_are_masked_in_any_form() {
    for (raw, expected) in [
        // A valid record with escapes in a key.
        (
            &br#"{"responseElements":{"credentials":{"\u0073essionToken":"s"}}}"#[..],
            &br#"{"responseElements":{"credentials":{"\u0073essionToken":"REDACTED"}}}"#[..],
        ),
        // A record in an envelope, a truncated record, and rows that are not UTF-8.
        (br#"{"detail":{"sessionToken":"s"}}"#, br#"{"detail":{"sessionToken":"REDACTED"}}"#),
        (br#"{"credentials":{"sessionToken":"s"#, br#"{"credentials":{"sessionToken":"REDACTED"#),
        (b"\xff{\"sessionToken\":\"s\"}", b"\xff{\"sessionToken\":\"REDACTED\"}"),
        (b"x \"GET /?X-Amz-Signature=s\xff HTTP\"", b"x \"GET /?X-Amz-Signature=REDACTED HTTP\""),
        (b"nothing", b"nothing"),
    ] {
        let masked = rejected(raw, raw.len(), "", &[]);
        assert_eq!(
            String::from_utf8_lossy(masked.raw.as_deref().unwrap()),
            String::from_utf8_lossy(expected)
        );
        assert_eq!(masked.raw_bytes, expected.len(), "a whole row should not look cut");
    }
    let masked = rejected(b"", 0, "the time is '?X-Amz-Signature=s'", &[]);
    assert_eq!(masked.detail, "the time is '?X-Amz-Signature=REDACTED");
    let cut = rejected(b"X-Amz-Signature=s", 18, "", &[]);
    assert!(cut.raw_bytes > cut.raw.unwrap().len(), "a cut row should still look cut");
}

/// Texts that combine names, signs and quotes of all kinds.
fn awkward() -> impl Strategy<Value = String> {
    "(X-Amz-Signature|sessionToken|=|%3D|&|;b=|: |\r\n|%22|'|\"|\\\\|\\{|\\}|\\[|\\]|:|,|null|\\\\u003d|\\\\n|a|한| |/){0,8}"
}

/// Documents of such texts. Some documents are nested as strings in others.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), (0..9).prop_map(Value::from), awkward().prop_map(Value::from)];
    leaf.prop_recursive(4, 24, 4, |element| {
        prop_oneof![
            prop::collection::vec(element.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map(awkward(), element.clone(), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            element.prop_map(|packed| Value::from(packed.to_string())),
        ]
    })
}

proptest! {
    #[test]
    fn a_masked_json_column_is_valid_json(document in document()) {
        let schema = trail();
        let redaction = Redaction::new(&schema, &rules(&["requestParameters.a"])).unwrap();
        let place = schema.decoded().position(|column| column.name == "request_parameters").unwrap();
        let text = document.to_string();
        let masked = redaction.text(&redaction.columns[place], &text);
        prop_assert!(serde_json::from_str::<Value>(&masked).is_ok(), "{} -> {}", text, masked);
    }
}

/// The values by which the events of these principals are sorted, after masking, and the number of distinct ones.
fn sorted_by(principals: &[&str], texts: &[&str]) -> (Vec<String>, usize) {
    let schema = trail();
    let mut decoder = dataset::named("cloudtrail").unwrap().decoder(&schema, DecodeLimits::ATHENA);
    let mut rows = Rows::new(schema.decoded(), [0; 4]);
    let record = |arn: &&str| {
        format!(r#"{{"eventTime":"2023-11-01T00:00:00Z","eventName":"Get","userIdentity":{{"arn":{arn}}}}}"#)
    };
    let records: Vec<String> = principals.iter().map(record).collect();
    decoder.decode(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes(), &mut rows);
    let mut batch = rows.take_batch();
    Redaction::new(&schema, &rules(texts)).unwrap().apply_to(&mut batch);
    let of_row = |key: &crate::table::RowKey| batch.clusters[key.cluster as usize][2].to_string();
    (batch.keys.iter().map(of_row).collect(), batch.clusters.len())
}

#[test]
fn rows_are_sorted_by_masked_values_and_nulls_come_before_empty_texts() {
    let principals = [r#""b""#, r#""a?X-Amz-Signature=s1""#, r#""a?X-Amz-Signature=s2""#, "null", r#""""#];
    let (sorted, distinct) = sorted_by(&principals, &["none"]);
    assert_eq!(sorted, ["b", "a?X-Amz-Signature=s1", "a?X-Amz-Signature=s2", "", "\0"]);
    assert_eq!(distinct, 5);
    let (sorted, distinct) = sorted_by(&principals, &[]);
    assert_eq!(sorted, ["b", "a?X-Amz-Signature=REDACTED", "a?X-Amz-Signature=REDACTED", "", "\0"]);
    assert_eq!(distinct, 4, "rows of one value are sorted by time");
    for rule in ["userIdentity.arn", "userIdentity"] {
        let (sorted, distinct) = sorted_by(&principals, &[rule]);
        assert_eq!(sorted, [MASK, MASK, MASK, "", MASK], "{rule}");
        assert_eq!(distinct, 2, "{rule}");
    }
}

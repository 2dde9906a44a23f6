//! Records of every age, hostile texts, values of unexpected types, and a slow twin on `serde_json`.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::dataset::text_fields::tests::{assert_cells, assert_rejected, decode, decode_all};
use crate::kst::UtcInstant;
use crate::table::{ColumnType, Origin};

/// The start of a record of today, up to its request.
const FRONT: &str = r#"{"timestamp":1795878000000,"formatVersion":1,"webaclId":"arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/shop/9f7f9b58-4b2c-4d2e-8d43-000000000000","terminatingRuleId":"Default_Action","terminatingRuleType":"REGULAR","action":"ALLOW","terminatingRuleMatchDetails":[],"httpSourceName":"ALB","httpSourceId":"123456789012-app/shop/50dc6c495c0c9188","ruleGroupList":[],"rateBasedRuleList":[],"nonTerminatingMatchingRules":[],"requestHeadersInserted":null,"responseCodeSent":null"#;
/// The end of the request.
const BACK: &str = r#""uri":"/","args":"","httpVersion":"HTTP/2.0","httpMethod":"GET","requestId":"1-692a1230-1d2c3b4a5f6e7d8c9b0a1f2e""#;

/// A record whose request has these headers, and further members in and after it.
fn record(headers: &str, in_request: &str, after: &str) -> String {
    format!(
        r#"{FRONT},"httpRequest":{{"clientIp":"203.0.113.7","country":"KR","headers":[{headers}],{BACK}{in_request}}}{after}}}"#
    )
}

#[expect(clippy::needless_pass_by_value, reason = "a literal at each call")]
fn check(line: &str, expected: Value) {
    assert_cells(&Waf, line, &expected);
}

#[test]
fn a_record_with_all_fields_fills_all_columns() {
    let headers = r#"{"name":"host","value":"shop.example.com"},{"name":"USER-AGENT","value":"curl/8"},{"name":"Referer","value":"https://a.example/"},{"name":"user-agent","value":"second"}"#;
    let line = record(
        headers,
        r#","fragment":"top","scheme":"https","host":"shop.example.com""#,
        r#","labels":[{"name":"awswaf:managed:token:absent"},{"name":"shop:bot"}],"captchaResponse":{"responseCode":405,"failureReason":"TOKEN_MISSING"},"challengeResponse":{"responseCode":202,"solveTimestamp":1795877000},"ja3Fingerprint":"f79b6bad2ad0641e1921aef10262856b","ja4Fingerprint":"t13d1516h2_8daaf6152771_b0da82dd1658","oversizeFields":["REQUEST_BODY","REQUEST_HEADERS"],"requestBodySize":120,"requestBodySizeInspectedByWAF":64,"clientAsn":64500,"forwardedAsn":64501,"cfDistributionTenantId":"dt_1","monetizeVerifyResponse":{"status":"VALID"}"#,
    )
    .replace(r#""responseCodeSent":null"#, r#""responseCodeSent":429"#)
    .replace(r#""requestHeadersInserted":null"#, r#""requestHeadersInserted":[{"name":"x-a","value":"b"}]"#);
    let row = decode(&Waf, &line).unwrap().unwrap();
    let decoded = Waf.schema(Naming::Snake, &[]);
    let empty: Vec<String> = decoded
        .decoded()
        .map(|column| column.name.to_string())
        .filter(|name| !row.contains_key(name))
        .collect();
    assert_eq!(empty, ["extra"]);
    check(
        &line,
        json!({
            "event_time": "2026-11-28T15:00:00Z", "format_version": 1, "action": "ALLOW",
            "terminating_rule_id": "Default_Action", "terminating_rule_type": "REGULAR", "http_source_name": "ALB",
            "http_source_id": "123456789012-app/shop/50dc6c495c0c9188", "response_code_sent": 429,
            "http_request_client_ip": "203.0.113.7", "http_request_country": "KR", "http_request_uri": "/",
            "http_request_args": "", "http_request_http_version": "HTTP/2.0", "http_request_http_method": "GET",
            "http_request_request_id": "1-692a1230-1d2c3b4a5f6e7d8c9b0a1f2e", "http_request_fragment": "top",
            "http_request_scheme": "https", "http_request_host": "shop.example.com",
            "header_host": "shop.example.com", "header_user_agent": "curl/8", "header_referer": "https://a.example/",
            "http_request_headers": format!("[{headers}]"), "labels": ["awswaf:managed:token:absent", "shop:bot"],
            "oversize_fields": ["REQUEST_BODY", "REQUEST_HEADERS"], "terminating_rule_match_details": "[]",
            "request_headers_inserted": r#"[{"name":"x-a","value":"b"}]"#,
            "captcha_response": r#"{"responseCode":405,"failureReason":"TOKEN_MISSING"}"#,
            "challenge_response": r#"{"responseCode":202,"solveTimestamp":1795877000}"#,
            "monetize_verify_response": r#"{"status":"VALID"}"#,
            "ja3_fingerprint": "f79b6bad2ad0641e1921aef10262856b", "request_body_size": 120,
            "request_body_size_inspected_by_waf": 64, "client_asn": 64500, "forwarded_asn": 64501,
            "cf_distribution_tenant_id": "dt_1",
        }),
    );
}

#[test]
fn the_oldest_records_lack_the_newer_fields() {
    let line = r#"{"timestamp":1533689070589,"formatVersion":1,"webaclId":"385cb038-3a6f-4f2f-ac64-09ab912af590","terminatingRuleId":"Default_Action","terminatingRuleType":"REGULAR","action":"ALLOW","httpSourceName":"CF","httpSourceId":"i-123","ruleGroupList":[{"ruleGroupId":"41f4eb08-4e1b-2985-92b5-e8abf434fad3","terminatingRule":null,"nonTerminatingMatchingRules":[{"action":"COUNT","ruleId":"4659b169-2083-4a91-bbd4-08851a9aaf74"}]}],"rateBasedRuleList":[{"rateBasedRuleId":"7c968ef6-32ec-4fee-96cc-51198e412e7f","limitKey":"IP","maxRateAllowed":100}],"nonTerminatingMatchingRules":[],"httpRequest":{"clientIp":"192.10.23.23","country":"US","headers":[{"name":"Host","value":"127.0.0.1:1989"}],"uri":"REDACTED","args":"usernam=abc","httpVersion":"HTTP/1.1","httpMethod":"GET","requestId":"null"}}"#;
    check(
        line,
        json!({
            "event_time": "2018-08-08T00:44:30.589Z", "webacl_id": "385cb038-3a6f-4f2f-ac64-09ab912af590",
            "http_request_uri": "REDACTED", "http_request_request_id": "null", "header_host": "127.0.0.1:1989",
            "header_user_agent": null, "labels": null, "extra": null,
            "rate_based_rule_list": r#"[{"rateBasedRuleId":"7c968ef6-32ec-4fee-96cc-51198e412e7f","limitKey":"IP","maxRateAllowed":100}]"#,
        }),
    );
}

/// The lines of `waf-hostile-examples.json`.
#[test]
fn texts_of_clients_stay_in_their_columns() {
    let host = r#"{"name":"Host","value":"shop.example.com"}"#;
    let forged =
        r#"{"name":"User-Agent","value":"x\"}],\"action\":\"BLOCK\",\"labels\":[{\"name\":\"evil\\"}"#;
    check(
        &record(&format!("{host},{forged}"), "", ""),
        json!({"action": "ALLOW", "header_user_agent": r#"x"}],"action":"BLOCK","labels":[{"name":"evil\"#, "labels": null, "extra": null}),
    );
    let agent = r#"{"name":"User-Agent","value":"curl/8"}"#;
    check(
        &record(&format!("{host},{agent}"), r#","clientPort":1234"#, r#","newThing":{"a":1}"#),
        json!({"action": "ALLOW", "extra": r#"{"httpRequest.clientPort":1234,"newThing":{"a":1}}"#}),
    );
    let line = record(agent, "", "");
    assert_rejected(&Waf, &line[..line.len() - 30], "truncated_json");
    check(
        &line.replace(r#""uri":"/""#, r#""uri":"/\ud800x""#),
        json!({"action": "ALLOW", "http_request_client_ip": "203.0.113.7", "http_request_uri": "/\u{fffd}x"}),
    );
}

#[test]
fn values_of_unexpected_types_are_kept() {
    for (in_request, after, expected) in [
        (
            "",
            r#","labels":[{"name":"a","more":1}]"#,
            json!({"labels": ["a"], "extra": r#"{"labels":[{"name":"a","more":1}]}"#}),
        ),
        ("", r#","labels":[]"#, json!({"labels": [], "extra": null})),
        ("", r#","labels":"a""#, json!({"labels": null, "extra": r#"{"labels":"a"}"#})),
        (
            "",
            r#","oversizeFields":["a",1]"#,
            json!({"oversize_fields": null, "extra": r#"{"oversizeFields":["a",1]}"#}),
        ),
        ("", r#","oversizeFields":null"#, json!({"oversize_fields": null, "extra": null})),
        ("", r#","clientAsn":"64500""#, json!({"client_asn": 64500, "extra": null})),
        ("", r#","clientAsn":"-""#, json!({"client_asn": null, "extra": r#"{"clientAsn":"-"}"#})),
        (
            "",
            r#","formatVersion":3000000000"#,
            json!({"format_version": null, "extra": r#"{"formatVersion":3000000000}"#}),
        ),
        (
            r#","headers":{"name":"Host","value":"x"}"#,
            "",
            json!({"header_host": null, "http_request_headers": r#"{"name":"Host","value":"x"}"#}),
        ),
        (
            r#","headers":[1,{"name":"host"},{"value":"a"},{"name":"HOST","value":7}]"#,
            "",
            json!({"header_host": "7"}),
        ),
    ] {
        check(&record("", in_request, after), expected);
    }
    check(
        r#"{"timestamp":1795878000000,"httpRequest":"none"}"#,
        json!({"extra": r#"{"httpRequest":"none"}"#}),
    );
}

#[test]
fn lines_that_are_not_one_record_are_rejected() {
    let line = record("", "", "");
    for (line, reason) in [
        (format!("{line}{line}"), "text_after_record"),
        ("{".to_owned(), "truncated_json"),
        (r#""timestamp": 1533689070589,"#.to_owned(), "not_an_object"),
        ("}".to_owned(), "not_an_object"),
        ("{}".to_owned(), "missing_event_time"),
        (line.replace("1795878000000", "null"), "missing_event_time"),
        (line.replace("1795878000000", "\"yesterday\""), "bad_event_time"),
        (line.replace("1795878000000", "-1"), "bad_event_time"),
        (line.replacen("\"formatVersion\":1", "formatVersion:1", 1), "invalid_json"),
    ] {
        assert_rejected(&Waf, &line, reason);
    }
}

#[test]
fn the_first_bytes_show_a_record() {
    let line = record("", "", "");
    for head in [line.as_str(), &line[..250], &format!("\u{feff}{line}")] {
        assert!(Waf.recognises(head.as_bytes()), "{head}");
    }
    for head in [
        r#"{"timestamp":1,"message":"webaclId"}"#,
        r#"{"Records":[{"timestamp":1,"webaclId":"a"}]}"#,
        "{",
        "",
    ] {
        assert!(!Waf.recognises(head.as_bytes()), "{head}");
    }
}

/// The expected row of a record, from a parsed document.
fn slow_twin(record: &Value) -> Map<String, Value> {
    let mut row = Map::new();
    for column in Waf.schema(Naming::Snake, &[]).decoded() {
        let Origin::Json(paths) = &column.origin else { continue };
        let (path, name) = match paths[0].split_once('[') {
            Some((list, rest)) => (list, Some(rest)),
            None => (&*paths[0], None),
        };
        let value = path.split('.').try_fold(record, |value, key| value.get(key));
        let Some(value) = value.filter(|value| !value.is_null()) else { continue };
        let cell = match name {
            None => slow_cell(value, column.column_type),
            Some("].name") => {
                value.as_array().map(|list| list.iter().map(|label| slow_text(&label["name"])).collect())
            }
            Some(name) => value.as_array().and_then(|list| {
                let named = |header: &&Value| {
                    slow_text(&header["name"])
                        .as_str()
                        .is_some_and(|found| format!("{}]", found.to_lowercase()) == name)
                        && !header["value"].is_null()
                };
                list.iter().find(named).map(|header| slow_text(&header["value"]))
            }),
        };
        row.extend(cell.map(|cell| (column.name.to_string(), cell)));
    }
    row
}

fn slow_text(value: &Value) -> Value {
    match value {
        Value::Null | Value::String(_) => value.clone(),
        other => other.to_string().into(),
    }
}

fn slow_cell(value: &Value, column_type: ColumnType) -> Option<Value> {
    match column_type {
        ColumnType::Json => Some(value.to_string().into()),
        ColumnType::Text => Some(slow_text(value)),
        ColumnType::Int => value.as_i64().filter(|value| i32::try_from(*value).is_ok()).map(Value::from),
        ColumnType::BigInt => value.as_i64().map(Value::from),
        ColumnType::Timestamp => Some(UtcInstant(value.as_i64()?).to_string().into()),
        ColumnType::TextList => {
            let list = value.as_array()?;
            list.iter().all(|text| text.is_string() || text.is_null()).then(|| value.clone())
        }
        ColumnType::Bool | ColumnType::Double => None,
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => "[a-z\"\\\\ \\-]{0,8}".prop_map(Value::from),
        1 => "\\PC{0,6}".prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let name = prop::sample::select(vec!["host", "HOST", "User-Agent", "referer", "x"]);
    leaf.prop_recursive(2, 8, 4, move |element| {
        prop_oneof![
            2 => prop::collection::vec(element.clone(), 0..4).prop_map(Value::from),
            2 => prop::collection::vec((name.clone(), element), 0..3).prop_map(|headers| {
                headers.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
            }),
            1 => prop::collection::vec("[a-z]{0,3}", 0..3).prop_map(|texts| json!(texts)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_cells_agree_with_serde_json(
        fields in prop::collection::vec((any::<prop::sample::Index>(), value()), 0..20)
    ) {
        let mut record = json!({"timestamp": 1_795_878_000_000_i64, "httpRequest": {}});
        let schema = Waf.schema(Naming::Snake, &[]);
        let paths: Vec<&str> = schema.decoded().filter_map(|column| match &column.origin {
            Origin::Json(paths) => paths[0].split('[').next(),
            _ => None,
        }).filter(|path| *path != "timestamp").collect();
        for (place, value) in fields {
            match place.get(&paths).split_once('.') {
                Some((_, key)) => record["httpRequest"][key] = value,
                None => record[*place.get(&paths)] = value,
            }
        }
        let mut row = decode(&Waf, &record.to_string()).unwrap().unwrap();
        row.remove("extra");
        prop_assert_eq!(row, slow_twin(&record));
    }

    #[test]
    fn damage_causes_no_panic_and_no_wrong_count(
        at in 0_usize..1000, bytes in prop::collection::vec(any::<u8>(), 0..6), cut in 0_usize..1100
    ) {
        let good = record(r#"{"name":"host","value":"a"}"#, "", "");
        let mut line = good.clone().into_bytes();
        let at = at.min(line.len());
        line.splice(at..(at + 1).min(line.len()), bytes);
        line.truncate(cut);
        let lines = [good.as_bytes(), &line, good.as_bytes()].join(&b'\n');
        let rows = decode_all(&Waf, &lines).iter().filter(|outcome| outcome.is_ok()).count();
        prop_assert!(rows >= 2);
    }
}

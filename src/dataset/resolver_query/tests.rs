//! Records of both versions, hostile names, values of unexpected types, and a slow twin on `serde_json`.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::dataset::text_fields::tests::{
    Edit, assert_cells, assert_rejected, decode, decode_all, decode_object, mutated,
};
use crate::kst::UtcInstant;
use crate::table::Origin;

/// A record of today. Further members replace `MORE`.
const RECORD: &str = r#"{"version":"1.100000","account_id":"123456789012","region":"ap-northeast-2","vpc_id":"vpc-0123456789abcdef0","query_timestamp":"2026-11-28T15:00:00Z","query_name":"www.example.com.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[{"Rdata":"203.0.113.9","Type":"A","Class":"IN"}],"srcaddr":"10.0.0.5","srcport":"38900","transport":"UDP","srcids":{"instance":"i-0db59e1c912332372"}MORE}"#;

fn record(more: &str) -> String {
    RECORD.replace("MORE", more)
}

#[expect(clippy::needless_pass_by_value, reason = "a literal at each call")]
fn check(line: &str, expected: Value) {
    assert_cells(&ResolverQuery, line, &expected);
}

#[test]
fn a_record_with_all_fields_fills_all_columns() {
    let line = record(
        r#","resource_id":"rp-1","firewall_rule_group_id":"rslvr-frg-1","firewall_rule_action":"ALERT","firewall_domain_list_id":"rslvr-fdl-1""#,
    )
    .replace(r#""srcids":{"#, r#""srcids":{"resolver_endpoint":"rslvr-in-1","resolver_network_interface":"rni-1","#)
    .replace(r#""answers":["#, r#""answers":[{"Rdata":"edge.example.com.","Type":"CNAME","Class":"IN"},"#);
    let row = decode(&ResolverQuery, &line).unwrap().unwrap();
    let schema = ResolverQuery.schema(Naming::Snake, &[]);
    let empty: Vec<&str> =
        schema.decoded().map(|column| &*column.name).filter(|name| !row.contains_key(*name)).collect();
    assert_eq!(empty, ["extra"]);
    check(
        &line,
        json!({
            "event_time": "2026-11-28T15:00:00Z", "version": "1.100000", "account_id": "123456789012",
            "region": "ap-northeast-2", "vpc_id": "vpc-0123456789abcdef0", "resource_id": "rp-1",
            "query_name": "www.example.com.", "query_type": "A", "query_class": "IN", "rcode": "NOERROR",
            "answers_rdata": ["edge.example.com.", "203.0.113.9"], "answers_type": ["CNAME", "A"],
            "answers_class": ["IN", "IN"], "srcaddr": "10.0.0.5", "srcport": 38900, "transport": "UDP",
            "srcids_instance": "i-0db59e1c912332372", "srcids_resolver_endpoint": "rslvr-in-1",
            "srcids_resolver_network_interface": "rni-1", "firewall_rule_action": "ALERT",
            "firewall_rule_group_id": "rslvr-frg-1", "firewall_domain_list_id": "rslvr-fdl-1",
        }),
    );
}

#[test]
fn the_first_version_keeps_its_answers_and_sources_in_extra() {
    let line = r#"{"version":"1.000000","account_id":"123456789012","region":"us-east-1","vpc_id":"vpc-0a1b","query_timestamp":"2020-08-28T00:58:30Z","query_name":"example.com.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[{"Address":"203.0.113.9","Type":"A","Class":"IN"}],"srcaddr":"10.0.0.5","srcport":"38900","srcids":["i-0db59e1c912332372"]}"#;
    check(
        line,
        json!({
            "event_time": "2020-08-28T00:58:30Z", "transport": null, "srcids_instance": null,
            "answers_rdata": [null], "answers_type": ["A"], "answers_class": ["IN"],
            "extra": r#"{"srcids":["i-0db59e1c912332372"],"answers":[{"Address":"203.0.113.9","Type":"A","Class":"IN"}]}"#,
        }),
    );
}

/// The lines of `resolver-query-hostile-examples.json`.
#[test]
fn names_of_hosts_stay_in_their_column() {
    check(
        &record("").replace(r#""www.example.com.""#, r#""a\"b\\\\c d\\000\",\"rcode\":\"X.example.com.""#),
        json!({"query_name": r#"a"b\\c d\000","rcode":"X.example.com."#, "rcode": "NOERROR", "extra": null}),
    );
    check(&record("").replace(r#""38900""#, "38900"), json!({"srcport": 38900, "extra": null}));
    let line = record("");
    assert_rejected(
        &ResolverQuery,
        &line.replace("2026-11-28T15:00:00Z", "2017-03-16T19:20:177Z"),
        "bad_event_time",
    );
    assert_rejected(&ResolverQuery, &line[..line.len() - 22], "truncated_json");
    check(
        &line.replace("203.0.113.9", r#"\"v=spf1 -all\"],\"rcode\":\"\ud800"#),
        json!({"answers_rdata": ["\"v=spf1 -all\"],\"rcode\":\"\u{fffd}"], "rcode": "NOERROR", "extra": null}),
    );
}

#[test]
fn values_of_unexpected_types_are_kept() {
    for (more, expected) in [
        (r#","answers":[]"#, json!({"answers_rdata": [], "answers_type": [], "extra": null})),
        (r#","answers":null"#, json!({"answers_rdata": null, "extra": null})),
        (
            r#","answers":{"Rdata":"203.0.113.9"}"#,
            json!({"answers_rdata": null, "extra": r#"{"answers":{"Rdata":"203.0.113.9"}}"#}),
        ),
        (
            r#","answers":[{"Rdata":"a","Ttl":60},"b"]"#,
            json!({"answers_rdata": ["a", null], "extra": r#"{"answers":[{"Rdata":"a","Ttl":60},"b"]}"#}),
        ),
        (r#","srcids":{}"#, json!({"srcids_instance": null, "extra": null})),
        (r#","srcids":{"pod":"p"}"#, json!({"srcids_instance": null, "extra": r#"{"srcids.pod":"p"}"#})),
        (r#","srcids":"i-1""#, json!({"srcids_instance": null, "extra": r#"{"srcids":"i-1"}"#})),
        (r#","srcport":"-""#, json!({"srcport": null, "extra": r#"{"srcport":"-"}"#})),
        (r#","srcport":null"#, json!({"srcport": null, "extra": null})),
        (r#","version":1.1"#, json!({"version": "1.1", "extra": null})),
        (
            r#","additional_properties":{"is_delayed":true}"#,
            json!({"extra": r#"{"additional_properties":{"is_delayed":true}}"#}),
        ),
    ] {
        check(&record(more), expected);
    }
    check(
        r#"{"query_timestamp":"2026-11-28T15:00:00+09:00"}"#,
        json!({"event_time": "2026-11-28T06:00:00Z"}),
    );
}

#[test]
fn lines_that_are_not_one_record_are_rejected() {
    let line = record("");
    for (line, reason) in [
        (format!("{line}{line}"), "text_after_record"),
        ("{".to_owned(), "truncated_json"),
        ("}".to_owned(), "not_an_object"),
        ("{}".to_owned(), "missing_event_time"),
        (line.replace(r#""2026-11-28T15:00:00Z""#, "1795878000000"), "bad_event_time"),
        (line.replace("15:00:00Z", "15:00:00"), "bad_event_time"),
        (line.replacen("\"version\"", "version", 1), "invalid_json"),
    ] {
        assert_rejected(&ResolverQuery, &line, reason);
    }
}

#[test]
fn equal_lines_are_different_queries_unless_the_object_is_the_same() {
    use crate::kst::DayRange;
    use crate::table::Rows;

    let schema = ResolverQuery.schema(Naming::Snake, &[]);
    let identities = |key: &str| {
        let mut decoder = ResolverQuery.decoder(&schema, DecodeLimits::ATHENA);
        let mut rows = Rows::new(schema.decoded(), [0; 4]);
        decoder.begin(key);
        rows.begin_object(0, DayRange::EVER);
        decoder.decode(format!("{}\n", record("")).repeat(2).as_bytes(), &mut rows);
        rows.take_batch().keys.iter().map(|key| key.identity).collect::<Vec<_>>()
    };
    let first = identities("2023/a.log.gz");
    assert!(first.len() == 2 && first[0] != first[1]);
    assert_eq!(identities("copy/a.log"), first);
    assert_ne!(identities("2023/b.log.gz"), first);
    assert_eq!(decode_object(&ResolverQuery, "a", record("").as_bytes()).len(), 1);
}

#[test]
fn the_first_bytes_show_a_record() {
    let line = record("");
    for head in [line.as_str(), &line[..250], &format!("\u{feff}{line}")] {
        assert!(ResolverQuery.recognises(head.as_bytes()), "{head}");
    }
    for head in [
        r#"{"query_timestamp":"2026-11-28T15:00:00Z","message":"query_name"}"#,
        r#"{"Records":[{"query_timestamp":"2026-11-28T15:00:00Z","query_name":"a."}]}"#,
        "{",
        "",
    ] {
        assert!(!ResolverQuery.recognises(head.as_bytes()), "{head}");
    }
}

/// The expected row of a record, from a parsed document.
fn slow_twin(record: &Value) -> Map<String, Value> {
    let mut row = Map::new();
    for column in ResolverQuery.schema(Naming::Snake, &[]).decoded() {
        let Origin::Json(paths) = &column.origin else { continue };
        let cell = if let Some((list, key)) = paths[0].split_once("[].") {
            let answers = record[list].as_array();
            answers.map(|answers| answers.iter().map(|answer| slow_text(&answer[key])).collect())
        } else {
            let value = record.pointer(&format!("/{}", paths[0].replace('.', "/")));
            value.filter(|value| !value.is_null()).and_then(|value| slow_cell(&column.name, value))
        };
        row.extend(cell.map(|cell| (column.name.to_string(), cell)));
    }
    row
}

fn slow_cell(column: &str, value: &Value) -> Option<Value> {
    match column {
        "event_time" => Some(UtcInstant::parse_iso8601(value.as_str()?)?.to_string().into()),
        "srcport" => {
            let number = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
            i32::try_from(number).ok().map(Value::from)
        }
        _ => Some(slow_text(value)),
    }
}

fn slow_text(value: &Value) -> Value {
    match value {
        Value::Null | Value::String(_) => value.clone(),
        other => other.to_string().into(),
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => "[a-z0-9\"\\\\ \\-]{0,8}".prop_map(Value::from),
        1 => "\\PC{0,6}".prop_map(Value::from),
        1 => any::<u16>().prop_map(Value::from),
        1 => any::<u16>().prop_map(|port| port.to_string().into()),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let key = prop::sample::select(vec!["Rdata", "Type", "Class", "instance", "resolver_endpoint", "x"]);
    leaf.prop_recursive(2, 8, 4, move |element| {
        let object = prop::collection::btree_map(key.clone(), element.clone(), 0..4)
            .prop_map(|members| json!(members));
        prop_oneof![
            2 => object.clone(),
            2 => prop::collection::vec(object, 0..4).prop_map(Value::from),
            1 => prop::collection::vec(element, 0..3).prop_map(Value::from),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_cells_agree_with_serde_json(
        fields in prop::collection::vec((any::<prop::sample::Index>(), value()), 0..20)
    ) {
        const KEYS: [&str; 8] =
            ["answers", "srcids", "srcport", "query_name", "rcode", "answers", "srcids", "new_thing"];
        let mut record = json!({"query_timestamp": "2026-11-28T15:00:00Z"});
        for (place, value) in fields {
            record[*place.get(&KEYS)] = value;
        }
        let mut row = decode(&ResolverQuery, &record.to_string()).unwrap().unwrap();
        row.remove("extra");
        prop_assert_eq!(row, slow_twin(&record));
    }

    #[test]
    fn damage_causes_no_panic_and_no_wrong_count(edits in prop::collection::vec(any::<Edit>(), 1..6)) {
        let good = record("");
        let line: Vec<u8> = mutated(good.clone().into_bytes(), &edits);
        let lines = [good.as_bytes(), &line, good.as_bytes()].join(&b'\n');
        let rows = decode_all(&ResolverQuery, &lines).iter().filter(|outcome| outcome.is_ok()).count();
        prop_assert!(rows >= 2);
    }
}

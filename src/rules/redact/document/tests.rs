//! Compares the walk over JSON text with a walk over a tree of values.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn path(text: &str) -> Path {
    text.split('.').map(str::to_owned).collect()
}

fn masked(text: &str, paths: &[&str], has_paths_for_keys: bool) -> String {
    let names = Names::new(vec!["X-Sig".to_owned()], true);
    let paths: Vec<Path> = paths.iter().map(|text| path(text)).collect();
    let wanted = Wanted { paths: &paths, has_paths_for_keys, names: &names };
    wanted.mask(text).unwrap_or(text.to_owned())
}

#[test]
fn bytes_outside_masked_values_are_unchanged() {
    for (text, expected) in [
        (
            r#"{ "x" : 1e400, "a":{"b" :"secret" , "b":"again","c":0.10}, "é":"\u00e9" }"#,
            r#"{ "x" : 1e400, "a":{"b" :"REDACTED" , "b":"REDACTED","c":0.10}, "é":"\u00e9" }"#,
        ),
        (r#"{"a":{"b":12,"c":{"b":1}}}"#, r#"{"a":{"b":"REDACTED","c":{"b":1}}}"#),
        (r#"{"a":{"b":{"x":[1,2]}}}"#, r#"{"a":{"b":"REDACTED"}}"#),
        (r#"{"a":{"b":null}}"#, r#"{"a":{"b":null}}"#),
        (r#"{"\u0061":{"\u0062":"secret"}}"#, r#"{"\u0061":{"\u0062":"REDACTED"}}"#),
        (r#"{"a":[{"b":1},[{"b":2}],{"c":3}]}"#, r#"{"a":[{"b":"REDACTED"},[{"b":"REDACTED"}],{"c":3}]}"#),
        (r#"[{"a":{"b":1}}]"#, r#"[{"a":{"b":"REDACTED"}}]"#),
        (r#"{"b":1,"c":{"a":{"b":1}}}"#, r#"{"b":1,"c":{"a":{"b":1}}}"#),
        (r#"{"q":[{"x-sig":["s"]}]}"#, r#"{"q":[{"x-sig":"REDACTED"}]}"#),
        (r#"{"X\u002dSig":"s"}"#, r#"{"X\u002dSig":"REDACTED"}"#),
        ("\"a.b\"", "\"a.b\""),
        ("no JSON {\"a\"", "no JSON {\"a\""),
    ] {
        assert_eq!(masked(text, &["a.b"], false), expected, "{text}");
    }
}

#[test]
fn a_key_that_is_a_path_is_above_at_or_below_a_rule() {
    for (text, expected) in [
        (r#"{"a.b":1}"#, r#"{"a.b":"REDACTED"}"#),
        (r#"{"a.b.c":1}"#, r#"{"a.b.c":"REDACTED"}"#),
        (r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":"REDACTED","c":2}}"#),
        (r#"{"a":[{"b":1}]}"#, r#"{"a":[{"b":"REDACTED"}]}"#),
        (r#"{"a.bc":1,"b":2,"a.c":3}"#, r#"{"a.bc":1,"b":2,"a.c":3}"#),
        (r#"{"x":{"a.b":1}}"#, r#"{"x":{"a.b":1}}"#),
        (r#"{"a.b":null}"#, r#"{"a.b":null}"#),
        (r#"{"a.\u0062":1}"#, r#"{"a.\u0062":"REDACTED"}"#),
    ] {
        assert_eq!(masked(text, &["a.b"], true), expected, "{text}");
    }
    let deeper = r#"{"a":{"b.c":1}}"#;
    assert_eq!(masked(deeper, &["a.b.c"], true), deeper, "only top-level keys are paths");
}

/// Masks a tree of values, as a slow reference.
fn twin(value: &mut Value, open: &[&[String]]) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| twin(element, open)),
        Value::Object(members) => {
            for (key, value) in members {
                let below: Vec<&[String]> =
                    open.iter().filter(|path| path[0] == *key).map(|path| &path[1..]).collect();
                let is_masked = key.eq_ignore_ascii_case("x-sig") || below.iter().any(|rest| rest.is_empty());
                if !is_masked {
                    twin(value, &below);
                } else if !value.is_null() {
                    *value = json!(MASK);
                }
            }
        }
        _ => {}
    }
}

fn document() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(Value::Null), (0..9).prop_map(Value::from), "[ab\"\\\\]{0,3}".prop_map(Value::from)];
    leaf.prop_recursive(5, 40, 4, |element| {
        prop_oneof![
            prop::collection::vec(element.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("(a|b|c|X-Sig|x-sig)", element, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_walk_over_text_agrees_with_the_walk_over_a_tree(
        document in document(),
        paths in prop::collection::vec("[abc](\\.[abc]){0,2}", 0..3),
    ) {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let text = document.to_string();
        let found: Value = serde_json::from_str(&masked(&text, &paths, false)).unwrap();
        let open: Vec<Path> = paths.iter().map(|text| path(text)).collect();
        let mut expected = document;
        twin(&mut expected, &open.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(found, expected);
    }
}

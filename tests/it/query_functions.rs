//! `logmill query`: functions of Athena, tested through complete statements.

use serde_json::{Value, json};

use crate::query_meaning::check;

#[test]
fn json_functions_work() {
    let json = r#"'{"a": {"b": [1, {"c": "x"}]}}'"#;
    check(
        "",
        &[
            (&format!("json_extract_scalar({json}, '$.a.b[1].c')")[..], [json!("x")]),
            (&format!("json_extract_scalar({json}, '$.a.b[0]')"), [json!("1")]),
            (&format!("json_extract_scalar({json}, '$.a')"), [Value::Null]),
            (&format!("json_extract({json}, '$.a.b')"), [json!("[1,{\"c\":\"x\"}]")]),
            ("json_extract_scalar('{broken', '$.a')", [Value::Null]),
            ("json_extract_scalar(NULL, '$.a')", [Value::Null]),
            ("json_array_length('[1,2]')", [json!(2)]),
        ],
    );
}

#[test]
fn time_functions_work() {
    check(
        "",
        &[
            (
                "date_format(timestamp '2023-11-01 13:04:05', '%Y-%m-%dT%H:%i:%sZ')",
                [json!("2023-11-01T13:04:05Z")],
            ),
            ("date_parse('2023-11-01 09', '%Y-%m-%d %H')", [json!("2023-11-01 09:00:00.000")]),
            (
                "from_iso8601_timestamp('2023-11-01T09:00:00+09:00')",
                [json!("2023-11-01 09:00:00.000 +09:00")],
            ),
            ("to_iso8601(timestamp '2023-11-01 00:00:00')", [json!("2023-11-01T00:00:00.000")]),
            ("date_add('day', -1, timestamp '2023-11-01 00:00:00')", [json!("2023-10-31 00:00:00.000")]),
            (
                "date_diff('hour', timestamp '2023-11-01 00:00:00', timestamp '2023-11-02 00:30:00')",
                [json!(24)],
            ),
            (
                "date_trunc('day', timestamp '2023-11-01 10:00:00') - interval '9' hour",
                [json!("2023-10-31 15:00:00.000")],
            ),
            ("year(timestamp '2023-11-01 10:00:00')", [json!(2023)]),
            ("day_of_week(date '2023-11-01')", [json!(3)]),
            ("timestamp '1600-01-01 00:00:00'", [json!("1600-01-01 00:00:00.000")]),
            ("timestamp '9999-12-31 23:59:59.999'", [json!("9999-12-31 23:59:59.999")]),
            ("timestamp '2023-11-01 09:30'", [json!("2023-11-01 09:30:00.000")]),
            ("timestamp '2023-11-01'", [json!("2023-11-01 00:00:00.000")]),
        ],
    );
}

#[test]
fn text_functions_work() {
    check(
        "",
        &[
            ("split_part('a:b', ':', 2)", [json!("b")]),
            ("split_part('a:b', ':', 3)", [Value::Null]),
            ("substr('abcdef', -3)", [json!("def")]),
            ("substr('abcdef', -3, 2)", [json!("de")]),
            ("substring('abcdef', 2, 3)", [json!("bcd")]),
            ("substring('abcdef' FROM 5)", [json!("ef")]),
            ("substr('abcdef', 0)", [json!("")]),
            ("substr('abc', CAST(NULL AS bigint))", [Value::Null]),
            ("regexp_replace('a1b2c3', '[0-9]', '')", [json!("abc")]),
            ("regexp_replace('a1b2c3', '[0-9]')", [json!("abc")]),
            ("regexp_replace('a1b2', '([a-z])([0-9])', '$2$1')", [json!("1a2b")]),
            ("url_decode('%+1%41')", [json!("% 1A")]),
            ("strpos('abc', 'c')", [json!(3)]),
            ("regexp_like('abc', '^a')", [json!(true)]),
            ("regexp_extract('id=42;', 'id=([0-9]+)', 1)", [json!("42")]),
            ("if(1 > 2, 'a', 'b')", [json!("b")]),
            ("url_extract_host('https://h.example.com:1/x')", [json!("h.example.com")]),
        ],
    );
}

#[test]
fn array_and_row_functions_work() {
    check(
        "",
        &[
            ("element_at(array['a', 'b'], 2)", [json!("b")]),
            ("element_at(array['a', 'b'], -2)", [json!("a")]),
            ("element_at(array['a', 'b'], 3)", [Value::Null]),
            ("element_at(CAST(NULL AS array<varchar>), 1)", [Value::Null]),
            ("cardinality(array[1, 2])", [json!(2)]),
            ("contains(array[1, 2], 2)", [json!(true)]),
            ("typeof(array[1])", [json!("array(bigint)")]),
            ("CAST(ROW(1, 'x') AS ROW(a bigint, b varchar))", [json!({"a": 1, "b": "x"})]),
        ],
    );
}

#[test]
fn aggregate_functions_work() {
    check(
        "",
        &[
            ("(SELECT count_if(x > 1) FROM (VALUES (1), (2), (NULL)) AS t(x))", [json!(1)]),
            ("(SELECT arbitrary(x) FROM (VALUES ('a')) AS t(x))", [json!("a")]),
            ("(SELECT max_by(x, y) FROM (VALUES ('a', 1), ('b', 2)) AS t(x, y))", [json!("b")]),
            ("(SELECT approx_distinct(x) FROM (VALUES (1), (1), (2)) AS t(x))", [json!(2)]),
        ],
    );
}

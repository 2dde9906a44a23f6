//! JSON.

use super::{check, check_refused};

#[test]
fn json_functions() {
    check(&[
        (
            "json_array_contains('[1,2,3]', 2), json_array_contains('[\"a\"]', 'b'), json_array_contains('[1.5]', 1.5)",
            "true|false|true",
        ),
        (
            r#"json_size('{"x":{"a":1,"b":2}}','$.x'), json_size('{"x":[1,2,3]}','$.x'), json_size('{"x":1}','$.x'), json_size('{}','$.x')"#,
            "2|3|0|NULL",
        ),
        (
            r#"json_array_get('["a",[3,9],"c"]', 0), json_array_get('["a",[3,9],"c"]', -2), json_array_get('[1]', 5)"#,
            r#""a"|[3,9]|NULL"#,
        ),
        (r"json_array_length('[1,2,3]'), is_json_scalar('1'), is_json_scalar('[1]')", "3|true|false"),
        (
            r#"json_format(json_parse('{"b": 1, "a": [1, 2]}')), json_extract('{"a": [1, {"b": "x y"}]}', '$.a')"#,
            r#"{"a":[1,2],"b":1}|[1,{"b":"x y"}]"#,
        ),
        (r#"json_format(json_extract('{"a":1}','$.a')), json_extract_scalar('{"a":"x"}','$.a')"#, "1|x"),
        (r#"cardinality(CAST(json_extract('{"a":[1,2]}','$.a') AS array(integer)))"#, "2"),
        (
            r#"CAST(json_parse('{"a":1,"b":"2"}') AS map(varchar,bigint)), CAST(json_parse('{"v1":123,"v2":"x"}') AS row(v1 bigint, v2 varchar))"#,
            "{a: 1, b: 2}|{v1: 123, v2: x}",
        ),
        (
            r#"CAST(json_parse('[1,"x"]') AS row(a bigint, b varchar)), CAST(json_parse('"x"') AS varchar), CAST(json_parse('1') AS bigint) + 1"#,
            "{a: 1, b: x}|x|2",
        ),
        (
            r#"CAST(json_extract('{"a":"x"}','$.a') AS varchar), CAST(json_parse('null') AS bigint), CAST(json_parse('true') AS boolean)"#,
            "x|NULL|true",
        ),
        (
            r"CAST(ARRAY[1,2] AS json), CAST(map(ARRAY['b','a'],ARRAY[1,2]) AS json), CAST('x' AS json), CAST(1 AS json)",
            r#"[1,2]|{"a":2,"b":1}|"x"|1"#,
        ),
        (
            r"CAST(CAST(ROW(1,'x') AS ROW(a bigint, b varchar)) AS json), json_format(CAST(ARRAY['a',NULL] AS json))",
            r#"{"a":1,"b":"x"}|["a",null]"#,
        ),
        (
            r#"transform(CAST(json_parse('[{"n":"a"},{"n":"b"}]') AS array(json)), x -> json_extract_scalar(x, '$.n'))"#,
            "[a, b]",
        ),
        (r#"TRY_CAST(json_parse('"x"') AS bigint), TRY(json_parse('{x'))"#, "NULL|NULL"),
        (
            r#"SELECT CAST(json_extract(x, '$.tags') AS map(varchar, varchar))['k'] FROM (VALUES '{"tags":{"k":"v"}}') AS t(x)"#,
            "v",
        ),
        (r#"JSON '{"a":1}', json_extract_scalar(JSON '{"a":1}', '$.a')"#, r#"{"a":1}|1"#),
    ]);
    check_refused(&[
        ("SELECT json_parse('{x')", "cannot convert '{x' to JSON"),
        (r#"SELECT CAST(json_parse('{"a":1}') AS varchar)"#, "cannot cast {\"a\":1} to varchar"),
        ("SELECT json_parse('1') = '1'", "cannot compare json with varchar"),
    ]);
}

#[test]
fn sql_json_paths() {
    let doc = r#"'{"a":{"b":[1,2,{"c":"x"}]},"n":null,"s":"t","items":[{"p":1,"q":"y"},{"p":5,"q":"z"}]}'"#;
    let cases: Vec<(String, &str)> = [
        ("json_value(D, 'lax $.s'), json_value(D, 'lax $.a.b[0]'), json_value(D, '$.none')", "t|1|NULL"),
        ("json_value(D, 'lax $.a'), json_value(D, 'lax $.n'), json_value(D, 'strict $.a.b[2].c')", "NULL|NULL|x"),
        ("json_value(D, 'lax $.a.b[0]' RETURNING bigint) + 1, json_value(D, 'lax $.x' DEFAULT 'd' ON EMPTY)", "2|d"),
        ("json_value(D, 'strict $.x' DEFAULT 'e' ON ERROR), json_value(D, 'lax $.x' RETURNING bigint DEFAULT 7 ON EMPTY)", "e|7"),
        ("json_value('broken', 'lax $.a'), json_value(D, 'lax $.items[last].q')", "NULL|z"),
        ("json_query(D, 'lax $.a.b[2]'), json_query(D, 'lax $.s'), json_query(D, 'lax $.s' OMIT QUOTES)", r#"{"c":"x"}|"t"|t"#),
        ("json_query(D, 'lax $.items[*].p' WITH ARRAY WRAPPER), json_query(D, 'lax $.items[*].p')", "[1,5]|NULL"),
        ("json_query(D, 'lax $.x' EMPTY ARRAY ON EMPTY), json_query(D, 'lax $.a.b' WITH CONDITIONAL WRAPPER)", r#"[]|[1,2,{"c":"x"}]"#),
        ("json_exists(D, 'lax $.a.b'), json_exists(D, 'lax $.x'), json_exists(D, 'strict $.x' TRUE ON ERROR)", "true|false|true"),
        ("json_exists(D, 'lax $.items[*]?(@.p > 3)'), json_exists(D, 'lax $.items[*]?(@.p > 9)')", "true|false"),
        ("json_query(D, 'lax $.items?(@.q == \"z\").p' WITH WRAPPER), json_value(D, 'lax $.items.size()')", "[5]|2"),
        ("json_value(D, 'lax $.items[0 to 1]?(@.q starts with \"y\" && exists(@.p)).p'), json_value(D, '$.a.type()')", "1|object"),
        ("json_query(D, 'lax $.items[*].*' WITH WRAPPER), json_value(D, 'lax $.items[0].p + 2')", r#"[1,"y",5,"z"]|3"#),
        ("SELECT count(*) FROM (VALUES D, 'x', NULL) AS t(j) WHERE json_exists(j, 'lax $.a.b')", "1"),
    ]
    .map(|(sql, expected)| (sql.replace("(D,", &format!("({doc},")).replace("VALUES D,", &format!("VALUES {doc},")).replace("'broken'", "'{'"), expected))
    .into();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(sql, expected)| (sql.as_str(), *expected)).collect();
    check(&cases);
    check_refused(&[
        ("SELECT json_value('{}', 'lax $.x' ERROR ON EMPTY)", "the JSON path has no result"),
        ("SELECT json_value('{}', 'nonsense')", "is not a JSON path"),
        ("SELECT json_query('{}', 'lax $.x?(@ == $x)' PASSING 1 AS x)", "no value is passed for $x"),
        (
            "SELECT json_exists('{}', 'lax $x' PASSING date '2023-11-01' AS \"x\")",
            "PASSING takes texts, numbers",
        ),
        ("SELECT json_exists('{}', 'lax $x' PASSING 1)", "PASSING takes values with names"),
    ]);
}

#[test]
fn values_are_passed_to_paths() {
    check(&[
        (r#"json_value('[1, 2, 3]', 'lax $[$i]' PASSING 1 AS "i")"#, "2"),
        (
            r#"json_query('[1, 5, 9]', 'lax $[*]?(@ > $least && @ < $MOST)' PASSING 2 AS "least", 3 * 3 AS most WITH WRAPPER)"#,
            "[5]",
        ),
        (r#"json_exists('{"n":"a"}', 'lax $?(@.n == $name)' PASSING 'a' AS "name" ERROR ON ERROR)"#, "true"),
        (r#"json_value('{}', 'lax $doc.a' PASSING '{"a": [7]}' FORMAT JSON AS "doc" NULL ON ERROR)"#, "NULL"),
        (r#"json_query('{}', 'lax $doc.a' PASSING '{"a": [7]}' FORMAT JSON AS "doc")"#, "[7]"),
        (
            r#"json_exists('[1.5]', 'lax $[*]?(@ == $x)' PASSING 1.50 AS "x"), json_exists('[null]', 'lax $[*]?(@ == $x)' PASSING NULL AS "x")"#,
            "true|true",
        ),
        (
            r#"SELECT json_value(j, 'lax $.a[$i]' PASSING n AS "i" RETURNING bigint) FROM (VALUES ('{"a":[4,5]}', 0), ('{"a":[4,5]}', 1)) AS t(j, n)"#,
            "4;5",
        ),
    ]);
}

/// The examples of `json_array` and `json_object` in Trino's documentation, and their relatives.
#[test]
fn objects_and_arrays_are_built() {
    check(&[
        ("json_array(true, 12e-1, 'text'), json_array()", r#"[true,1.2,"text"]|[]"#),
        ("json_array('[  \"text\"  ] ' FORMAT JSON)", r#"[["text"]]"#),
        (r#"json_array(json_query('{"key" : [  "value"  ]}', 'lax $.key'))"#, r#"[["value"]]"#),
        ("json_array(DATE '2001-01-31', 1.50)", r#"["2001-01-31",1.50]"#),
        ("json_array(true, null, 1), json_array(true, null, 1 ABSENT ON NULL)", "[true,1]|[true,1]"),
        (
            "json_array(true, null, 1 NULL ON NULL), json_array(true, 1 RETURNING VARCHAR(100))",
            "[true,null,1]|[true,1]",
        ),
        ("json_object('key1' : 1, 'key2' : true), json_object()", r#"{"key1":1,"key2":true}|{}"#),
        ("json_object(KEY 'key1' VALUE 1, KEY 'key2' VALUE true)", r#"{"key1":1,"key2":true}"#),
        ("json_object('key1' VALUE 1, 'key2' VALUE true)", r#"{"key1":1,"key2":true}"#),
        ("json_object('x' : true, 'y' : 12e-1, 'z' : 'te\"xt')", r#"{"x":true,"y":1.2,"z":"te\"xt"}"#),
        (r#"json_object('x' : json_query('{"key" : [  "value"  ]}', 'lax $.key'))"#, r#"{"x":["value"]}"#),
        (
            "json_object('x' : null, 'y' : 1), json_object('x' : null, 'y' : 1 NULL ON NULL)",
            r#"{"x":null,"y":1}|{"x":null,"y":1}"#,
        ),
        ("json_object('x' : null, 'y' : 1 ABSENT ON NULL WITH UNIQUE KEYS)", r#"{"y":1}"#),
        (
            "json_object('a' : json_object('b' : json_array(1, 'c')), 'd' : ARRAY[1, 2])",
            r#"{"a":{"b":[1,"c"]},"d":[1,2]}"#,
        ),
        ("SELECT json_extract_scalar(json_object('k' : v), '$.k') FROM (VALUES 'x') AS t(v)", "x"),
        ("typeof(json_object('a' : 1)), typeof(json_array())", "varchar|varchar"),
    ]);
    check_refused(&[
        ("SELECT json_object('x' : 1, 'x' : 2)", "the key \"x\" twice"),
        ("SELECT json_object(CAST(NULL AS varchar) : 1)", "is not a text"),
        ("SELECT json_object(1, 2)", "takes keys and values"),
        ("SELECT json_array('{' FORMAT JSON)", "cannot convert '{' to JSON"),
        ("SELECT json_array(1 RETURNING varbinary)", "RETURNING takes varchar only"),
    ]);
}

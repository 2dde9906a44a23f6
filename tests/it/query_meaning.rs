//! `logmill query`: an expression has the same value as in Athena, or is refused.
//!
//! Expected values were worked out by hand from the documentation of Trino, on which Athena's engine is built.

use std::fs;

use serde_json::{Map, Value, json};

use crate::harness::{Call, Workdir};

pub(crate) fn empty_lake() -> Workdir {
    let work = Workdir::new();
    fs::create_dir(work.lake()).unwrap();
    work
}

pub(crate) fn query<'w>(work: &'w Workdir, sql: &str) -> Call<'w> {
    work.logmill(["query", "--output", "lake", sql])
}

pub(crate) fn rows(work: &Workdir, sql: &str) -> Vec<Map<String, Value>> {
    let outcome = query(work, sql).args(["--format", "json"]).exits(0);
    outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Evaluates all expressions in one statement, and compares the value of each in every row.
pub(crate) fn check<const ROWS: usize>(from: &str, cases: &[(&str, [Value; ROWS])]) {
    let columns: Vec<String> =
        cases.iter().enumerate().map(|(number, (sql, _))| format!("{sql} AS x{number}")).collect();
    let found = rows(&empty_lake(), &format!("SELECT {} {from}", columns.join(", ")));
    assert_eq!(found.len(), ROWS);
    for (number, (sql, expected)) in cases.iter().enumerate() {
        for (row, expected) in found.iter().zip(expected) {
            assert_eq!(&row[&format!("x{number}")], expected, "{sql}");
        }
    }
}

/// Checks that each expression is refused with its error text.
pub(crate) fn check_refused(cases: &[(&str, &str)]) {
    let work = empty_lake();
    for (sql, error) in cases {
        query(&work, &format!("SELECT {sql}")).exits(2).says(&[error]);
    }
}

#[test]
fn casts_of_texts_match_athena() {
    check(
        "",
        &[
            ("TRY_CAST('0.0' AS bigint)", [Value::Null]),
            ("TRY_CAST('1e3' AS bigint)", [Value::Null]),
            ("TRY_CAST('' AS bigint)", [Value::Null]),
            ("TRY_CAST('+5' AS bigint)", [json!(5)]),
            ("TRY_CAST('-5' AS integer)", [json!(-5)]),
            ("TRY_CAST('9223372036854775807' AS bigint)", [json!(i64::MAX)]),
            ("TRY_CAST('9223372036854775808' AS bigint)", [Value::Null]),
            ("TRY_CAST('128' AS tinyint)", [Value::Null]),
            ("TRY_CAST(' 1.5 ' AS double)", [json!(1.5)]),
            ("TRY_CAST('1e3' AS double)", [json!(1000.0)]),
            ("TRY_CAST('1d' AS double)", [json!(1.0)]),
            ("TRY_CAST('inf' AS double)", [Value::Null]),
            ("TRY_CAST('1,5' AS double)", [Value::Null]),
            ("TRY_CAST('TRUE' AS boolean)", [json!(true)]),
            ("TRY_CAST('t' AS boolean)", [json!(true)]),
            ("TRY_CAST('0' AS boolean)", [json!(false)]),
            ("TRY_CAST('yes' AS boolean)", [Value::Null]),
            ("TRY_CAST('on' AS boolean)", [Value::Null]),
            ("TRY_CAST(' true' AS boolean)", [Value::Null]),
            ("TRY_CAST('2023-11-01' AS date)", [json!("2023-11-01")]),
            ("TRY_CAST('2023-1-1' AS date)", [json!("2023-01-01")]),
            ("TRY_CAST('20231101' AS date)", [Value::Null]),
            ("TRY_CAST('2023-11-01 00:00:00' AS date)", [Value::Null]),
            ("TRY_CAST('2023-02-29' AS date)", [Value::Null]),
            ("TRY_CAST('2023-11-01 09:00' AS timestamp)", [json!("2023-11-01 09:00:00.000")]),
            ("TRY_CAST('2023-11-01' AS timestamp)", [json!("2023-11-01 00:00:00.000")]),
            ("TRY_CAST('2023-11-01T09:00:00Z' AS timestamp)", [Value::Null]),
            ("TRY_CAST('2023-11-01 09:00:00 Asia/Seoul' AS timestamp)", [Value::Null]),
            ("TRY_CAST('1.25' AS decimal(3,1))", [json!(1.3)]),
            ("TRY_CAST('100' AS decimal(3,1))", [Value::Null]),
            ("TRY_CAST('x' AS decimal(3,1))", [Value::Null]),
        ],
    );
    // Columns give the same results as constants.
    check(
        "FROM (VALUES ('0.0'), ('5'), (NULL), ('2023-11-01')) AS t(x)",
        &[
            ("TRY_CAST(x AS bigint)", [Value::Null, json!(5), Value::Null, Value::Null]),
            ("TRY_CAST(x AS double)", [json!(0.0), json!(5.0), Value::Null, Value::Null]),
            ("TRY_CAST(x AS date)", [Value::Null, Value::Null, Value::Null, json!("2023-11-01")]),
            ("TRY_CAST(x AS boolean)", [Value::Null, Value::Null, Value::Null, Value::Null]),
        ],
    );
}

#[test]
fn casts_of_other_values_match_athena() {
    check(
        "",
        &[
            ("CAST(0.5 AS bigint)", [json!(1)]),
            ("CAST(-0.5 AS bigint)", [json!(-1)]),
            ("CAST(2.5e0 AS integer)", [json!(3)]),
            ("CAST(2.4e0 AS integer)", [json!(2)]),
            ("CAST(CAST('2.5' AS decimal(3,1)) AS bigint)", [json!(3)]),
            ("CAST(CAST('-2.5' AS decimal(3,1)) AS bigint)", [json!(-3)]),
            ("TRY_CAST(1e30 AS bigint)", [Value::Null]),
            ("TRY_CAST(0e0 / 0e0 AS bigint)", [Value::Null]),
            ("CAST(1.5 AS varchar)", [json!("1.5")]),
            ("CAST(1.5e0 AS varchar)", [json!("1.5E0")]),
            ("CAST(1e7 AS varchar)", [json!("1.0E7")]),
            ("CAST(true AS varchar)", [json!("true")]),
            ("CAST(date '2023-11-01' AS varchar)", [json!("2023-11-01")]),
            ("CAST(timestamp '2023-11-01 09:00:00' AS varchar)", [json!("2023-11-01 09:00:00.000")]),
            ("CAST('abcdef' AS varchar(3))", [json!("abc")]),
            ("CAST(12 AS varchar(3))", [json!("12")]),
            ("CAST(timestamp '1969-12-31 23:00:00' AS date)", [json!("1969-12-31")]),
            ("CAST(1 AS boolean)", [json!(true)]),
            ("CAST(false AS bigint)", [json!(0)]),
        ],
    );
    check_refused(&[
        ("CAST(x AS bigint) FROM (VALUES ('5'), ('0.0')) AS t(x)", "cannot cast '0.0' to bigint"),
        ("CAST('0.0' AS bigint)", "cannot cast '0.0' to bigint"),
        ("CAST('yes' AS boolean)", "cannot cast 'yes' to boolean"),
        ("CAST('2023-11-01T00:00:00' AS timestamp)", "cannot cast '2023-11-01T00:00:00' to timestamp(3)"),
        ("timestamp '2023-11-01T00:00:00'", "cannot cast '2023-11-01T00:00:00' to timestamp(3)"),
        ("CAST(1e30 AS bigint)", "to bigint"),
        ("CAST(' 1' AS bigint)", "has whitespace around it"),
        ("TRY_CAST('1 ' AS bigint)", "has whitespace around it"),
        ("CAST(12345 AS varchar(3))", "does not fit into varchar(3)"),
        ("CAST('a' AS char(3))", "cast to char is not available"),
        ("CAST(1 AS timestamp)", "use from_unixtime"),
        ("CAST(now() AS bigint)", "use to_unixtime"),
        ("CAST(now() - now() AS varchar)", "use date_diff"),
        ("CAST(ARRAY['x'] AS array<bigint>)", "cannot cast 'x' to bigint"),
    ]);
}

#[test]
fn types_that_athena_does_not_mix_are_refused() {
    let mixed = "and neither can Athena";
    check_refused(&[
        ("1 = '1'", "cannot compare bigint with varchar"),
        ("1 IN (1, '1')", mixed),
        ("1 BETWEEN '1' AND '2'", mixed),
        ("CASE 1 WHEN '1' THEN 2 END", mixed),
        ("nullif(1, '1')", mixed),
        ("localtimestamp > '2023-11-01'", "write a literal, for example timestamp '2023-11-01 00:00:00'"),
        ("date '2023-11-01' = '2023-11-01'", mixed),
        ("date '2023-11-01' IN (SELECT '2023-11-01')", mixed),
        ("1 FROM (VALUES (1)) AS a(x) JOIN (VALUES ('1')) AS b(y) ON x = y", mixed),
        ("1 FROM (VALUES (1)) AS a(x) JOIN (VALUES ('1')) AS b(x) USING (x)", mixed),
        ("true = 'true'", "Cannot infer common argument type"),
        ("CASE WHEN true THEN 1 ELSE 'x' END", "into one column"),
        ("if(true, 1, 'x')", "into one column"),
        ("coalesce(1, 'x')", "into one column"),
        ("1 UNION SELECT 'x'", "into one column"),
        ("'a' || 1", "cannot join varchar and bigint with ||"),
        ("concat('a', 1)", "cannot join varchar and bigint with ||"),
        ("1 + '1'", "Cannot coerce arithmetic expression"),
        ("date '2023-11-01' + 1", "cannot add a number to date"),
        ("date '2023-11-01' + interval '1' hour", "cannot add hours to a date"),
        ("current_date - date '2023-11-01'", "use date_diff('day', a, b)"),
        ("hour(date '2023-11-01')", "a date has no hour"),
        ("year('2023-11-01')", "takes date or timestamp, not varchar"),
        ("date_format('2023-11-01', '%Y')", "date_format takes date or timestamp, not varchar"),
        ("date_add('hour', 1, date '2023-11-01')", "a date has no unit 'hour'"),
        ("url_decode(5)", "url_decode takes text, not bigint"),
        ("'a!b' LIKE 'a!b' ESCAPE '!'", "the escape in a pattern must come before"),
        ("interval '1' month > interval '1' day", "only constant intervals of days and smaller units"),
        ("CAST(time '10:00:00' AS varchar)", "use date_format on a timestamp"),
        ("concat_ws(',', ARRAY['a', 'b'])", "use array_join"),
        ("to_char(localtimestamp, 'yyyy')", "use date_format"),
    ]);
}

#[test]
fn text_functions_match_athena() {
    check(
        "",
        &[
            ("concat('a', NULL, 'b')", [Value::Null]),
            ("concat('a', 'b')", [json!("ab")]),
            ("'a' || NULL", [Value::Null]),
            ("greatest(1, NULL)", [Value::Null]),
            ("least('b', 'a')", [json!("a")]),
            ("'a_b' LIKE 'a\\_b'", [json!(false)]),
            ("'a\\xb' LIKE 'a\\_b'", [json!(true)]),
            ("(SELECT 'a\\xb' LIKE 'a\\_b')", [json!(true)]),
            ("'a_b' LIKE 'a!_b' ESCAPE '!'", [json!(true)]),
            ("'axb' LIKE 'a!_b' ESCAPE '!'", [json!(false)]),
            ("trim(chr(9) || 'a' || chr(10))", [json!("a")]),
            ("length(ltrim(chr(9) || 'a '))", [json!(2)]),
        ],
    );
}

#[test]
fn time_and_interval_arithmetic_matches_athena() {
    check(
        "",
        &[
            ("date_add('day', 1, date '2023-11-01')", [json!("2023-11-02")]),
            ("date_trunc('month', date '2023-11-05')", [json!("2023-11-01")]),
            ("to_iso8601(date '2023-11-01')", [json!("2023-11-01")]),
            ("date '2023-10-31' + interval '1' month", [json!("2023-11-30")]),
            ("timestamp '2023-11-01 00:00:00' - timestamp '2023-10-30 15:00:00'", [json!("1 09:00:00.000")]),
            ("interval '14' month", [json!("1-2")]),
            ("interval '36' hour > interval '1' day", [json!(true)]),
            ("interval '24' hour = interval '1' day", [json!(true)]),
            (
                "timestamp '2023-11-02 12:00:00' - timestamp '2023-11-01 00:00:00' > interval '1' day",
                [json!(true)],
            ),
            (
                "timestamp '2023-11-02 12:00:00' - timestamp '2023-11-01 00:00:00' \
                 BETWEEN interval '35' hour AND interval '2' day",
                [json!(true)],
            ),
        ],
    );
}

#[test]
fn array_functions_match_athena() {
    check(
        "",
        &[
            ("array_sort(ARRAY[3, 1, NULL, 2])", [json!([1, 2, 3, null])]),
            ("array_max(ARRAY[1, NULL])", [Value::Null]),
            ("array_min(ARRAY[2, 1])", [json!(1)]),
            ("array_position(ARRAY[1, 2], 3)", [json!(0)]),
            ("array_position(ARRAY[1, 2], 2)", [json!(2)]),
            ("array_remove(ARRAY[1, 2, 1], 1)", [json!([2])]),
            ("contains(ARRAY[1, NULL], 2)", [Value::Null]),
            ("contains(ARRAY[1, NULL], 1)", [json!(true)]),
            ("contains(ARRAY[1], 2)", [json!(false)]),
            ("arrays_overlap(ARRAY[1, NULL], ARRAY[2])", [Value::Null]),
            ("arrays_overlap(ARRAY[1], ARRAY[1])", [json!(true)]),
            ("repeat('ab', 2)", [json!(["ab", "ab"])]),
            ("reverse(ARRAY[1, 2])", [json!([2, 1])]),
            ("reverse('ab')", [json!("ba")]),
            ("split('', ',')", [json!([""])]),
            ("split('a,,b', ',')", [json!(["a", "", "b"])]),
            ("sequence(3, 1)", [json!([3, 2, 1])]),
        ],
    );
}

#[test]
fn operators_match_athena() {
    check(
        "",
        &[
            ("CAST('1.10' AS decimal(10,2)) * 3", [json!(3.3)]),
            ("CAST('1.10' AS decimal(10,2)) / 3", [json!(0.37)]),
            ("2 / 3.0", [json!(0.7)]),
            ("0.1 + 0.2 = 0.3", [json!(true)]),
            ("DECIMAL '12345678901234567.5'", [json!("12345678901234567.5")]),
            ("ceil(7) / 2", [json!(3)]),
            ("floor(7) / 2", [json!(3)]),
            ("power(2, 3) / 16", [json!(0.5)]),
            ("CAST(1e0 / 0 AS varchar)", [json!("Infinity")]),
            ("-7 / 2", [json!(-3)]),
            ("-7 % 3", [json!(-1)]),
            ("round(-2.5)", [json!(-3.0)]),
            ("round(-25e-1)", [json!(-3.0)]),
            ("1 IN (2, NULL)", [Value::Null]),
            ("NULL IN (1)", [Value::Null]),
            ("substr('abc', 0)", [json!("")]),
        ],
    );
    let ordered = "SELECT x FROM (VALUES (1), (NULL), (2)) AS t(x) ORDER BY x DESC";
    assert_eq!(json!(rows(&empty_lake(), ordered)), json!([{"x": 2}, {"x": 1}, {"x": null}]));
}

#[test]
fn a_subquery_with_null_matches_athena_or_is_refused() {
    let work = empty_lake();
    let of = "FROM (VALUES (1), (2), (NULL)) AS t(x) WHERE";
    let (some, none) =
        ("(SELECT y FROM (VALUES (1), (NULL)) AS u(y))", "(SELECT y FROM (VALUES (1)) AS u(y))");
    for (condition, count) in [
        (format!("x NOT IN {some}"), 0),
        (format!("NOT (x IN {some})"), 0),
        (format!("x + 0 NOT IN {some}"), 0),
        (format!("x NOT IN {none}"), 1),
        (format!("x NOT IN {none} AND x > 5"), 0),
        (format!("x IN {some} OR x = 2"), 2),
    ] {
        let found = rows(&work, &format!("SELECT count(*) AS n {of} {condition}"));
        assert_eq!(json!(found), json!([{"n": count}]), "{condition}");
    }
    // The engine would count 2, 1 and 2.
    for condition in [
        format!("x NOT IN {some} OR x > 5"),
        format!("5 NOT IN {some}"),
        format!("NOT (x IN {some} OR x > 5)"),
    ] {
        query(&work, &format!("SELECT count(*) {of} {condition}"))
            .exits(2)
            .says(&["EXISTS (SELECT ... WHERE ...)"]);
    }
    // The engine would use the column of the left side, which is NULL.
    for join in ["RIGHT JOIN (VALUES (2)) AS b(x) USING (x)", "NATURAL FULL JOIN (VALUES (2)) AS b(x)"] {
        query(&work, &format!("SELECT x FROM (VALUES (1)) AS a(x) {join}"))
            .exits(2)
            .says(&["use ON a.x = b.x"]);
    }
}

/// The differences from Athena that docs/query.md lists. Remove a line from the page when it is no longer true.
#[test]
fn the_documented_differences_from_athena_still_hold() {
    check("", &[("CAST('NaN' AS double) = CAST('NaN' AS double)", [json!(true)])]);
}

//! `logmill query`: times at the limits of 64 bits. A result beyond them is an error, not a wrong time.

use serde_json::json;

use crate::query_meaning::{check, check_refused};

const EPOCH: &str = "timestamp '1970-01-01 00:00:00'";
const FIRST: &str = "date_add('millisecond', -9223372036854775807, timestamp '1970-01-01 00:00:00')";
const LAST: &str = "date_add('millisecond', 9223372036854775807, timestamp '1970-01-01 00:00:00')";

/// The error for a result that exceeds 64 bits.
const UNCOUNTED: &str = "out of range";
/// The error for a time that the calendar cannot show.
const UNSHOWN: &str = "lie outside";

/// Units, and the error for the distance between the two limits in that unit.
const UNITS: [(&str, &str); 9] = [
    ("millisecond", UNCOUNTED),
    ("second", UNCOUNTED),
    ("minute", UNCOUNTED),
    ("hour", UNCOUNTED),
    ("day", UNSHOWN),
    ("week", UNSHOWN),
    ("month", UNSHOWN),
    ("quarter", UNSHOWN),
    ("year", UNSHOWN),
];

#[test]
fn units_beyond_the_range_are_refused() {
    let most = i64::MAX;
    for (unit, error) in UNITS {
        check_refused(&[
            (&format!("date_diff('{unit}', {FIRST}, {LAST})"), error),
            (&format!("date_diff('{unit}', timestamp '2023-11-01 00:00:00', {FIRST})"), error),
            (&format!("date_add('{unit}', {most}, timestamp '2023-11-01 00:00:00')"), UNCOUNTED),
            (&format!("date_add('{unit}', -{most}, timestamp '1969-11-01 00:00:00')"), UNCOUNTED),
            (&format!("date_add('{unit}', 1, {LAST} AT TIME ZONE 'Asia/Seoul')"), UNSHOWN),
        ]);
    }
    for unit in ["day", "week", "month", "quarter", "year"] {
        check_refused(&[
            (&format!("date_add('{unit}', {most}, date '2023-11-01')"), UNCOUNTED),
            (&format!("date_add('{unit}', -{most}, date '1969-11-01')"), UNCOUNTED),
        ]);
    }
    for unit in ["second", "minute", "hour", "day", "week"] {
        check_refused(&[(&format!("date_trunc('{unit}', {FIRST})"), UNCOUNTED)]);
    }
}

#[test]
fn times_beyond_the_range_are_refused() {
    for statement in [
        "date_add('hour', 2562047788015, timestamp '2023-11-01 00:00:00 Asia/Seoul')",
        "date_add('millisecond', -9223372036854775807, timestamp '0001-01-01 00:00:00 Asia/Seoul')",
        "from_unixtime(9223372036854775807)",
        "from_unixtime(-9223372036854775807)",
        "from_unixtime(1e300)",
        "from_unixtime(9223372036854775807, 'Asia/Seoul')",
    ] {
        check_refused(&[(statement, UNCOUNTED)]);
    }
    for statement in [
        &format!("date_trunc('month', {FIRST})"),
        &format!("date_trunc('hour', {FIRST} AT TIME ZONE 'Asia/Seoul')"),
        &format!("with_timezone({FIRST}, 'Asia/Seoul')"),
        &format!("with_timezone({LAST}, 'Asia/Seoul')"),
        &format!("year({FIRST})"),
        &format!("hour({LAST})"),
        &format!("week({LAST})"),
        "week(timestamp '0000-01-01 00:00:00')",
        "year_of_week(date '0000-01-02')",
        &format!("date_format({FIRST}, '%Y')"),
        &format!("format_datetime({LAST}, 'yyyy')"),
        &format!("to_iso8601({LAST})"),
        &format!("CAST({LAST} AS varchar)"),
        "day(date_add('day', 2147483647, date '1970-01-01'))",
    ] {
        check_refused(&[(statement, UNSHOWN)]);
    }
}

#[test]
fn times_at_the_limits_of_the_range_work() {
    check(
        "",
        &[
            (&format!("date_diff('second', {EPOCH}, {LAST})")[..], [json!(9_223_372_036_854_775_i64)]),
            (&format!("date_diff('millisecond', {FIRST}, {EPOCH})"), [json!(i64::MAX)]),
            (&format!("to_unixtime({LAST})"), [json!(9_223_372_036_854_776.0)]),
            ("week(timestamp '0000-01-03 00:00:00')", [json!(1)]),
            ("date_add('year', 7976, date '2023-11-01')", [json!("9999-11-01")]),
        ],
    );
}

//! `logmill query`: timestamps with a time zone have the same values as in Athena, or are refused.
//!
//! The session time zone is UTC. Seoul is nine hours ahead of UTC all year. 2023-10-31 15:00 UTC is midnight in Seoul, the
//! start of Wednesday, 1 November: day 305 of the year, in week 44.

use serde_json::{Value, json};

use crate::query_meaning::{check, check_refused, empty_lake, rows};

/// The last millisecond before midnight in Seoul, and midnight: `u` has no zone, `k` has the zone Asia/Seoul.
const MIDNIGHT: &str = "FROM (SELECT u, u AT TIME ZONE 'Asia/Seoul' AS k FROM (VALUES \
    (timestamp '2023-10-31 14:59:59.999'), (timestamp '2023-10-31 15:00:00')) AS v(u)) AS t ORDER BY u";

#[test]
fn a_zoned_timestamp_shows_the_local_time() {
    let text = |before: &str, after: &str| [json!(before), json!(after)];
    check(
        MIDNIGHT,
        &[
            ("k", text("2023-10-31 23:59:59.999 Asia/Seoul", "2023-11-01 00:00:00.000 Asia/Seoul")),
            (
                "at_timezone(u, '+09:00')",
                text("2023-10-31 23:59:59.999 +09:00", "2023-11-01 00:00:00.000 +09:00"),
            ),
            ("k AT TIME ZONE 'UTC'", text("2023-10-31 14:59:59.999 UTC", "2023-10-31 15:00:00.000 UTC")),
            // New York is four hours behind UTC until 5 November.
            (
                "at_timezone(k, 'America/New_York')",
                text("2023-10-31 10:59:59.999 America/New_York", "2023-10-31 11:00:00.000 America/New_York"),
            ),
            (
                "with_timezone(u, 'Asia/Seoul')",
                text("2023-10-31 14:59:59.999 Asia/Seoul", "2023-10-31 15:00:00.000 Asia/Seoul"),
            ),
            (
                "with_timezone(u, 'Asia/Seoul') AT TIME ZONE 'UTC'",
                text("2023-10-31 05:59:59.999 UTC", "2023-10-31 06:00:00.000 UTC"),
            ),
            ("typeof(k)", text("timestamp(3) with time zone", "timestamp(3) with time zone")),
            ("date(k)", text("2023-10-31", "2023-11-01")),
            ("CAST(k AS date)", text("2023-10-31", "2023-11-01")),
            ("CAST(u AS date)", text("2023-10-31", "2023-10-31")),
            ("CAST(k AS timestamp)", text("2023-10-31 23:59:59.999", "2023-11-01 00:00:00.000")),
            ("CAST(k AS time)", text("23:59:59.999", "00:00:00.000")),
            (
                "CAST(k AS varchar)",
                text("2023-10-31 23:59:59.999 Asia/Seoul", "2023-11-01 00:00:00.000 Asia/Seoul"),
            ),
            ("CAST(u AS varchar)", text("2023-10-31 14:59:59.999", "2023-10-31 15:00:00.000")),
            (
                "CAST(u AS timestamp with time zone)",
                text("2023-10-31 14:59:59.999 UTC", "2023-10-31 15:00:00.000 UTC"),
            ),
            ("date_format(k, '%Y-%m-%d %H')", text("2023-10-31 23", "2023-11-01 00")),
            ("format_datetime(k, 'yyyy-MM-dd HH Z')", text("2023-10-31 23 +0900", "2023-11-01 00 +0900")),
            ("to_iso8601(k)", text("2023-10-31T23:59:59.999+09:00", "2023-11-01T00:00:00.000+09:00")),
            (
                "to_iso8601(k AT TIME ZONE 'UTC')",
                text("2023-10-31T14:59:59.999Z", "2023-10-31T15:00:00.000Z"),
            ),
            ("to_unixtime(k)", [json!(1_698_764_399.999), json!(1_698_764_400.0)]),
        ],
    );
}

#[test]
fn fields_of_a_zoned_timestamp_use_the_local_time() {
    let number = |before: i64, after: i64| [json!(before), json!(after)];
    check(
        MIDNIGHT,
        &[
            ("year(k)", number(2023, 2023)),
            ("quarter(k)", number(4, 4)),
            ("month(k)", number(10, 11)),
            ("week(k)", number(44, 44)),
            ("year_of_week(k)", number(2023, 2023)),
            ("day(k)", number(31, 1)),
            ("day(u)", number(31, 31)),
            ("day_of_week(k)", number(2, 3)),
            ("day_of_year(k)", number(304, 305)),
            ("hour(k)", number(23, 0)),
            ("hour(u)", number(14, 15)),
            ("minute(k)", number(59, 0)),
            ("second(k)", number(59, 0)),
            ("millisecond(k)", number(999, 0)),
            ("timezone_hour(k)", number(9, 9)),
            ("timezone_minute(k)", number(0, 0)),
            ("EXTRACT(DAY FROM k)", number(31, 1)),
            ("EXTRACT(DOW FROM k)", number(2, 3)),
            ("EXTRACT(HOUR FROM k)", number(23, 0)),
            ("EXTRACT(TIMEZONE_HOUR FROM k)", number(9, 9)),
            // Sunday is the seventh day.
            ("EXTRACT(DOW FROM date '2023-11-05')", number(7, 7)),
            ("EXTRACT(SECOND FROM timestamp '2023-11-01 00:00:01.5')", number(1, 1)),
        ],
    );
}

#[test]
fn arithmetic_on_a_zoned_timestamp_uses_the_local_time() {
    let text = |before: &str, after: &str| [json!(before), json!(after)];
    let number = |before: i64, after: i64| [json!(before), json!(after)];
    check(
        MIDNIGHT,
        &[
            (
                "date_trunc('hour', k)",
                text("2023-10-31 23:00:00.000 Asia/Seoul", "2023-11-01 00:00:00.000 Asia/Seoul"),
            ),
            (
                "date_trunc('day', k)",
                text("2023-10-31 00:00:00.000 Asia/Seoul", "2023-11-01 00:00:00.000 Asia/Seoul"),
            ),
            (
                "date_trunc('week', k)",
                text("2023-10-30 00:00:00.000 Asia/Seoul", "2023-10-30 00:00:00.000 Asia/Seoul"),
            ),
            (
                "date_trunc('month', k)",
                text("2023-10-01 00:00:00.000 Asia/Seoul", "2023-11-01 00:00:00.000 Asia/Seoul"),
            ),
            ("date_trunc('day', u)", text("2023-10-31 00:00:00.000", "2023-10-31 00:00:00.000")),
            (
                "date_add('month', 1, k)",
                text("2023-11-30 23:59:59.999 Asia/Seoul", "2023-12-01 00:00:00.000 Asia/Seoul"),
            ),
            (
                "date_add('hour', -1, k)",
                text("2023-10-31 22:59:59.999 Asia/Seoul", "2023-10-31 23:00:00.000 Asia/Seoul"),
            ),
            (
                "k + interval '1' day",
                text("2023-11-01 23:59:59.999 Asia/Seoul", "2023-11-02 00:00:00.000 Asia/Seoul"),
            ),
            (
                "k - interval '9' hour",
                text("2023-10-31 14:59:59.999 Asia/Seoul", "2023-10-31 15:00:00.000 Asia/Seoul"),
            ),
            (
                "k + interval '1' month",
                text("2023-11-30 23:59:59.999 Asia/Seoul", "2023-12-01 00:00:00.000 Asia/Seoul"),
            ),
            ("k - u = interval '0' hour", [json!(true), json!(true)]),
            ("k - timestamp '2023-10-31 00:00:00'", text("0 14:59:59.999", "0 15:00:00.000")),
            ("date_diff('day', timestamp '2023-10-31 00:00:00 Asia/Seoul', k)", number(0, 1)),
            ("date_diff('millisecond', timestamp '2023-10-31 15:00:00', k)", number(-1, 0)),
            // The zone of the first argument decides: in UTC, both are on 31 October.
            ("date_diff('day', timestamp '2023-10-31 00:00:00', k)", number(0, 0)),
        ],
    );
}

#[test]
fn a_day_with_a_clock_change_has_twenty_five_hours() {
    // Clocks in New York are set back on 5 November 2023, from 02:00 to 01:00.
    let noon = "timestamp '2023-11-04 12:00:00 America/New_York'";
    let next = "timestamp '2023-11-05 12:00:00 America/New_York'";
    check(
        "",
        &[
            (&format!("date_add('day', 1, {noon})")[..], [json!("2023-11-05 12:00:00.000 America/New_York")]),
            (&format!("{noon} + interval '1' day"), [json!("2023-11-05 11:00:00.000 America/New_York")]),
            (&format!("date_diff('hour', {noon}, {next})"), [json!(25)]),
            (&format!("date_diff('day', {noon}, {next})"), [json!(1)]),
            (
                "date_trunc('hour', timestamp '2023-11-05 06:30:00' AT TIME ZONE 'America/New_York') AT TIME ZONE 'UTC'",
                [json!("2023-11-05 06:00:00.000 UTC")],
            ),
        ],
    );
}

#[test]
fn zoned_timestamps_compare_by_instant() {
    let truth = |before: bool, after: bool| [json!(before), json!(after)];
    check(
        MIDNIGHT,
        &[
            ("k = u", truth(true, true)),
            ("k = at_timezone(u, 'UTC')", truth(true, true)),
            ("k IS DISTINCT FROM u", truth(false, false)),
            ("k >= timestamp '2023-10-31 15:00:00'", truth(false, true)),
            ("k >= timestamp '2023-11-01 00:00:00'", truth(false, false)),
            ("k >= timestamp '2023-11-01 00:00:00 Asia/Seoul'", truth(false, true)),
            ("u >= timestamp '2023-11-01 00:00:00 +09:00'", truth(false, true)),
            ("k > date '2023-10-31'", truth(true, true)),
            ("k < date '2023-10-31'", truth(false, false)),
            (
                "k BETWEEN timestamp '2023-10-31 14:00:00' AND timestamp '2023-10-31 14:59:59.999'",
                truth(true, false),
            ),
            ("k IN (timestamp '2023-10-31 15:00:00', timestamp '2023-11-01 00:00:00')", truth(false, true)),
            ("CAST(k AS timestamp) >= timestamp '2023-11-01 00:00:00'", truth(false, true)),
            ("date(k) = date '2023-11-01'", truth(false, true)),
            (
                "k = (SELECT max(u) AT TIME ZONE 'UTC' FROM (VALUES (timestamp '2023-10-31 15:00:00')) AS w(u))",
                truth(false, true),
            ),
        ],
    );
    let work = empty_lake();
    let one = |select: &str| rows(&work, &format!("SELECT {select} FROM (SELECT u, k {MIDNIGHT})")).remove(0);
    assert_eq!(
        Value::Object(one(
            "min(k) AS a, max(k) AS b, count(DISTINCT k) AS c, max_by(u, k) AS d, min_by(k, u) AS e"
        )),
        json!({"a": "2023-10-31 23:59:59.999 Asia/Seoul", "b": "2023-11-01 00:00:00.000 Asia/Seoul", "c": 2,
               "d": "2023-10-31 15:00:00.000", "e": "2023-10-31 23:59:59.999 Asia/Seoul"})
    );
    let days = rows(
        &work,
        &format!("SELECT date(k) AS day, count(*) AS n FROM (SELECT k {MIDNIGHT}) GROUP BY 1 ORDER BY 1"),
    );
    let day = |day: &str| json!({"day": day, "n": 1});
    assert_eq!(json!(days), json!([day("2023-10-31"), day("2023-11-01")]));
    let joined = format!(
        "SELECT count(*) AS n FROM (SELECT k {MIDNIGHT}) a JOIN (SELECT u {MIDNIGHT}) b ON a.k = b.u"
    );
    assert_eq!(json!(rows(&work, &joined)), json!([{"n": 2}]));
}

#[test]
fn every_way_to_create_a_zoned_timestamp_keeps_the_zone() {
    check(
        "",
        &[
            ("timestamp '2023-11-01 00:00:00 Asia/Seoul'", [json!("2023-11-01 00:00:00.000 Asia/Seoul")]),
            ("timestamp '2023-11-01 00:00:00+09:00'", [json!("2023-11-01 00:00:00.000 +09:00")]),
            ("timestamp '2023-11-01 00:00 UTC'", [json!("2023-11-01 00:00:00.000 UTC")]),
            ("typeof(timestamp '2023-11-01 00:00:00')", [json!("timestamp(3)")]),
            (
                "CAST('2023-11-01 00:00:00 Asia/Seoul' AS timestamp with time zone)",
                [json!("2023-11-01 00:00:00.000 Asia/Seoul")],
            ),
            (
                "from_iso8601_timestamp('2023-11-01T09:00:00+09:00')",
                [json!("2023-11-01 09:00:00.000 +09:00")],
            ),
            ("from_iso8601_timestamp('2023-11-01T09:00:00Z')", [json!("2023-11-01 09:00:00.000 UTC")]),
            ("from_iso8601_timestamp('2023-11-01')", [json!("2023-11-01 00:00:00.000 UTC")]),
            ("day(from_iso8601_timestamp('2023-11-01T00:30:00+09:00'))", [json!(1)]),
            // 2023-11-01 00:00 in Seoul is 1,698,764,400 seconds after 1970-01-01 00:00 UTC.
            ("from_unixtime(1698764400)", [json!("2023-10-31 15:00:00.000 UTC")]),
            ("from_unixtime(1698764400.0005)", [json!("2023-10-31 15:00:00.001 UTC")]),
            ("from_unixtime(1698764400, 'Asia/Seoul')", [json!("2023-11-01 00:00:00.000 Asia/Seoul")]),
            (
                "parse_datetime('2023-11-01 09 +0900', 'yyyy-MM-dd HH Z')",
                [json!("2023-11-01 09:00:00.000 +09:00")],
            ),
            ("parse_datetime('2023-11-01 09', 'yyyy-MM-dd HH')", [json!("2023-11-01 09:00:00.000 UTC")]),
            ("typeof(now())", [json!("timestamp(3) with time zone")]),
            ("typeof(current_timestamp)", [json!("timestamp(3) with time zone")]),
            ("typeof(localtimestamp)", [json!("timestamp(3)")]),
            ("now() = localtimestamp AND CAST(now() AS date) = current_date", [json!(true)]),
            ("hour(now()) = hour(localtimestamp)", [json!(true)]),
            ("current_timezone()", [json!("UTC")]),
            ("coalesce(NULL, timestamp '2023-11-01 00:00:00 UTC')", [json!("2023-11-01 00:00:00.000 UTC")]),
        ],
    );
    // Rows may have different zones if only the instant matters.
    check(
        "FROM (VALUES ('2023-11-01T00:00:00+09:00'), ('2023-10-31T15:00:00Z')) AS t(x)",
        &[
            ("from_iso8601_timestamp(x) = timestamp '2023-10-31 15:00:00'", [json!(true), json!(true)]),
            (
                "from_iso8601_timestamp(x) AT TIME ZONE 'Asia/Seoul'",
                [json!("2023-11-01 00:00:00.000 Asia/Seoul"), json!("2023-11-01 00:00:00.000 Asia/Seoul")],
            ),
        ],
    );
}

#[test]
fn results_that_would_differ_from_athena_are_refused() {
    let seoul = "timestamp '2023-11-01 00:00:00 Asia/Seoul'";
    let refused = |name: &str| format!("{name} is not available for a timestamp with time zone");
    check_refused(&[
        ("now() AT TIME ZONE 'Asia/Seol'", "'Asia/Seol' is not a time zone"),
        ("with_timezone(localtimestamp, '+9')", "'+9' is not a time zone"),
        ("timestamp '2023-11-01 00:00:00 KST'", "'KST' is not a time zone"),
        ("now() AT TIME ZONE z FROM (VALUES ('UTC')) AS t(z)", "a time zone must be a constant text"),
        ("with_timezone(now(), 'Asia/Seoul')", "takes a timestamp without time zone"),
        (
            "with_timezone(timestamp '2023-03-12 02:30:00', 'America/New_York')",
            "never show 2023-03-12 02:30:00",
        ),
        (
            "with_timezone(timestamp '2023-11-05 01:30:00', 'America/New_York')",
            "show 2023-11-05 01:30:00 twice",
        ),
        ("timezone_hour(localtimestamp)", "use AT TIME ZONE first"),
        ("format_datetime(localtimestamp, 'HH Z')", "use AT TIME ZONE first"),
        ("from_iso8601_timestamp(x) FROM (VALUES ('2023-11-01T00:00:00+09:00')) AS t(x)", "is not in UTC"),
        ("TRY_CAST('2023-11-01 00:00:00 UTC' AS timestamp with time zone)", "must be a CAST in milliseconds"),
        (
            "CAST(x AS timestamp with time zone) FROM (VALUES ('2023-11-01')) AS t(x)",
            "then use with_timezone",
        ),
        ("current_time", "CURRENT_TIME is not available"),
        ("EXTRACT(EPOCH FROM now())", "unknown field 'EPOCH' in EXTRACT"),
        (&format!("date_part('hour', {seoul})"), &refused("date_part")),
        (&format!("date_bin(interval '1' hour, {seoul})"), &refused("date_bin")),
        (&format!("to_local_time({seoul})"), &refused("to_local_time")),
        (&format!("ARRAY[{seoul}]"), &refused("make_array")),
        (&format!("array_agg({seoul})"), &refused("array_agg")),
        (
            "arrow_cast(localtimestamp, 'Timestamp(Millisecond, Some(\"Asia/Seoul\"))')",
            &refused("arrow_cast"),
        ),
        (&format!("{seoul} UNION SELECT localtimestamp"), "because their zones differ"),
        (&format!("CASE WHEN true THEN {seoul} ELSE now() END"), "because their zones differ"),
        (&format!("coalesce({seoul}, localtimestamp)"), "because their zones differ"),
        (&format!("* FROM (VALUES ({seoul}), (now())) AS t(x)"), "with_timezone or AT TIME ZONE"),
        (&format!("1 WHERE {seoul} IN (SELECT now())"), "because their zones differ"),
        (
            &format!("1 WHERE {seoul} >= ALL (SELECT now())"),
            "is not available for a timestamp with time zone",
        ),
    ]);
}

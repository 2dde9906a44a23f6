//! Days before the first log of a table, and gaps between days with logs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{AccessLine, Call, Workdir, document, event, key_of_access, key_of_cloudtrail, text};

/// Logs of 3 and 6 October at noon, and no logs for the days before and between.
fn logs(table: &str) -> Workdir {
    let work = Workdir::new();
    for day in ["03", "06"] {
        let (time, date) = (format!("2023-10-{day}T03:00:00Z"), format!("{day}/Oct/2023:03:00:00 +0000"));
        if table == "cloudtrail" {
            let key = key_of_cloudtrail("a", &format!("202310{day}T0310Z"));
            work.write(&key, document([event(day, json!({"eventTime": time}))]));
        } else {
            let line = AccessLine { time: &date, ..AccessLine::of(day) };
            work.write(&key_of_access("A", &format!("2023-10-{day}-15-10-00")), format!("{line}\n"));
        }
    }
    work
}

fn over<'w>(work: &'w Workdir, command: &str, first: &str) -> Call<'w> {
    let days = ["--from", first, "--to", "2023-10-08"];
    work.logmill([command]).args(days).args(["--input", "raw", "--output", "lake", "--lateness", "6h"])
}

/// The state of each day from `first` to 8 October, as the letters of the calendar.
fn states(work: &Workdir, first: &str) -> String {
    let lines = over(work, "status", first).args(["--format", "json"]).exits(0).stdout;
    let letter = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        match text(&line["state"]) {
            "published" => '#',
            "empty" => 'o',
            "no_logs" => '-',
            "missing" => '.',
            other => panic!("{other}"),
        }
    };
    lines.lines().map(letter).collect()
}

/// The states of 1 to 8 October by log type. An access log delivered at 15:10 UTC feeds two days: the day of its events, and
/// the next day, in which it was delivered.
const BEFORE: [(&str, &str); 2] = [("cloudtrail", "--......"), ("s3-access", "--......")];

#[test]
fn days_before_the_first_log_are_not_missing() {
    for (table, expected) in BEFORE {
        let work = logs(table);
        assert_eq!(states(&work, "2023-10-01"), expected, "{table}");
        let status = over(&work, "status", "2023-10-01").exits(0);
        status.prints(&["2023-10  --......\n", "- no logs", "2 no logs, 6 missing"]);
        over(&work, "status", "2023-10-01").args(["--check"]).exits(4);
        let early = ["status", "--from", "2023-09-01", "--to", "2023-10-02", "--check"];
        work.logmill(early).args(["--input", "raw", "--output", "lake", "--lateness", "6h"]).exits(0);
    }
}

#[test]
fn a_backfill_in_either_order_builds_gaps_but_no_day_before_the_first_log() {
    for (table, _) in BEFORE {
        let mut published = Vec::new();
        for order in ["oldest", "newest"] {
            let work = logs(table);
            let forecast = over(&work, "backfill", "2023-10-01").args(["--order", order, "--dry-run"]);
            let empty = if table == "cloudtrail" { 4 } else { 2 };
            let expected = format!(": 6 of 8 days to build, {empty} of them without objects\n");
            forecast.exits(0).prints(&[&expected]);
            let built = over(&work, "backfill", "2023-10-01").args(["--order", order]).exits(0);
            built.prints(&["6 table-days published (4 empty), 2 already up to date"]);
            let ledgers: BTreeMap<String, u64> = work
                .manifests(&table.replace('-', "_"))
                .into_iter()
                .map(|manifest| {
                    let manifest = std::fs::read(manifest).unwrap();
                    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
                    (text(&manifest["day"]).to_owned(), manifest["ledger"]["written"].as_u64().unwrap())
                })
                .collect();
            published.push(ledgers);
            over(&work, "status", "2023-10-01").args(["--check"]).exits(0);
            over(&work, "backfill", "2023-10-01")
                .exits(0)
                .prints(&["0 table-days published, 8 already up to date"]);
        }
        assert_eq!(published[0], published[1], "{table}");
        assert_eq!(published[0].len(), 6);
        assert_eq!(published[0].values().sum::<u64>(), 2);
    }
}

#[test]
fn logs_before_the_range_or_published_days_make_a_gap_missing() {
    let work = logs("cloudtrail");
    // The folder of an earlier date exists, but is not listed.
    assert_eq!(states(&work, "2023-10-04"), ".....");
    let early =
        ["backfill", "--from", "2023-10-01", "--to", "2023-10-03", "--input", "raw", "--output", "lake"];
    work.logmill(early)
        .args(["--lateness", "6h"])
        .exits(0)
        .prints(&["1 table-day published, 2 already up to date"]);
    // The raw logs of that day expire.
    std::fs::remove_file(work.path(&key_of_cloudtrail("a", "20231003T0310Z"))).unwrap();
    std::fs::remove_dir(work.path(&key_of_cloudtrail("a", "20231003T0310Z")).parent().unwrap()).unwrap();
    assert_eq!(states(&work, "2023-10-04"), ".....");
}

#[test]
fn days_after_the_last_log_are_missing_even_in_an_empty_lake() {
    for table in ["cloudtrail", "s3-access"] {
        let work = logs(table);
        let later = ["status", "--from", "2024-10-20", "--to", "2024-10-22", "--check", "--dataset", table];
        let shown = work.logmill(later).args(["--input", "raw", "--output", "lake"]).exits(4);
        shown.prints(&["0 no logs, 3 missing"]);
    }
}

#[test]
fn days_before_the_first_log_are_built_only_when_named_or_with_all() {
    let work = logs("cloudtrail");
    let first = |only: &str| {
        let days = ["backfill", "--from", "2023-10-01", "--to", "2023-10-02", "--only", only];
        work.logmill(days).args(["--input", "raw", "--output", "lake", "--lateness", "6h"])
    };
    first("missing").exits(0).prints(&["0 table-days published, 2 already up to date"]);
    let run = work.logmill(["run", "--day", "2023-10-01", "--input", "raw", "--output", "lake"]);
    run.args(["--dataset", "cloudtrail"]).exits(0);
    // A day published as empty is not the first log.
    assert_eq!(states(&work, "2023-10-01"), "o-......");
    first("all").exits(0).prints(&["2 table-days published"]);
}

/// A backfill without a last day ends with the logs, and the dry run says the same.
#[test]
fn without_a_last_day_a_backfill_ends_with_the_last_day_that_has_logs() {
    for order in ["oldest", "newest"] {
        for only in ["missing", "all"] {
            let work = logs("cloudtrail");
            let open = || {
                let from = ["backfill", "--from", "2023-10-01", "--order", order, "--only", only];
                work.logmill(from).args(["--input", "raw", "--output", "lake", "--lateness", "6h"])
            };
            let built = if only == "all" { 6 } else { 4 };
            let forecast = open().args(["--dry-run"]).exits(0);
            forecast.prints(&[&format!("cloudtrail: {built} of "), "\n2023-10-06  missing"]);
            forecast.prints(&["the last day with logs is 2023-10-06. Pass --to "]);
            assert!(!forecast.stdout.contains("2023-10-07  missing"), "{forecast}");
            let done = open().args(["--summary-json", "summary.json"]).exits(0);
            done.says(&["info: ", "without --to, each table ends with its last day that has logs"]);
            done.prints(&[&format!("{built} table-days published"), "the last day with logs is 2023-10-06"]);
            let days = std::fs::read_dir(work.lake().join("cloudtrail")).unwrap().count();
            assert_eq!(days, built, "{order} {only}");
            let summary: Value =
                serde_json::from_slice(&std::fs::read(work.path("summary.json")).unwrap()).unwrap();
            let after = &summary["after_logs"][0];
            assert_eq!((text(&after["table"]), text(&after["last_log"])), ("cloudtrail", "2023-10-06"));
            assert_eq!(text(&after["from"]), "2023-10-07");
            assert_eq!(after["to"], summary["to"]);
        }
    }
}

#[test]
fn a_named_last_day_publishes_days_after_the_logs_as_empty() {
    let work = logs("cloudtrail");
    for days in [&["--from", "2023-10-07", "--to", "2023-10-08"][..], &["--last", "2d", "--to", "2023-10-08"]]
    {
        let all = work.logmill(["backfill", "--only", "all"]).args(days).args(["--dataset", "cloudtrail"]);
        let done = all.args(["--input", "raw", "--output", "lake", "--lateness", "6h"]).exits(0);
        done.prints(&["2 table-days published (2 empty)"]);
        assert!(!done.stdout.contains("the last day with logs"), "{done}");
    }
    assert_eq!(states(&work, "2023-10-07"), "oo");
}

#[test]
fn a_later_log_makes_the_days_before_it_empty_in_a_backfill_without_a_last_day() {
    let work = logs("cloudtrail");
    let open = || {
        let from = ["backfill", "--from", "2023-10-01", "--input", "raw", "--output", "lake"];
        work.logmill(from).args(["--lateness", "6h"])
    };
    open().exits(0).prints(&["4 table-days published (2 empty)"]);
    let later = event("later", json!({"eventTime": "2023-10-08T03:00:00Z"}));
    work.write(&key_of_cloudtrail("a", "20231008T0310Z"), document([later]));
    open().exits(0).prints(&["2 table-days published (1 empty)", "the last day with logs is 2023-10-08"]);
    assert_eq!(states(&work, "2023-10-01"), "--#oo#o#");
}

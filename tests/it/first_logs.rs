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
            forecast.exits(0).prints(&[": 6 of 8 days to build\n"]);
            let built = over(&work, "backfill", "2023-10-01").args(["--order", order]).exits(0);
            built.prints(&["6 table-days published, 2 already up to date"]);
            let ledgers: BTreeMap<String, u64> = std::fs::read_dir(work.lake().join(table.replace('-', "_")))
                .unwrap()
                .map(|day| day.unwrap().path())
                .map(|day| {
                    let manifest = std::fs::read(day.join("_manifest.json")).unwrap();
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

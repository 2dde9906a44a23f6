//! Days that have not begun or have not ended.

use std::fs;

use serde_json::json;

use crate::harness::{DAY, Table, Workdir, document, event};

const FUTURE: &str = "2999-01-01";

#[test]
fn a_day_that_has_not_begun_is_refused() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({}))]));
    for command in [
        &["run", "--day", FUTURE][..],
        &["run", "--day", "29990101", "--lookback", "3d"],
        &["backfill", "--from", DAY, "--to", FUTURE],
        &["backfill", "--from", FUTURE, "--to", FUTURE, "--dry-run"],
        &["status", "--from", DAY, "--to", FUTURE],
    ] {
        let outcome = work.logmill(command).args(["--input", "raw", "--output", "lake"]).exits(2);
        outcome.says(&["the day has not begun", "day: 2999-01-01", "today in Korea: 20", "hint:"]);
        assert!(!work.lake().exists(), "{command:?}");
    }
    let plan = ["plan", "--day", FUTURE, "--input", "raw", "--plan", "plan.json"];
    work.logmill(plan).exits(2).says(&["has not begun"]);
    // Only a manual edit creates such a plan.
    let options = ["--input", "raw", "--dataset", "cloudtrail", "--plan", "plan.json"];
    work.logmill(["plan", "--day", DAY]).args(options).exits(0);
    let plan = fs::read_to_string(work.path("plan.json")).unwrap();
    fs::write(work.path("plan.json"), plan.replace(DAY, FUTURE)).unwrap();
    let publish = ["publish", "--plan", "plan.json", "--staging", "staging", "--output", "lake"];
    work.logmill(publish).exits(2).says(&["has not begun"]);
    assert!(!work.lake().exists());
}

#[test]
fn a_provisional_day_names_the_reason() {
    for (day, lateness, why) in [
        ("today", "0s", Some("before the end of the day")),
        ("today", "48h", Some("before the end of the day")),
        ("yesterday", "48h", Some("late objects may still arrive for ")),
        ("yesterday", "0s", None),
        (DAY, "366d", None),
    ] {
        let work = Workdir::new();
        let run = || {
            let run = work.logmill(["run", "--day", day, "--input", "raw", "--output", "lake"]);
            run.args(["--dataset", "cloudtrail", "--lateness", lateness])
        };
        let outcome = run().exits(0);
        let (expected, other) = match why {
            Some(why) => (vec!["cloudtrail: provisional: ", why, " provisional\n"], " final\n"),
            None => (vec![" final\n"], "provisional"),
        };
        outcome.prints(&expected);
        assert!(!outcome.stdout.contains(other), "{outcome}");
        let summary = run().publishes(Table::CLOUDTRAIL).summary;
        assert_eq!(summary["provisional"], why.is_some());
        assert_eq!(summary["provisional_because"].is_null(), why.is_none(), "{summary}");
        assert!(summary["complete_at"].as_str().unwrap().ends_with('Z'));
    }
    let work = Workdir::new();
    let backfill = work.logmill(["backfill", "--from", "today", "--to", "today", "--only", "all"]);
    let backfill = backfill.args(["--input", "raw", "--output", "lake", "--dataset", "cloudtrail"]).exits(0);
    backfill.prints(&["cloudtrail: provisional: ", "before the end of the day\n"]);
}

//! `logmill diff` compares two runs of a day.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Call, DAY, Table, Workdir, document, event, ledger, text};

const TABLE: Table = Table::CLOUDTRAIL;

fn diff<'w>(work: &'w Workdir, runs: &[&str]) -> Call<'w> {
    work.logmill(["diff", "--day", DAY, "--output", "lake"]).args(runs.iter().copied())
}

fn found(work: &Workdir, runs: &[&str]) -> Value {
    serde_json::from_str(&diff(work, runs).args(["--format", "json"]).exits(0).stdout).unwrap()
}

/// The changed objects: change, end of the address, and rows written by A and B.
fn objects(diff: &Value) -> Vec<(&str, &str, Option<u64>, Option<u64>)> {
    let written = |side: &Value| side["written"].as_u64();
    let objects = diff["objects"].as_array().unwrap().iter();
    objects
        .map(|diff| {
            let name = text(&diff["object"]).rsplit('_').next().unwrap();
            (text(&diff["change"]), name, written(&diff["a"]), written(&diff["b"]))
        })
        .collect()
}

fn settings(diff: &Value) -> Vec<&str> {
    diff["settings"].as_array().unwrap().iter().map(|setting| text(&setting["name"])).collect()
}

#[test]
fn a_diff_lists_added_removed_and_changed_objects() {
    let work = Workdir::new();
    work.cloudtrail("same", document([event("1", json!({}))]));
    work.cloudtrail("changed", document([event("2", json!({}))]));
    work.cloudtrail("twin", document([event("4", json!({}))]));
    let gone = work.cloudtrail("gone", document([event("3", json!({})), event("3", json!({}))]));
    let first = work.run(TABLE).publishes(TABLE);
    fs::remove_file(gone).unwrap();
    work.cloudtrail("changed", document([event("2", json!({})), event("2b", json!({}))]));
    // Its name sorts before "twin", so the row of "twin" becomes a duplicate.
    work.cloudtrail("late", document([event("4", json!({}))]));
    let second = work.run(TABLE).publishes(TABLE);
    let diff_of_runs = found(&work, &["previous", "live"]);
    assert_eq!(
        objects(&diff_of_runs),
        [
            ("changed", "changed.json.gz", Some(1), Some(2)),
            ("only_a", "gone.json.gz", Some(1), None),
            ("only_b", "late.json.gz", None, Some(1)),
            ("other_rows", "twin.json.gz", Some(1), Some(0)),
        ]
    );
    for (side, day, is_live) in [("a", &first, false), ("b", &second, true)] {
        let side = &diff_of_runs[side];
        assert_eq!((&side["run"], &side["live"]), (&day.manifest["run"], &json!(is_live)));
        assert_eq!(ledger(&side["ledger"]), ledger(&day.summary));
    }
    assert_eq!((settings(&diff_of_runs), &diff_of_runs["rows"]), (vec![], &Value::Null));
    assert_eq!(diff_of_runs["rows_counted_in"], "ledgers");
    let [a, b] = [&first, &second].map(|day| text(&day.manifest["run"]).to_owned());
    assert_eq!(found(&work, &[&a, &b]), diff_of_runs, "runs can be named by id");
    assert_eq!(found(&work, &[]), diff_of_runs, "previous and live should be the default");
    let back = found(&work, &["live", &a]);
    assert_eq!(objects(&back)[1], ("only_b", "gone.json.gz", None, Some(1)));
    let outcome = diff(&work, &["--limit", "1"]).exits(0);
    outcome.prints(&[
        "settings: the same",
        "1 only in A, 1 only in B, 1 changed, 1 with other counts",
        "1>2",
    ]);
    outcome.prints(&["and 3 more", "rows: +0 written, from the ledgers only"]);
}

#[test]
fn a_diff_lists_changed_settings() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("1", json!({}))]));
    work.run(TABLE).publishes(TABLE);
    work.write(
        "logmill.toml",
        "[[source]]\ndataset = \"cloudtrail\"\ninput = \"raw\"\nnaming = \"compact\"\nlateness = \"30m\"\n\
         promote = [{ column = \"role\", path = \"requestParameters.roleArn\" }]\n",
    );
    work.logmill(["run", "--day", DAY, "--output", "lake"]).publishes(TABLE);
    let diff_of_runs = found(&work, &[]);
    assert_eq!(settings(&diff_of_runs), ["naming", "promote", "event_time_column", "lateness"]);
    assert_eq!(
        (&diff_of_runs["settings"][3]["a"], &diff_of_runs["settings"][3]["b"]),
        (&json!("6h"), &json!("30m"))
    );
    assert_eq!(diff_of_runs["objects"], json!([]));
    diff(&work, &[]).exits(0).prints(&["setting naming: \"snake\" -> \"compact\"", "objects: the same"]);
}

#[test]
fn a_run_equals_itself_and_previous_is_the_run_before_the_live_one() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("1", json!({}))]));
    work.run(TABLE).publishes(TABLE);
    let same = found(&work, &["live", "live"]);
    assert_eq!(same["rows"]["total"], json!({"added": 0, "removed": 0, "changed": 0}));
    let second = work.run(TABLE).publishes(TABLE);
    work.run(TABLE).publishes(TABLE);
    assert_eq!(
        found(&work, &["previous", "live"])["a"]["run"],
        second.manifest["run"],
        "the newest run before the live one"
    );
    diff(&work, &["live", "live"]).exits(0).prints(&["0 added, 0 removed, 0 changed, counted in the files"]);
}

#[test]
fn missing_records_of_a_run_are_reported() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("1", json!({}))]));
    diff(&work, &[]).exits(4).says(&["no lake found"]);
    let first = work.run(TABLE).publishes(TABLE);
    for runs in [&[][..], &["previous", "live"]] {
        let alone = diff(&work, runs).exits(4);
        alone.says(&["the day has only one recorded run, so there is nothing to compare"]);
        alone.says(&[
            text(&first.manifest["run"]),
            "hint: compare after another run",
            "logmill run --day 2023-11-01",
        ]);
    }
    work.run(TABLE).publishes(TABLE);
    let list =
        format!("lake/_runs/cloudtrail/proc_ymd=20231101/{}.inputs.jsonl.gz", text(&first.manifest["run"]));
    fs::remove_file(work.path(&list)).unwrap();
    assert_eq!(found(&work, &[])["objects"], Value::Null);
    diff(&work, &[]).exits(0).prints(&["the inputs of one run are no longer recorded"]);
    diff(&work, &["live", "20231102T000000Z-00000000"]).exits(4).says(&["both runs"]);
}

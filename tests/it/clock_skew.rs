//! The state of a day does not depend on the clocks of the machines that wrote its run records and marks.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Call, DAY, Table, Workdir, document, event, text};

const TABLE: Table = Table::CLOUDTRAIL;
const RUNS: &str = "lake/_runs/cloudtrail/proc_ymd=20231101";
/// The id of a run on a machine whose clock is ahead.
const AHEAD: &str = "29991231T235959Z-0000000a";
const AHEAD_AT: &str = "2999-12-31T23:59:59Z";

fn status<'w>(work: &'w Workdir, options: &[&str]) -> Call<'w> {
    let days = ["status", "--from", DAY, "--to", DAY, "--input", "raw", "--output", "lake"];
    work.logmill(days).of(TABLE).args(options)
}

/// The line that `status` prints for the day.
fn line(work: &Workdir) -> Value {
    serde_json::from_str(status(work, &["--format", "json"]).exits(0).stdout.trim()).unwrap()
}

fn state(work: &Workdir) -> String {
    text(&line(work)["state"]).to_owned()
}

fn path_of(run: &str) -> String {
    format!("{RUNS}/{run}.json")
}

fn read(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Runs the day, either with one good event or with too many rejected rows.
fn day(work: &Workdir, is_good: bool) -> Call<'_> {
    let bad = (!is_good).then(|| "\"bad\"".to_owned());
    work.cloudtrail("a", document(bad.into_iter().chain([event("x", json!({})).to_string()])));
    work.run(TABLE)
}

/// Rewrites the run record as a machine whose clock is ahead would have written it.
fn put_ahead(work: &Workdir, run: &str) {
    let mut record = read(work.path(&path_of(run)));
    for at in ["started_at", "ended_at"] {
        record[at] = AHEAD_AT.into();
    }
    record["run"] = AHEAD.into();
    fs::remove_file(work.path(&path_of(run))).unwrap();
    work.write(&path_of(AHEAD), record.to_string());
}

/// The id of the only run with a run record.
fn only_run(work: &Workdir) -> String {
    let [path] = <[PathBuf; 1]>::try_from(work.files(RUNS).into_keys().collect::<Vec<_>>()).unwrap();
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn a_published_day_is_not_failed_because_of_an_earlier_run_with_a_clock_ahead() {
    let work = Workdir::new();
    day(&work, false).exits(3);
    put_ahead(&work, &only_run(&work));
    assert_eq!((state(&work), &line(&work)["failed_run"]), ("failed".to_owned(), &json!(AHEAD)));
    day(&work, true).publishes(TABLE);
    assert_eq!((state(&work), &line(&work)["failed_run"]), ("published".to_owned(), &Value::Null));
    status(&work, &["--check"]).exits(0);
}

#[test]
fn a_failure_after_a_run_with_a_clock_ahead_is_detected() {
    let work = Workdir::new();
    let first = day(&work, true).publishes(TABLE);
    let run = text(&first.manifest["run"]);
    let manifest = work.manifest_path(TABLE);
    let ahead = fs::read_to_string(&manifest).unwrap().replace(run, AHEAD);
    let at = text(&first.manifest["published_at"]);
    fs::write(&manifest, ahead.replace(at, AHEAD_AT)).unwrap();
    fs::rename(work.partition(TABLE).join(run), work.partition(TABLE).join(AHEAD)).unwrap();
    let inputs = |run: &str| work.inputs_path(TABLE, run);
    fs::rename(inputs(run), inputs(AHEAD)).unwrap();
    put_ahead(&work, run);
    assert_eq!(state(&work), "published");
    day(&work, false).exits(3);
    assert_eq!(state(&work), "failed");
    day(&work, true).publishes(TABLE);
    assert_eq!(state(&work), "published");
}

#[test]
fn backfill_and_lookback_rebuild_a_day_listed_by_a_clock_ahead() {
    let work = Workdir::new();
    let published = day(&work, true).publishes(TABLE);
    let manifest = work.manifest_path(TABLE);
    let backfill = ["backfill", "--from", DAY, "--to", DAY];
    let lookback = ["run", "--day", "2023-11-02", "--lookback", "1d"];
    for (events, command) in [(2, &backfill[..]), (3, &lookback)] {
        let mut ahead = read(manifest.clone());
        ahead["planned_at"] = AHEAD_AT.into();
        fs::write(&manifest, ahead.to_string()).unwrap();
        work.cloudtrail("late", document((1..events).map(|id| event(&id.to_string(), json!({})))));
        work.logmill(command).args(["--input", "raw", "--output", "lake"]).of(TABLE).exits(0);
        assert_eq!(read(manifest.clone())["ledger"]["written"], events);
    }
    assert_ne!(read(manifest)["run"], published.manifest["run"]);
}

#[test]
fn an_old_run_record_counts_if_its_run_ended_after_the_publish() {
    let work = Workdir::new();
    let published = day(&work, true).publishes(TABLE);
    let run = text(&published.manifest["run"]);
    day(&work, false).exits(3);
    let failed = text(&line(&work)["failed_run"]).to_owned();
    let mut record = read(work.path(&path_of(&failed)));
    assert_eq!(record["found"], json!({"run": run}));
    record.as_object_mut().unwrap().remove("found");
    for (ended_at, expected) in [("2000-01-01T00:00:00Z", "stale"), (AHEAD_AT, "failed")] {
        record["ended_at"] = ended_at.into();
        work.write(&path_of(&failed), record.to_string());
        assert_eq!(state(&work), expected, "{ended_at}");
    }
}

#[test]
fn a_day_with_a_database_needs_a_mark_of_its_registration() {
    let work = Workdir::new();
    let published = day(&work, true).publishes(TABLE);
    let run = text(&published.manifest["run"]);
    // A run killed before registration leaves a manifest with a database, but no run record.
    let manifest = work.manifest_path(TABLE);
    let mut content = read(manifest.clone());
    content["database"] = "logs".into();
    fs::write(&manifest, content.to_string()).unwrap();
    let mut record = read(work.path(&path_of(run)));
    fs::remove_file(work.path(&path_of(run))).unwrap();
    let why = "no record of its registration in database 'logs'";
    let lacks = |why: &str| {
        assert_eq!((state(&work), &line(&work)["not_registered"]), ("published".to_owned(), &json!(why)));
        status(&work, &["--check"]).exits(4).prints(&[&format!("not registered: {why}")]);
    };
    lacks(why);
    let mark = |database: &str| format!("{RUNS}/{run}.registered.{database}.json");
    work.write(&mark("other"), "{}");
    lacks(why);
    let registered = work.write(&mark("logs"), "{}");
    assert_eq!(line(&work)["not_registered"], Value::Null);
    status(&work, &["--check"]).exits(0);
    fs::remove_file(registered).unwrap();
    // Earlier versions wrote no mark. Their run record shows whether the day was registered.
    work.write(&path_of(run), record.to_string());
    lacks(why);
    record["seconds"]["register"] = 0.5.into();
    work.write(&path_of(run), record.to_string());
    status(&work, &["--check"]).exits(0);
    record["error"] = json!({"kind": "not_registered", "exit_code": 6, "message": "access denied"});
    work.write(&path_of(run), record.to_string());
    lacks("access denied");
}

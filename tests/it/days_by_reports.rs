//! What reports and marks in the lake say about a day, whatever the clocks of the machines that wrote them.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Call, DAY, Table, Workdir, document, event, text};

const TABLE: Table = Table::CLOUDTRAIL;
const HISTORY: &str = "lake/_runs/cloudtrail/proc_ymd=20231101";
/// A run of a machine whose clock is ahead.
const AHEAD: &str = "29991231T235959Z-0000000a";
const AHEAD_AT: &str = "2999-12-31T23:59:59Z";

fn status<'w>(work: &'w Workdir, options: &[&str]) -> Call<'w> {
    let days = ["status", "--from", DAY, "--to", DAY, "--input", "raw", "--output", "lake"];
    work.logmill(days).of(TABLE).args(options)
}

/// What `status` says of the day.
fn line(work: &Workdir) -> Value {
    serde_json::from_str(status(work, &["--format", "json"]).exits(0).stdout.trim()).unwrap()
}

fn state(work: &Workdir) -> String {
    text(&line(work)["state"]).to_owned()
}

fn path_of(run: &str) -> String {
    format!("{HISTORY}/{run}.json")
}

fn read(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The day with a good event, or with so much damage that it fails.
fn day(work: &Workdir, is_good: bool) -> Call<'_> {
    let bad = (!is_good).then(|| "\"bad\"".to_owned());
    work.cloudtrail("a", document(bad.into_iter().chain([event("x", json!({})).to_string()])));
    work.run(TABLE)
}

/// Makes a run of the day that of a machine whose clock is ahead, as the run itself would have said it.
fn put_ahead(work: &Workdir, run: &str) {
    let mut report = read(work.path(&path_of(run)));
    for at in ["started_at", "ended_at"] {
        report[at] = AHEAD_AT.into();
    }
    report["run"] = AHEAD.into();
    fs::remove_file(work.path(&path_of(run))).unwrap();
    work.write(&path_of(AHEAD), report.to_string());
}

/// The one run of the day that is remembered.
fn only_run(work: &Workdir) -> String {
    let [path] = <[PathBuf; 1]>::try_from(work.files(HISTORY).into_keys().collect::<Vec<_>>()).unwrap();
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn a_failed_run_of_a_clock_ahead_keeps_no_day_failed_that_was_published_since() {
    let work = Workdir::new();
    day(&work, false).exits(3);
    put_ahead(&work, &only_run(&work));
    assert_eq!((state(&work), &line(&work)["failed_run"]), ("failed".to_owned(), &json!(AHEAD)));
    day(&work, true).publishes(TABLE);
    assert_eq!((state(&work), &line(&work)["failed_run"]), ("published".to_owned(), &Value::Null));
    status(&work, &["--check"]).exits(0);
}

#[test]
fn a_run_that_fails_after_one_of_a_clock_ahead_has_published_is_seen() {
    let work = Workdir::new();
    let first = day(&work, true).publishes(TABLE);
    let run = text(&first.manifest["run"]);
    let manifest = work.partition(TABLE).join("_manifest.json");
    let ahead = fs::read_to_string(&manifest).unwrap().replace(run, AHEAD);
    let at = text(&first.manifest["published_at"]);
    fs::write(&manifest, ahead.replace(at, AHEAD_AT)).unwrap();
    fs::rename(work.partition(TABLE).join(run), work.partition(TABLE).join(AHEAD)).unwrap();
    let inputs = |run: &str| work.partition(TABLE).join(format!("_inputs/{run}.jsonl.gz"));
    fs::rename(inputs(run), inputs(AHEAD)).unwrap();
    put_ahead(&work, run);
    assert_eq!(state(&work), "published");
    day(&work, false).exits(3);
    assert_eq!(state(&work), "failed");
    day(&work, true).publishes(TABLE);
    assert_eq!(state(&work), "published");
}

#[test]
fn a_day_that_a_run_of_a_clock_ahead_has_listed_is_made_by_a_backfill_and_by_lookback() {
    let work = Workdir::new();
    let published = day(&work, true).publishes(TABLE);
    let manifest = work.partition(TABLE).join("_manifest.json");
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
fn the_report_of_an_earlier_version_counts_if_it_ended_after_the_day_was_published() {
    let work = Workdir::new();
    let published = day(&work, true).publishes(TABLE);
    let run = text(&published.manifest["run"]);
    day(&work, false).exits(3);
    let failed = text(&line(&work)["failed_run"]).to_owned();
    let mut report = read(work.path(&path_of(&failed)));
    assert_eq!(report["found"], json!({"run": run}));
    report.as_object_mut().unwrap().remove("found");
    for (ended_at, expected) in [("2000-01-01T00:00:00Z", "stale"), (AHEAD_AT, "failed")] {
        report["ended_at"] = ended_at.into();
        work.write(&path_of(&failed), report.to_string());
        assert_eq!(state(&work), expected, "{ended_at}");
    }
}

#[test]
fn a_day_that_should_be_in_a_catalog_needs_a_mark_that_it_is() {
    let work = Workdir::new();
    let published = day(&work, true).publishes(TABLE);
    let run = text(&published.manifest["run"]);
    // A run that is killed before it has told the catalog leaves this: a manifest with a database, and no report.
    let manifest = work.partition(TABLE).join("_manifest.json");
    let mut content = read(manifest.clone());
    content["database"] = "logs".into();
    fs::write(&manifest, content.to_string()).unwrap();
    let mut report = read(work.path(&path_of(run)));
    fs::remove_file(work.path(&path_of(run))).unwrap();
    let why = "no record of its registration in database 'logs'";
    let lacks = |why: &str| {
        assert_eq!((state(&work), &line(&work)["not_registered"]), ("published".to_owned(), &json!(why)));
        status(&work, &["--check"]).exits(4).prints(&[&format!("not registered: {why}")]);
    };
    lacks(why);
    let mark = |database: &str| format!("{HISTORY}/{run}.registered.{database}.json");
    work.write(&mark("other"), "{}");
    lacks(why);
    let registered = work.write(&mark("logs"), "{}");
    assert_eq!(line(&work)["not_registered"], Value::Null);
    status(&work, &["--check"]).exits(0);
    fs::remove_file(registered).unwrap();
    // The run of an earlier version left no mark. Its report says whether the catalog was told.
    work.write(&path_of(run), report.to_string());
    lacks(why);
    report["seconds"]["register"] = 0.5.into();
    work.write(&path_of(run), report.to_string());
    status(&work, &["--check"]).exits(0);
    report["error"] = json!({"kind": "not_registered", "exit_code": 6, "message": "access denied"});
    work.write(&path_of(run), report.to_string());
    lacks("access denied");
}

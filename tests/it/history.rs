//! Run records below `_runs`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{DAY, Table, Workdir, document, event, ledger, text};

const TABLE: Table = Table::CLOUDTRAIL;

/// The run records of the day, by file name.
fn run_records(work: &Workdir) -> Vec<Value> {
    let records = files_of_runs(work).into_iter().filter(|path| path.extension().unwrap() == "json");
    records.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

fn files_of_runs(work: &Workdir) -> Vec<PathBuf> {
    let files = work.files("lake/_runs/cloudtrail/proc_ymd=20231101");
    files.into_keys().map(|name| work.lake().join("_runs/cloudtrail/proc_ymd=20231101").join(name)).collect()
}

fn run_record(work: &Workdir, run: &Value) -> Value {
    let mut found = run_records(work);
    found.retain(|record| record["run"] == *run);
    assert_eq!(found.len(), 1, "one record of run {run}");
    found.remove(0)
}

#[test]
fn a_replaced_day_keeps_its_run_record_and_list_of_inputs() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("x", json!({})), event("x", json!({}))]));
    let first = work.run(TABLE).publishes(TABLE);
    let inputs = fs::read(work.lake().join(text(&first.manifest["inputs_file"]["path"]))).unwrap();
    work.cloudtrail("b", document([event("y", json!({}))]));
    let second = work.run(TABLE).publishes(TABLE);
    for day in [&first, &second] {
        let record = run_record(&work, &day.manifest["run"]);
        assert_eq!((&record["outcome"], &record["error"]), (&json!("published"), &Value::Null));
        assert_eq!(record["manifest"], day.manifest);
        assert_eq!(ledger(&record["ledger"]), ledger(&day.summary));
        for (name, of_summary) in [
            ("dataset", "dataset"),
            ("objects", "objects"),
            ("input_bytes", "bytes"),
            ("files", "files"),
            ("file_bytes", "file_bytes"),
        ] {
            assert_eq!(record[name], day.summary[of_summary], "{name}");
        }
        let steps: Vec<&String> = record["seconds"].as_object().unwrap().keys().collect();
        assert_eq!(steps, ["plan", "read", "write", "publish", "clean"]);
        // Without the Z, texts of different precision sort by time.
        let [started, ended] = ["started_at", "ended_at"].map(|at| text(&record[at]).trim_end_matches('Z'));
        assert!(started <= ended, "{started} {ended}");
    }
    let copy = work.path("lake/_runs/cloudtrail/proc_ymd=20231101");
    let copy = copy.join(format!("{}.inputs.jsonl.gz", text(&first.manifest["run"])));
    assert_eq!(fs::read(copy).unwrap(), inputs, "the inputs of the replaced run");
}

#[test]
fn a_failed_day_has_a_run_record_with_its_error_but_no_partition() {
    let work = Workdir::new();
    work.cloudtrail("a", document(["\"bad\"".to_owned(), event("x", json!({})).to_string()]));
    let outcome = work.run(TABLE).exits(3);
    let [record] = <[Value; 1]>::try_from(run_records(&work)).unwrap();
    assert_eq!((&record["outcome"], &record["manifest"]), (&json!("failed"), &Value::Null));
    let error = &record["error"];
    assert_eq!((&error["kind"], &error["exit_code"]), (&json!("too_many_rejects"), &json!(3)));
    outcome.says(&[text(&error["message"]), text(&error["hint"])]);
    assert_eq!(ledger(&record["ledger"]), [2, 1, 0, 0, 1, 0]);
    assert!(fs::exists(work.path(text(&record["quarantine"]))).unwrap());
    assert!(!work.partition(TABLE).exists());
    // The files of the failed run are not read as input or as a table.
    let again = work.logmill(["plan", "--day", DAY, "--input", "lake", "--format", "json"]).of(TABLE);
    let plan: Value = serde_json::from_str(&again.exits(0).stdout).unwrap();
    let left = plan["tables"][0]["left"].as_array().unwrap();
    let runs = left.iter().find(|left| left["address"] == "lake/_runs/");
    assert_eq!(runs.map(|runs| &runs["why"]), Some(&json!("a working folder of a lake")), "{left:?}");
    work.logmill(["verify", "--day", DAY, "--output", "lake"]).exits(4).says(&["never published"]);
}

#[test]
fn a_run_that_yields_to_another_has_no_run_record() {
    let work = Workdir::new();
    let lock = work.write("lake/_staging/cloudtrail/proc_ymd=20231101.lock", "run X");
    let held = fs::File::open(lock).unwrap();
    held.try_lock().unwrap();
    work.run(TABLE).exits(75);
    assert!(!work.path("lake/_runs").exists());
}

#[test]
fn a_day_is_published_even_if_its_run_record_cannot_be_written() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("x", json!({}))]));
    work.write("lake/_runs", "no folder");
    let outcome = work.run(TABLE).exits(0);
    outcome.says(&["warn: cannot write the run record", "_runs", "hint=move away the file"]);
    work.verify().exits(0);
}

#[test]
fn a_sharded_run_has_a_run_record() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("x", json!({}))]));
    let plan = work.logmill(["plan", "--day", DAY, "--input", "raw", "--format", "json"]).of(TABLE);
    work.write("plan.json", plan.exits(0).stdout);
    work.logmill(["convert", "--plan", "plan.json", "--staging", "staging"]).exits(0);
    let publish = ["publish", "--plan", "plan.json", "--staging", "staging", "--output", "lake"];
    let day = work.logmill(publish).publishes(TABLE);
    let record = run_record(&work, &day.manifest["run"]);
    assert_eq!((&record["objects"], &record["planned_at"]), (&json!(1), &day.manifest["planned_at"]));
    let steps: Vec<&String> = record["seconds"].as_object().unwrap().keys().collect();
    assert_eq!(steps, ["write", "publish", "clean"], "the other steps ran elsewhere");
}

//! Inputs and outputs that are missing, vanish or are full cause an error and change nothing.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::harness::{DAY, LOGMILL, Outcome, Table, Workdir, document, event, gz};

fn with_one_event() -> Workdir {
    let work = Workdir::new();
    work.cloudtrail("a", gz(document([event("id", json!({}))])));
    work
}

/// Writes a plan of the day to `plan.json`.
fn planned(work: &Workdir, shards: &str) {
    let plan = work.logmill(["plan", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail"]);
    let plan = plan.args(["--format", "json", "--shards", shards]).exits(0);
    work.write("plan.json", plan.stdout);
}

#[test]
fn an_input_that_does_not_exist_is_named() {
    let work = with_one_event();
    for args in [
        vec!["run", "--day", DAY, "--input", "nowhere/at/all", "--output", "lake"],
        vec!["plan", "--day", DAY, "--input", "nowhere/at/all"],
        vec!["inspect", "nowhere/at/all"],
    ] {
        work.logmill(&args).exits(4).says(&["nowhere/at/all", "hint:"]);
    }
    assert!(work.published().is_empty());
    work.assert_no_debris("lake");
}

#[test]
fn an_input_that_vanishes_after_the_plan_fails_the_conversion() {
    let work = with_one_event();
    planned(&work, "1");
    fs::rename(work.path("raw"), work.path("gone")).unwrap();
    let convert = ["convert", "--plan", "plan.json", "--staging", "staging"];
    work.logmill(convert).exits(4).says(&["input", "raw", "hint:"]);
    assert_eq!(work.files("staging").len(), 0, "a failed conversion leaves nothing");
    let publish = ["publish", "--plan", "plan.json", "--staging", "staging", "--output", "lake"];
    work.logmill(publish).exits(4).says(&["shard"]);
    fs::rename(work.path("gone"), work.path("raw")).unwrap();
    work.logmill(convert).exits(0);
    work.logmill(publish).publishes(Table::CLOUDTRAIL);
}

#[test]
fn an_object_that_vanishes_after_the_plan_is_quarantined() {
    let work = with_one_event();
    let lost = work.cloudtrail("b", gz(document([event("lost", json!({}))])));
    planned(&work, "1");
    fs::remove_file(&lost).unwrap();
    work.logmill(["convert", "--plan", "plan.json", "--staging", "staging"]).exits(0);
    let publish = ["publish", "--plan", "plan.json", "--staging", "staging", "--output", "lake"];
    work.logmill(publish).exits(3).says(&["_quarantine/cloudtrail/proc_ymd=20231101/"]);
    let day = work.logmill(publish).allow_rejects().publishes(Table::CLOUDTRAIL);
    assert_eq!(day.values("event_id"), ["id"]);
    let line = &day.quarantine()[0];
    assert_eq!((&line["reason"], &line["record"]), (&json!("unreadable"), &json!(null)));
    assert!(lost.ends_with(line["object"].as_str().unwrap()), "{line}");
}

#[test]
fn an_output_that_cannot_be_a_folder_is_refused() {
    let work = with_one_event();
    work.write("file", "precious");
    for (output, message) in [("file", "not a folder"), ("file/below", "file/below")] {
        let args = ["run", "--day", DAY, "--input", "raw", "--output", output];
        work.logmill(args).exits(4).says(&[message, "hint:"]);
    }
    assert_eq!(fs::read_to_string(work.path("file")).unwrap(), "precious");
}

/// The lake is below a folder whose name starts with `_`, as those of staging folders do.
#[test]
fn a_failed_run_keeps_folders_that_it_did_not_create() {
    let work = with_one_event();
    fs::create_dir_all(work.path("_mine/lake")).unwrap();
    let args = ["run", "--day", DAY, "--input", "nowhere", "--output", "_mine/lake"];
    work.logmill(args).exits(4);
    assert!(work.path("_mine/lake").is_dir(), "the empty output existed before");
}

#[test]
fn a_partition_with_foreign_files_is_refused() {
    let work = with_one_event();
    let foreign = work.write("lake/cloudtrail/proc_ymd=20231101/part-0.parquet", "not ours");
    let before = work.published();
    work.run(Table::CLOUDTRAIL).exits(4).says(&["proc_ymd=20231101", "did not write", "hint:"]);
    assert_eq!(work.published(), before);
    work.assert_no_debris("lake");
    fs::remove_file(foreign).unwrap();
    work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
}

#[test]
fn a_partition_that_is_a_foreign_file_is_refused() {
    let work = with_one_event();
    work.write("lake/cloudtrail/proc_ymd=20231101", "not ours");
    let before = work.published();
    work.run(Table::CLOUDTRAIL).exits(4).says(&["proc_ymd=20231101", "hint:"]);
    assert_eq!(work.published(), before);
    work.assert_no_debris("lake");
}

/// Writes objects that compress poorly, each with one bad record, so that every kind of file is written.
fn write_much(work: &Workdir, objects: u64, records: usize, words: usize) {
    for object in 0..objects {
        let mut random = fastrand::Rng::with_seed(object);
        let mut record = |number: usize| {
            let noise: Vec<u128> = (0..words).map(|_| random.u128(..)).collect();
            let noise = format!("{noise:x?}");
            event(&format!("{object}-{number}"), json!({"requestParameters": {"noise": noise}})).to_string()
        };
        let records = (0..records).map(&mut record).chain(["\"bad\"".to_owned()]);
        work.cloudtrail(&format!("{object:03}"), gz(document(records)));
    }
}

/// Runs the program with a limit on file size, in blocks of 512 bytes, to simulate a full disk.
fn run_with_room(work: &Workdir, blocks: u32, options: &[&str]) -> Outcome {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh", LOGMILL, "run", "--day", DAY, "--input", "raw", "--output", "lake"]);
    work.call(command).of(Table::CLOUDTRAIL).allow_rejects().args(options).wait()
}

#[test]
fn a_full_disk_fails_the_run_and_keeps_the_old_day() {
    let work = Workdir::new();
    write_much(&work, 1, 3, 6);
    work.run(Table::CLOUDTRAIL).allow_rejects().publishes(Table::CLOUDTRAIL);
    write_much(&work, 3, 2000, 6);
    let before = work.published();
    let (mut failed, mut blocks) = (0, 0);
    loop {
        let outcome = run_with_room(&work, blocks, &[]);
        work.assert_no_debris("lake");
        if outcome.code == Some(0) {
            break;
        }
        assert_eq!(outcome.code, Some(4), "with room for {blocks} blocks\n{outcome}");
        outcome.says(&["cannot", "File too large", "hint:"]);
        assert_eq!(work.published(), before, "with room for {blocks} blocks\n{outcome}");
        failed += 1;
        blocks += blocks / 2 + 1;
        assert!(blocks < 1 << 20, "the day never fits\n{outcome}");
    }
    assert!(failed > 5, "{failed} runs had too little room");
    assert_ne!(work.published(), before);
    work.verify().exits(0);
}

#[test]
fn a_full_disk_while_rows_are_spilled_fails_the_run() {
    let work = Workdir::new();
    // Few large records: the memory counts their bytes, and the time their number.
    write_much(&work, 20, 400, 90);
    // Rows are spilled by the megabyte: a spilled run does not fit, but the part file would.
    for blocks in [1, 1000, 5000] {
        let outcome = run_with_room(&work, blocks, &["--memory", "64MiB", "--threads", "1"]);
        assert_eq!(outcome.code, Some(4), "with room for {blocks} blocks\n{outcome}");
        assert!(work.published().is_empty());
        work.assert_no_debris("lake");
        if blocks > 1 {
            outcome.says(&["cannot write to the staging folder", "rows-", "hint: raise the limit"]);
        }
    }
    let left = work.files("lake").into_keys().collect::<Vec<PathBuf>>();
    let is_run_record = |path: &PathBuf| {
        path.starts_with("_runs/cloudtrail") && path.extension().is_some_and(|extension| extension == "json")
    };
    assert!(
        left.len() == 2 && left.iter().all(is_run_record),
        "two runs could write a record of their failure: {left:?}"
    );
}

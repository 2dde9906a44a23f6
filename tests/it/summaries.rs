//! A run writes a complete summary of its own, or none.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{DAY, Table, Workdir, document, event};

const OLD: &str = "{\"run\": \"an earlier one\"}";

fn work() -> Workdir {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({}))]));
    work
}

/// The names in the folder of a test, sorted.
fn names(work: &Workdir) -> Vec<String> {
    let entries = fs::read_dir(work.path("")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_run_that_does_not_start_leaves_no_summary() {
    for (args, variable, code) in [
        (&["run", "--day", "never", "--input", "raw", "--output", "lake"][..], None, 2),
        (&["run", "--day", DAY, "--input", "raw"], None, 2),
        (&["run", "--day", DAY, "--output", "lake"], None, 2),
        (&["run", "--day", DAY, "--input", "raw", "--output", "lake"], Some(("LOGMILL_MEMORY", "much")), 2),
        (&["run", "--day", DAY, "--input", "raw", "--output", "lake", "--config", "none.toml"], None, 2),
        (
            &["run", "--day", DAY, "--input", "raw", "--output", "lake", "--metrics-file", "no/m.prom"],
            None,
            2,
        ),
        (&["backfill", "--from", DAY, "--to", "never", "--input", "raw", "--output", "lake"], None, 2),
        (&["publish", "--plan", "none.json", "--staging", "s", "--output", "lake"], None, 2),
    ] {
        let work = work();
        work.write("summary.json", OLD);
        let call = work.logmill(args).args(["--summary-json", "summary.json"]);
        let call = variable.into_iter().fold(call, |call, (name, value)| call.env(name, value));
        call.exits(code);
        assert!(!names(&work).iter().any(|name| name.contains("summary")), "{args:?}: {:?}", names(&work));
    }
}

/// The name of the summary file is unknown if the command line cannot be parsed.
#[test]
fn an_unknown_flag_leaves_the_old_summary() {
    let work = work();
    work.write("summary.json", OLD);
    work.run(Table::CLOUDTRAIL).args(["--summary-json", "summary.json", "--unknown"]).exits(2);
    assert_eq!(fs::read_to_string(work.path("summary.json")).unwrap(), OLD);
}

#[test]
fn summaries_and_metrics_are_replaced_atomically() {
    let work = work();
    work.write("summary.json", OLD);
    work.write("metrics.prom", "");
    // A hard link shows whether a file was overwritten in place or replaced.
    for name in ["summary.json", "metrics.prom"] {
        fs::hard_link(work.path(name), work.path(&format!("{name}.reader"))).unwrap();
    }
    work.run(Table::CLOUDTRAIL)
        .args(["--summary-json", "summary.json", "--metrics-file", "metrics.prom"])
        .exits(0);
    let summary: Value = serde_json::from_slice(&fs::read(work.path("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["exit_code"], 0);
    assert_eq!(fs::read_to_string(work.path("summary.json.reader")).unwrap(), OLD);
    assert_eq!(fs::read_to_string(work.path("metrics.prom.reader")).unwrap(), "");
    assert!(fs::read_to_string(work.path("metrics.prom")).unwrap().contains("logmill_exit_code 0"));
    assert_eq!(
        names(&work),
        ["lake", "metrics.prom", "metrics.prom.reader", "raw", "summary.json", "summary.json.reader"]
    );
}

#[test]
fn an_unwritable_summary_path_is_refused_before_the_run() {
    let work = work();
    work.write("file", "");
    for (path, why) in
        [("missing/summary.json", "No such file"), ("raw", "directory"), ("file/s.json", "ot a directory")]
    {
        work.run(Table::CLOUDTRAIL).args(["--summary-json", path]).exits(4).says(&[
            "cannot write the summary",
            path,
            why,
            "hint: pass --summary-json a path in an existing, writable folder",
        ]);
        assert!(!work.lake().exists());
    }
}

#[test]
fn a_summary_can_be_written_to_a_device() {
    let work = work();
    let run = || work.run(Table::CLOUDTRAIL).args(["--summary-json", "/dev/stdout"]);
    run().exits(0).prints(&["\"exit_code\": 0", "KST day"]);
    let mut command = std::process::Command::new("sh");
    let run =
        "run --day 2023-11-01 --input raw --output lake --dataset cloudtrail --summary-json /dev/stdout";
    command.args(["-c", &format!("'{}' {run} >> kept.txt", crate::harness::LOGMILL)]);
    work.write("kept.txt", "");
    work.call(command).exits(0);
    assert!(fs::read_to_string(work.path("kept.txt")).unwrap().contains("KST day"));
}

//! Printed output: help, messages, summaries and JSON.

use std::io::pipe;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{AccessLine, Call, DAY, LOGMILL, Outcome, Table, Workdir, document, event, gz, ledger};

const COMMANDS: [&str; 22] = [
    "discover",
    "init",
    "run",
    "backfill",
    "status",
    "why",
    "diff",
    "query",
    "report",
    "plan",
    "convert",
    "publish",
    "register",
    "inspect",
    "schema",
    "verify",
    "certify",
    "clean",
    "doctor",
    "config",
    "completions",
    "man",
];

/// A day with a row, a damaged object and a rejected row.
fn eventful() -> Workdir {
    let work = Workdir::new();
    let packed = gz(document([event("id", json!({}))]));
    work.cloudtrail("a", &packed);
    work.cloudtrail("b", &packed[..packed.len() - 5]);
    work.access("A", format!("{}\nno line\n", AccessLine::of("ID")));
    work
}

fn both(work: &Workdir) -> Call<'_> {
    work.logmill(["run", "--day", DAY, "--input", "raw", "--output", "lake"]).allow_rejects()
}

/// The words of a command line, as a shell splits them. Other programs and files are left out.
fn words(work: &Workdir, line: &str) -> Vec<String> {
    let own = line.split(" | ").next().unwrap().split(" > ").next().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("logmill() {{ printf '%s\\n' logmill \"$@\"; }}\n{own}")]);
    work.call(shell).exits(0).stdout.lines().map(str::to_owned).collect()
}

#[test]
fn examples_fit_a_narrow_terminal_and_are_valid_commands() {
    let (work, mut checked) = (Workdir::new(), 0);
    for command in COMMANDS {
        let help = work.logmill([command, "--help"]).exits(0).stdout;
        let (_, examples) = help.split_once("\nExamples:\n").unwrap();
        let widest = examples.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 80, "{command}: {widest} columns\n{examples}");
        for line in examples.replace(" \\\n      ", " ").lines() {
            assert!(line.contains("logmill "), "{line}");
            let words = words(&work, line.trim());
            let parsed = logmill::cli::command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} examples");
}

#[test]
fn every_command_shows_examples_and_the_program_its_exit_codes() {
    let work = Workdir::new();
    let help = work.logmill(["--help"]).exits(0);
    for command in COMMANDS {
        help.prints(&[&format!("\n  {command} ")]);
        let own = work.logmill([command, "--help"]).exits(0);
        own.prints(&["Usage:", "Examples:\n  ", &format!("  logmill {command}")]);
    }
    let listed = help
        .stdout
        .lines()
        .filter(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next());
    let listed: Vec<&str> = listed.take_while(|word| *word != "help").collect();
    assert_eq!(listed, COMMANDS, "add a new command to this list");
    for code in ["0  done", "2  ", "3  ", "4  ", "75  ", "99  ", "130  "] {
        help.prints(&[code]);
    }
    work.logmill(["--version"]).exits(0).prints(&["logmill "]);
    work.logmill::<&str>([]).exits(2).says(&["Usage:"]);
    work.logmill(["fly"]).exits(2).says(&["fly"]);
    work.logmill(["run", "--day", DAY, "--fly"]).exits(2).says(&["--fly"]);
    for shell in ["bash", "zsh", "fish"] {
        work.logmill(["completions", shell]).exits(0).prints(&["logmill"]);
    }
}

#[test]
fn a_quiet_run_prints_nothing() {
    let work = eventful();
    for quiet in ["--quiet", "-q"] {
        let outcome = both(&work).args([quiet]).exits(0);
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    }
    let outcome = both(&work).args(["--quiet", "--summary-json", "-"]).exits(0);
    let summary: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&summary["exit_code"], outcome.stderr.as_str()), (&json!(0), ""));
    let failed = both(&work).args(["--quiet", "--max-reject-ratio", "0"]);
    assert!(!failed.exits(2).stderr.is_empty(), "a repeated option is an error, and errors are printed");
}

#[test]
fn a_run_prints_its_result_and_the_damage() {
    let work = eventful();
    let outcome = both(&work).exits(0);
    outcome.prints(&[
        "KST day 2023-11-01",
        "cloudtrail",
        "s3_access",
        "final",
        "_quarantine/cloudtrail/proc_ymd=20231101/",
    ]);
    outcome.says(&["warn: damaged object", "_b.json.gz rows=1 quarantined=1\n"]);
    let lines: Vec<&str> = outcome.stdout.lines().filter(|line| line.starts_with("cloudtrail ")).collect();
    let cells: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(cells[cells.len() - 11..cells.len() - 6], ["3", "1", "0", "1", "1"], "{}", lines[0]);
}

#[test]
fn with_json_every_message_is_one_json_object_per_line() {
    let work = eventful();
    let json = |outcome: &Outcome| -> Vec<Value> {
        outcome
            .stderr
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{outcome}"))
            })
            .collect()
    };
    let messages = json(&both(&work).args(["--log-format", "json"]).exits(0));
    let events: Vec<&str> = messages.iter().filter_map(|message| message["event"].as_str()).collect();
    assert!(events.contains(&"planned") && events.contains(&"published"), "{events:?}");
    for message in &messages {
        assert!(message["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{message}");
        assert!(["error", "warn", "info", "debug"].contains(&message["level"].as_str().unwrap()));
    }
    for (args, code) in [
        (&["run", "--day", DAY, "--input", "nowhere", "--output", "lake"][..], 4),
        (&["run", "--day", "2023-02-30", "--input", "raw", "--output", "lake"], 2),
        (&["run", "--day", DAY, "--input", "raw", "--output", "lake"], 3),
        (&["verify", "--day", "2020-01-01", "--output", "lake"], 4),
        (&["config", "--threads", "0"], 2),
        (&["config", "--config", "missing.toml"], 2),
    ] {
        let messages = json(&work.logmill(args).args(["--log-format", "json"]).exits(code));
        let last = messages.last().unwrap();
        assert_eq!(last["level"], "error", "{args:?}");
        assert!(
            messages
                .iter()
                .all(|message| message.get("hint").is_none_or(|hint| hint.is_string() || hint.is_null()))
        );
    }
}

#[test]
fn the_summary_is_written_to_the_given_place() {
    let work = eventful();
    let outcome = both(&work).args(["--summary-json", "-"]).exits(0);
    let summary: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(summary["version"], 1);
    assert_eq!((&summary["day"], summary["tables"].as_array().unwrap().len()), (&json!(DAY), 2));
    both(&work).args(["--summary-json", "kept.json"]).exits(0).prints(&["KST day"]);
    let kept: Value = serde_json::from_slice(&std::fs::read(work.path("kept.json")).unwrap()).unwrap();
    for (table, other) in kept["tables"].as_array().unwrap().iter().zip(summary["tables"].as_array().unwrap())
    {
        assert_eq!(ledger(table), ledger(other));
    }
}

/// The read end of the pipe is closed before the program starts.
#[test]
fn a_closed_pipe_is_not_an_error() {
    let work = eventful();
    both(&work).exits(0);
    let object = work.cloudtrail("a", document([event("id", json!({}))]));
    for args in [
        vec!["schema"],
        vec!["schema", "--format", "ddl"],
        vec!["config"],
        vec!["completions", "bash"],
        vec!["inspect", object.to_str().unwrap()],
        vec!["plan", "--day", DAY, "--input", "raw", "--format", "json"],
        vec!["verify", "--day", DAY, "--output", "lake"],
        vec![
            "run",
            "--day",
            DAY,
            "--input",
            "raw",
            "--output",
            "lake",
            "--max-reject-ratio",
            "1",
            "--log-format",
            "json",
        ],
        vec!["--help"],
    ] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut command = Command::new(LOGMILL);
        command.args(&args).current_dir(work.path("")).stdout(writer).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {stderr}");
        assert!(!stderr.contains("error") && !stderr.contains("panic"), "{args:?}: {stderr}");
    }
    let script = format!("'{LOGMILL}' schema | head -1");
    let mut command = Command::new("sh");
    command.args(["-c", &script]);
    let outcome = work.call(command).exits(0);
    assert_eq!((outcome.stdout.lines().count(), outcome.stderr.as_str()), (1, ""));
}

#[test]
fn data_that_cannot_be_written_is_an_error() {
    let work = eventful();
    for args in ["schema", "config", "completions bash", "plan --day 2023-11-01 --input raw"] {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("'{LOGMILL}' {args} > /dev/full")]);
        work.call(command).exits(4).says(&["cannot write to standard output"]);
    }
}

#[test]
fn a_run_writes_only_below_the_output() {
    let work = eventful();
    let before = work.files("raw");
    both(&work).exits(0);
    work.run(Table::ACCESS).args(["--max-reject-ratio", "0"]).exits(3);
    assert_eq!(work.files("raw"), before);
    let mut folders: Vec<String> = std::fs::read_dir(work.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, ["lake", "raw"]);
}

//! Text from logs and object names cannot control the terminal or forge a line of output.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{AccessLine, DAY, Outcome, Table, Workdir, document, event, gz};

/// Clears the screen, sets the title, reverses the text direction and starts a forged line.
const ODD: &str = "\u{1b}[2J\u{9b}31m\u{1b}]0;title\u{7}\u{7f}\u{202e}\u{2066}\u{2028}\r\nforged: line\n";

/// A folder name that contains [`ODD`], which has no `/`.
fn odd_folder() -> String {
    format!("odd{ODD}folder")
}

/// Read, skipped, rejected and damaged logs, with odd text and below a folder with an odd name.
fn odd_day() -> Workdir {
    let work = Workdir::new();
    let odd = odd_folder();
    let cloudtrail = |name: &str, content: &[u8]| {
        let key = format!("123456789012_CloudTrail_ap-northeast-2_20231101T0310Z_{name}.json.gz");
        work.write(&format!("raw/{odd}/{key}"), content)
    };
    let odd_event = event("odd-id", json!({"userAgent": ODD, "errorMessage": ODD, "eventName": ODD}));
    let later = event("no-time", json!({"eventTime": ODD}));
    let packed = gz(document([odd_event.clone(), odd_event, later, event(ODD, json!({"requestID": ODD}))]));
    cloudtrail("Aaaaaaaaaaaaaaaa", &packed);
    cloudtrail("Bbbbbbbbbbbbbbbb", &packed[..packed.len() - 5]);
    let agent = "\u{1b}[31m\u{9b}m\u{202e}";
    let line = AccessLine { user_agent: agent, referer: agent, ..AccessLine::of("ODDREQUEST") };
    let lines = format!("{line}\n{agent} rejected\r{agent}\n");
    work.write(&format!("raw/{odd}/2023-11-01-03-10-00-AAAAAAAAAAAAAAAA"), lines);
    work.write(&format!("raw/{odd}/notes.txt"), ODD);
    work
}

/// Fails if the output contains an unescaped control character or a forged line.
fn is_harmless(outcome: &Outcome) {
    let unescaped =
        |letter: char| letter != '\n' && (letter.is_control() || "\u{202e}\u{2066}\u{2028}".contains(letter));
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(!text.contains(unescaped), "{:?} should be escaped in\n{outcome}", text.find(unescaped));
        let forged = text.lines().find(|line| line.trim_start().starts_with("forged"));
        assert_eq!(forged, None, "no line should be forged in\n{outcome}");
    }
}

/// Runs a command with every log format and checks its output. Returns the outcome with text messages and `-vv`.
fn harmless<A: AsRef<str>>(work: &Workdir, args: &[A], code: i32) -> Outcome {
    let call = |more: &[&str]| {
        let outcome = work.logmill(args.iter().map(AsRef::as_ref)).args(more).wait();
        is_harmless(&outcome);
        assert_eq!(outcome.code, Some(code), "{outcome}");
        outcome
    };
    call(&[]);
    let as_json = call(&["--log-format", "json", "-vv"]);
    for line in as_json.stderr.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    call(&["--log-format", "text", "-vv"])
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

const SHOWN: &str =
    "odd\\u001b[2J\\u009b31m\\u001b]0;title\\u0007\\u007f\\u202e\\u2066\\u2028\\r\\nforged: line\\nfolder";

#[test]
fn plans_escape_object_names() {
    let work = odd_day();
    for args in ["plan --day 2023-11-01 --input raw", "plan --day 2023-11-01 --input raw -v"] {
        harmless(&work, &words(args), 0).prints(&[SHOWN]);
    }
    let json = harmless(&work, &words("plan --day 2023-11-01 --input raw --format json"), 0);
    let plan: Value = serde_json::from_str(&json.stdout).unwrap();
    let first = plan["tables"][0]["objects"][0]["address"].as_str().unwrap();
    assert!(first.contains(&odd_folder()), "JSON should keep the exact name: {first:?}");
}

#[test]
fn runs_escape_damage_and_failures() {
    let work = odd_day();
    let link = format!("raw/{0}/link{0}", odd_folder());
    std::os::unix::fs::symlink("nowhere", work.path(&link)).unwrap();
    let run = words("run --day 2023-11-01 --input raw --output lake --max-reject-ratio 1");
    harmless(&work, &run, 0).says(&[SHOWN, "damaged object", "may be logs", &format!("link{SHOWN}")]);
    harmless(&work, &words("run --day 2023-11-01 --input raw --output other"), 3);
    harmless(
        &work,
        &words("backfill --from 2023-11-01 --to 2023-11-01 --input raw --output third --only all"),
        3,
    );
    let rest = "--from 2023-11-01 --to 2023-11-01 --input raw --output third";
    harmless(&work, &words(&format!("backfill --dry-run {rest}")), 0);
    for format in ["table", "json"] {
        harmless(&work, &words(&format!("status --format {format} {rest}")), 0);
        harmless(&work, &words(&format!("doctor --format {format} {rest}")), 4);
    }
    harmless(&work, &words("doctor --day 2023-11-01 --input raw --output third --fix --dry-run"), 4);
}

#[test]
fn shards_escape_object_names() {
    let work = odd_day();
    work.logmill(words("plan --day 2023-11-01 --input raw --plan plan.json")).exits(0);
    harmless(&work, &words("convert --plan plan.json --staging staging"), 0);
    harmless(
        &work,
        &words("publish --plan plan.json --staging staging --output lake --max-reject-ratio 1"),
        0,
    );
}

#[test]
fn commands_about_a_day_escape_their_output() {
    let work = odd_day();
    let run = || work.run(Table::CLOUDTRAIL).allow_rejects().exits(0);
    run();
    fs::remove_dir_all(work.path("raw").join(odd_folder())).unwrap();
    let key =
        format!("raw/{}/123456789012_CloudTrail_ap-northeast-2_20231101T0310Z_Cc.json.gz", odd_folder());
    work.write(
        &key,
        document([event("odd-id", json!({"userAgent": ODD, "eventName": ODD, "eventTime": "x"}))]),
    );
    for format in ["text", "json"] {
        let why = format!("why --day {DAY} --output lake --input raw --dataset cloudtrail --format {format}");
        let ask = |id: &[&str], code| {
            harmless(&work, &[words(&why), id.iter().map(|s| (*s).to_owned()).collect()].concat(), code)
        };
        ask(&["--event-id", "odd-id"], 0);
        ask(&["--event-id", "odd-id", "--deep"], 0);
        ask(&["--event-id", "no-time"], 99);
        ask(&["--event-id", ODD], 0);
        ask(&["--request-id", ODD], 0);
        ask(&["--event-id", "in no\u{1b} log\nforged"], 99);
    }
    work.run(Table::CLOUDTRAIL)
        .args(["--filter", "event_id = '\u{1b}'", "--allow-empty"])
        .allow_rejects()
        .exits(0);
    for format in ["text", "json"] {
        let diff =
            format!("diff --day {DAY} previous live --output lake --table cloudtrail --format {format}");
        harmless(&work, &words(&diff), 0).prints(&["odd\\u001b"]);
    }
    let inside = work.partition(Table::CLOUDTRAIL).join(format!("left{ODD}over"));
    fs::write(inside, "x").unwrap();
    harmless(&work, &words("verify --day 2023-11-01 --output lake"), 4).prints(&["left\\u001b[2J"]);
    harmless(&work, &words("clean --output lake"), 0);
}

#[test]
fn inspect_escapes_its_output() {
    let work = odd_day();
    let folder = work.path("raw").join(odd_folder());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path().to_string_lossy().into_owned();
        let is_log = !path.ends_with("notes.txt");
        for format in ["table", "json"] {
            let args = ["inspect", &path, "--format", format];
            let outcome = harmless(&work, &args, if is_log { 0 } else { 2 });
            let shown = if is_log { outcome.stdout } else { outcome.stderr };
            assert!(shown.contains("\\u001b") && shown.contains("\\u009b"), "{shown}");
        }
    }
}

#[test]
fn errors_escape_the_given_arguments() {
    let work = odd_day();
    work.write("bad.toml", format!("memory = \"{}\"\n", "\\u001b[31m\\nforged"));
    work.write("worse.toml", "memory = \u{1b}[31m\n");
    let nowhere = format!("nowhere{ODD}");
    for (args, code) in [
        (vec!["config", "--config", "bad.toml"], 2),
        (vec!["config", "--config", "worse.toml"], 2),
        (vec!["config", "--config", &nowhere], 2),
        (vec!["config", "--input", &nowhere], 0),
        (vec!["plan", "--day", DAY, "--input", &nowhere], 4),
        (vec!["plan", "--day", "\u{1b}[31m", "--input", "raw"], 2),
        (
            vec![
                "run",
                "--day",
                DAY,
                "--input",
                "raw",
                "--output",
                "lake",
                "--dataset",
                "cloudtrail",
                "--table",
                "\u{1b}[31m",
            ],
            2,
        ),
        (vec!["verify", "--day", DAY, "--output", &nowhere], 4),
        (vec!["status", "--day\u{1b}[31m\nforged"], 2),
        (vec!["status", "--format", "\u{1b}[31m\nforged"], 2),
        (vec!["\u{1b}[31m\nforged"], 2),
        (vec!["convert", "--plan", &nowhere, "--staging", "s"], 2),
        (vec!["inspect", &nowhere], 4),
    ] {
        let outcome = work.logmill(&args).wait();
        is_harmless(&outcome);
        assert_eq!(outcome.code, Some(code), "{outcome}");
        let output = outcome.stdout + &outcome.stderr;
        assert!(output.contains("\\u001b"), "the output of {args:?} should show the argument: {output}");
    }
}

#[test]
#[cfg(feature = "query")]
fn queries_and_reports_escape_their_output() {
    let work = odd_day();
    work.logmill(words("run --day 2023-11-01 --input raw --output lake --max-reject-ratio 1")).exits(0);
    for format in ["table", "json"] {
        let sql = "SELECT event_name, user_agent AS \"\u{1b}[31m\u{202e}\", source_object FROM cloudtrail";
        harmless(&work, &["query", "--output", "lake", "--format", format, sql], 0).prints(&[
            "odd\\u001b[2J",
            "\\u009b31m",
            "\\r\\nforged",
        ]);
    }
    harmless(&work, &["query", "--output", "lake", "SELECT * FROM \"\u{1b}[31m\""], 2).says(&["\\u001b[31m"]);
    harmless(&work, &["query", "--output", "lake", "SELECT cast(event_name AS bigint) FROM cloudtrail"], 2);
    let page = work.path("page\u{1b}.html").to_string_lossy().into_owned();
    for _ in 0..2 {
        let outcome =
            work.logmill(["report", "--day", DAY, "--output", "lake", "--to-file", &page, "-vv"]).wait();
        is_harmless(&outcome);
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }
}

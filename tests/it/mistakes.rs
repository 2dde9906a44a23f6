//! Mistakes that people make: what is printed for each, so that one reading ends the problem.
//!
//! The snapshots hold the whole output and the exit code of each command line. With `INSTA_UPDATE=always`, the tests rewrite
//! them.

use regex::Regex;
use serde_json::json;

use crate::harness::{DAY, Table, Workdir, document, event};

/// What differs between runs, and its replacement.
const VARIABLE: [(&str, &str); 4] = [
    (r"\d{8}T\d{6}Z-[0-9a-f]{8}", "RUN"),
    (r"today in Korea: \d{4}-\d\d-\d\d", "today in Korea: TODAY"),
    (r"(/[\w.-]+)+/logmill-it-\w+", "FOLDER"),
    (r" in \d+\.\d s", " in 0.0 s"),
];

/// Raw logs in `raw`, a lake in `lake`, an empty folder and a few files that are neither.
fn scene() -> Workdir {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({}))]));
    work.run(Table::CLOUDTRAIL).exits(0);
    std::fs::create_dir(work.path("empty")).unwrap();
    work.write("notes.txt", "no log\n");
    work.write("typo.toml", "memroy = \"1GiB\"\n");
    work.write("two.toml", "[[source]]\ndataset = \"cloudtrail\"\ntable = \"trail_a\"\ninput = \"raw\"\n[[source]]\ndataset = \"cloudtrail\"\ntable = \"trail_b\"\ninput = \"raw\"\n");
    work
}

/// The words of a command line; a part in quotes is one word.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    let words = parts.flat_map(|(place, part)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

/// Runs each command line in the scene, and compares what was printed with a snapshot.
fn check(snapshot: &str, lines: &[&str]) {
    let work = scene();
    let variable = VARIABLE.map(|(found, instead)| (Regex::new(found).unwrap(), instead));
    let mut text = String::new();
    for line in lines {
        let outcome = work.logmill(words(line)).wait();
        let printed = format!("{}{}", outcome.stdout, outcome.stderr);
        let printed = variable
            .iter()
            .fold(printed, |printed, (found, instead)| found.replace_all(&printed, *instead).into_owned());
        text += &format!("$ logmill {line}\n{printed}[exit {}]\n\n", outcome.code.unwrap());
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(snapshot, text);
    });
}

#[test]
fn unknown_flags_suggest_the_flag_that_was_meant() {
    check(
        "mistakes_flags",
        &[
            "run --date 2023-11-01 --input raw --output lake",
            "run --Day 2023-11-01",
            "run -day 2023-11-01",
            "run -d 2023-11-01",
            "run 2023-11-01 --input raw --output lake",
            "run yesterday",
            "run --day 2023-11-01 raw/AWSLogs lake",
            "run --day -1d --input raw --output lake",
            "run --day 2023-11-01 --inptu raw --output lake",
            "run --from 2023-11-01 --to 2023-11-05 --input raw --output lake",
            "run --last 7d --input raw --output lake",
            "run --since 2023-11-01",
            "run --day 2023-11-01 --dry-run",
            "run --day 2023-11-01 --force",
            "run --day 2023-11-01 --json",
            "run --day 2023-11-01 --region ap-northeast-2",
            "run --day 2023-11-01 --profile logs",
            "run --day 2023-11-01 --output-dir lake",
            "run --day 2023-11-01 --dest lake",
            "run --day 2023-11-01 --out lake",
            "run --day 2023-11-01 --source raw",
            "run --day 2023-11-01 --in raw",
            "run --day 2023-11-01 --db logs",
            "run --day 2023-11-01 --log-type cloudtrail",
            "run --day 2023-11-01 --summary_json -",
            "run --day 2023-11-01 --jobs 4",
            "run --day 2023-11-01 --exclude x",
            "run --day 2023-11-01 --xyzzy",
            "plan --from 2023-11-01 --to 2023-11-05",
            "verify --since 2023-11-01",
            "backfill --start 2023-11-01 --until 2023-11-05",
            "backfill --days 7",
            "backfill --last 7d --force",
            "status --json",
            "query --sql 1",
            "query --limit 5 \"SELECT 1\"",
            "query --out answer.csv \"SELECT 1\"",
            "verify --dest lake",
            "run --day 2023-11-01 --dataset cloudtrail --dataset s3-access --input raw --output lake",
            "run --day 2023-11-01 --day 2023-11-02 --input raw --output lake",
            "inspect --input raw",
            "report 2023-11-01",
        ],
    );
}

#[test]
fn unknown_commands_suggest_the_command_that_was_meant() {
    check(
        "mistakes_commands",
        &[
            "rnu --day 2023-11-01",
            "backfil --last 7d",
            "stat",
            "convertt",
            "build --day 2023-11-01",
            "ls",
            "sql",
            "\"SELECT count(*) FROM cloudtrail\"",
            "validate",
            "gc",
            "2023-11-01",
            "yesterday --input raw",
            "raw/AWSLogs",
            "s3://bucket/AWSLogs/",
            "xyzzy",
            "man rnu",
        ],
    );
}

#[test]
fn days_in_another_form_say_how_to_write_them() {
    check(
        "mistakes_days",
        &[
            "run --day 2023/11/01 --input raw --output lake",
            "run --day 11-01-2023 --input raw --output lake",
            "run --day 25.12.2023 --input raw --output lake",
            "run --day 2023-11-01T00:00:00+09:00 --input raw --output lake",
            "run --day 2023-10-31T15:00:00Z --input raw --output lake",
            "run --day 2023-11-01T10:00 --input raw --output lake",
            "run --day 2023-11-31 --input raw --output lake",
            "run --day 2023-11 --input raw --output lake",
            "run --day=-1d --input raw --output lake",
            "run --day 1d --input raw --output lake",
            "run --day Yesterday --input raw --output lake",
            "run --day tomorrow --input raw --output lake",
            "run --day 2999-01-01 --input raw --output lake",
            "query --day 2999-01-01 --output lake \"SELECT 1\"",
            "verify --lake lake",
            "why --event-id id --lake lake",
            "diff --lake lake --table cloudtrail",
            "register --lake empty --database logs",
            "backfill --last 2w --input raw --output lake",
            "backfill --last 0d --input raw --output lake",
            "backfill --input raw --output lake",
            "backfill --from 2023-11-05 --to 2023-11-01 --input raw --output lake",
            "backfill --day 2023-11-01 --from 2023-11-01 --input raw --output lake",
        ],
    );
}

#[test]
fn old_logs_are_found_without_a_day() {
    let work = scene();
    let given = ["--input", "raw", "--output", "lake", "--dataset", "cloudtrail"];
    let recent = work.logmill(["status"]).args(given).exits(0);
    recent.says(&["showing --day 2023-11-01"]);
    recent.prints(&["2023-11-01  published"]);
    assert!(!recent.stdout.contains("missing  "), "{}", recent.stdout);
    let checked = work.logmill(["status", "--check"]).args(given).exits(4);
    assert_eq!(checked.stdout.matches("  missing ").count(), 14, "{}", checked.stdout);
    let run = work.logmill([
        "run",
        "--day",
        "today",
        "--dataset",
        "cloudtrail",
        "--input",
        "raw",
        "--output",
        "other",
    ]);
    run.exits(0).says(&["the inputs hold no logs of the day", "pass --day 2023-11-01"]);
    work.logmill(["discover", "--input", "empty"]).exits(0).prints(&["The inputs are empty: pass --input"]);
    // The same folder in another spelling.
    let other = ["--input", "./raw", "--lake", "lake", "--dataset", "cloudtrail", "--format", "json"];
    let shown = work.logmill(["status", "--day", DAY]).args(other).exits(0).stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["state"], &shown["published_from"]), (&json!("published"), &json!(null)));
}

#[test]
fn a_single_day_can_be_given_wherever_a_range_can() {
    let work = scene();
    let given = ["--input", "raw", "--output", "lake", "--dataset", "cloudtrail"];
    for command in ["status", "doctor", "backfill"] {
        let called = |days: &[&str]| {
            let call = work.logmill([command]).args(days).args(given);
            let call = if command == "backfill" { call.args(["--dry-run"]) } else { call };
            call.exits(0).stdout
        };
        let one = called(&["--day", DAY]);
        assert_eq!(one, called(&["--from", DAY, "--to", DAY]), "{command}");
        assert!(one.contains(DAY) || command == "backfill", "{one}");
    }
}

#[test]
fn values_of_settings_say_what_is_expected() {
    check(
        "mistakes_values",
        &[
            "run --day 2023-11-01 --dataset cloudtrial --input raw --output lake",
            "run --day 2023-11-01 --dataset s3 --input raw --output lake",
            "run --day 2023-11-01 --dataset trail --input raw --output lake",
            "run --day 2023-11-01 --dataset elb --input raw --output lake",
            "run --day 2023-11-01 --dataset alb --input raw --output lake",
            "query --output answer.csv \"SELECT 1\"",
            "report --day 2023-11-01 --lake page.html",
            "run --day 2023-11-01 --memory lots --input raw --output lake",
            "run --day 2023-11-01 --memory 10MB --input raw --output lake",
            "run --day 2023-11-01 --memory 512 --input raw --output lake",
            "run --day 2023-11-01 --threads 0 --input raw --output lake",
            "run --day 2023-11-01 --max-reject-ratio 5 --input raw --output lake",
            "run --day 2023-11-01 --grace forever --input raw --output lake",
            "run --day 2023-11-01 --table \"My Table\" --dataset cloudtrail --input raw --output lake",
            "run --day 2023-11-01 --filter \"event_nam = 'x'\" --input raw --output lake",
            "run --day 2023-11-01 --config typo.toml --input raw --output lake",
            "config --config nope.toml",
            "convert --plan plan.json --staging staging --shard last",
            "status --format jsn --input raw --output lake",
            "inspect notes.txt --dataset cloudtrial",
            "inspect notes.txt --dataset x",
        ],
    );
}

#[test]
fn log_types_are_accepted_in_any_spelling() {
    let work = scene();
    for spelled in ["s3-access", "s3_access", "S3-Access", "S3_ACCESS"] {
        let shown = work.logmill(["schema", "--dataset", spelled]).exits(0).stdout;
        assert!(shown.starts_with("s3_access ("), "{spelled}: {shown}");
    }
    work.write("spelled.toml", "[[source]]\ndataset = \"S3_Access\"\n");
    work.logmill(["schema", "--config", "spelled.toml"]).exits(0).prints(&["s3_access ("]);
    let all = work.logmill(["schema", "--dataset", "ALL"]).exits(0).stdout;
    assert_eq!(all, work.logmill(["schema", "--dataset", "all"]).exits(0).stdout);
    assert!(
        all.contains(&work.logmill(["schema"]).exits(0).stdout),
        "the log types that are built by default"
    );
}

#[test]
fn unknown_tables_name_the_known_ones() {
    check(
        "mistakes_tables",
        &[
            "run --day 2023-11-01 --table clodtrail --input raw --output lake",
            "run --day 2023-11-01 --table trail --config two.toml --output lake",
            "run --day 2023-11-01 --dataset s3-access --config two.toml --output lake",
            "status --table clodtrail --input raw --output lake",
            "schema --table clodtrail",
            "verify --day 2023-11-01 --table clodtrail --output lake",
            "verify --day 2023-11-02 --table cloudtrail --output lake",
            "verify --day 2023-11-02 --output lake",
            "clean --table clodtrail --output lake",
            "doctor --table clodtrail --output lake",
            "doctor --table clodtrail --dataset cloudtrail --output lake",
            "diff --day 2023-11-01 --table clodtrail --output lake",
            "why --day 2023-11-01 --event-id id --table clodtrail --output lake",
            "query --output lake \"SELECT * FROM clodtrail\"",
            "query --output lake \"SELECT event_nam FROM cloudtrail\"",
        ],
    );
}

#[test]
fn a_table_selects_its_log_type() {
    let work = scene();
    let shown = work.logmill(["schema", "--table", "s3_access"]).exits(0).stdout;
    assert_eq!(shown, work.logmill(["schema", "--dataset", "s3-access"]).exits(0).stdout);
    work.write("plain.toml", "[[source]]\ndataset = \"cloudtrail\"\n[[source]]\ndataset = \"s3-access\"\n");
    assert_eq!(
        work.logmill(["schema", "--config", "plain.toml", "--table", "s3_access"]).exits(0).stdout,
        shown
    );
}

#[test]
fn inputs_that_cannot_be_read_say_what_to_check() {
    check(
        "mistakes_places",
        &[
            "run --quiet --day 2023-11-01 --output lake",
            "run --quiet --day 2023-11-01 --input raw",
            "run --quiet --day 2023-11-01 --input nothere --output lake",
            "backfill --quiet --day 2023-11-01 --input raw/AWSLogz/x --output lake",
            "status --day 2023-11-01 --input notes.txt/x --output lake",
            "plan --day 2023-11-01 --input nothere",
            "run --quiet --day 2023-11-01 --input ~/logs --output lake",
            "run --quiet --day 2023-11-01 --input empty --output lake",
            "run --quiet --day 2023-11-01 --input raw --input raw/ --output lake",
            "run --quiet --day 2023-11-01 --input raw --input raw/AWSLogs --output lake",
            "run --quiet --day 2023-11-01 --input raw --output raw",
            "run --quiet --day 2023-11-01 --input raw --output notes.txt",
            "run --quiet --day 2023-11-01 --input s3a://bucket/AWSLogs/ --output lake",
            "run --quiet --day 2023-11-01 --input s3:/bucket/AWSLogs --output lake",
            "run --quiet --day 2023-11-01 --input arn:aws:s3:::bucket/AWSLogs --output lake",
            "run --quiet --day 2023-11-01 --input https://bucket.s3.amazonaws.com/AWSLogs --output lake",
            "run --quiet --day 2023-11-01 --input gs://bucket/AWSLogs --output lake",
            "run --quiet --day 2023-11-01 --input raw --output s3n://bucket/lake",
            "run --quiet --day 2023-11-01 --input raw --output file:///lake",
            "run --quiet --day 2023-11-01 --input s3://bucket//AWSLogs --output lake",
            "run --quiet --day 2023-11-01 --input s3:///bucket/AWSLogs --output lake",
            "inspect nothere",
            "inspect raw",
        ],
    );
}

#[test]
fn the_lake_may_be_inside_an_input_and_an_input_inside_the_lake() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({}))]));
    for (input, output) in [("raw", "raw/lake"), ("raw/AWSLogs", "raw"), ("raw", "raw/lake")] {
        let run = ["run", "--day", DAY, "--dataset", "cloudtrail", "--input", input, "--output", output];
        let day = work.logmill(run).publishes(Table::CLOUDTRAIL);
        assert_eq!(day.ledger(), [1, 1, 0, 0, 0], "{input} {output}");
    }
}

#[test]
fn lakes_plans_and_statements_that_cannot_be_used_say_what_to_pass() {
    check(
        "mistakes_lakes_plans_statements",
        &[
            "clean --output nolake",
            "clean --output nolake --table cloudtrail",
            "doctor --output nolake",
            "doctor --day 2023-11-01 --input raw --output nolake --format json",
            "verify --day 2023-11-01 --output nolake",
            "diff --day 2023-11-01 --output nolake",
            "why --day 2023-11-01 --event-id id --output nolake",
            "report --day 2023-11-01 --output nolake",
            "query --output nolake \"SELECT 1\"",
            "clean --output empty",
            "clean --output lake/cloudtrail",
            "verify --day 2023-11-01 --output lake/cloudtrail",
            "query --output lake/cloudtrail \"SELECT count(*) FROM cloudtrail\"",
            "clean --output lake",
            "convert --plan nothere.json --staging staging",
            "convert --plan notes.txt --staging staging",
            "convert --plan lake/_manifests/cloudtrail/proc_ymd=20231101.json --staging staging",
            "run --day 2023-11-01 --input raw --output lake --database logs",
            "query --file none.sql --output lake",
            "query none.sql --output lake",
            "query --output lake \"SELCT 1\"",
            "query --output lake \"SELECT count(*) FORM cloudtrail\"",
            "query --output lake \"SELECT count(* FROM cloudtrail\"",
            "query --output lake \"SELECT\"",
            "query --output lake \"SELECT 1; SELECT 2\"",
            "query --output lake \"DROP TABLE cloudtrail\"",
        ],
    );
}

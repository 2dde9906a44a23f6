//! Secrets in logs, in the environment and in addresses appear in no output of any command.

use std::collections::BTreeSet;
use std::fs;

use crate::harness::{DAY, Workdir, key_of_access, key_of_cloudtrail};
use crate::rules::{SECRET, holds_secret, secretive};

/// Commands over the logs of [`secretive`], in an order in which each finds what it needs, each with its exit code.
const COMMANDS: [(&str, i32); 27] = [
    ("discover --input raw", 0),
    ("run --day DAY --input raw --output lake --max-reject-ratio 1 --summary-json summary.json", 0),
    ("backfill --from DAY --to DAY --input raw --output lake --max-reject-ratio 1 --only all", 0),
    ("run --day DAY --input raw --output lake --max-reject-ratio 0 --summary-json -", 3),
    ("status --day DAY --input raw --lake lake --format json", 0),
    ("why --day DAY --event-id assume --lake lake --format json", 0),
    ("why --day DAY --event-id no-time --lake lake --input raw", 99),
    ("diff --day DAY --lake lake", 0),
    ("query --lake lake --format json SQL", 0),
    ("report --day DAY --lake lake --to-file page.html", 0),
    ("plan --day DAY --input raw", 0),
    ("plan --day DAY --input raw --plan plan.json --shards 1", 0),
    ("convert --plan plan.json --staging shards --shard 0", 0),
    ("publish --plan plan.json --staging shards --output other --max-reject-ratio 1 --summary-json -", 0),
    ("register --day DAY --lake lake", 2),
    ("inspect TRAIL --format json", 0),
    ("inspect ACCESS", 0),
    ("schema", 0),
    ("verify --day DAY --lake lake", 0),
    ("certify --day DAY --lake lake --format json", 0),
    ("clean --lake lake", 0),
    ("doctor --day DAY --input raw --lake lake --format json", 0),
    ("discover --input https://b.s3.amazonaws.com/k?X-Amz-Signature=SECRET", 2),
    ("discover --input s3://KEY:SECRET@bucket/logs", 2),
    ("status --day DAY --lake s3a://KEY:SECRET@bucket/lake", 2),
    ("init --input raw --output lake", 0),
    ("config", 0),
];

/// Commands that know neither logs nor lake.
const OTHERS: [&str; 3] = ["completions", "man", "help"];

/// The credentials of a run, and a proxy that no run may ask.
const ENVIRONMENT: [(&str, &str); 6] = [
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", SECRET),
    ("AWS_SESSION_TOKEN", SECRET),
    ("AWS_REGION", "us-east-1"),
    ("AWS_MAX_ATTEMPTS", "1"),
    ("HTTPS_PROXY", "http://kim:QZsecretQZ@127.0.0.1:9"),
];

/// Runs a command with all messages, and fails if it prints a secret.
fn check(work: &Workdir, command: &str, code: i32, format: &str) {
    let filled = |word: &str| match word {
        "DAY" => DAY.to_owned(),
        "SQL" => "SELECT * FROM cloudtrail".to_owned(),
        "TRAIL" => key_of_cloudtrail("a", "20231101T0310Z"),
        "ACCESS" => key_of_access("A", "2023-11-01-03-10-00"),
        other => other.replace("SECRET", SECRET),
    };
    let call = work.logmill(command.split(' ').map(filled)).args(["-vvv", "--log-format", format]);
    let call = ENVIRONMENT.iter().fold(call, |call, (name, value)| call.env(name, value));
    let outcome = call.exits(code);
    let printed = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(!holds_secret(printed.as_bytes()), "{command} prints a secret:\n{outcome}");
}

#[test]
fn no_command_prints_or_writes_a_secret() {
    let work = secretive();
    for (command, code) in COMMANDS {
        let is_left_out = cfg!(not(feature = "query"))
            && ["query ", "report "].iter().any(|name| command.starts_with(name));
        if !is_left_out {
            check(&work, command, code, if code == 0 { "json" } else { "text" });
        }
    }
    let mut searched = 0;
    for (path, _) in work.files("").into_iter().filter(|(path, _)| !path.starts_with("raw")) {
        let bytes = fs::read(work.path("").join(&path)).unwrap();
        assert!(!holds_secret(&bytes), "{} holds a secret", path.display());
        searched += 1;
    }
    assert!(searched > 15, "the commands should write files");
}

#[test]
fn the_list_of_commands_is_complete() {
    let used = COMMANDS.iter().map(|(command, _)| command.split(' ').next().unwrap());
    let checked: BTreeSet<&str> = used.chain(OTHERS).collect();
    let command = logmill::cli::command();
    let missing: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .filter(|name| !checked.contains(name))
        .collect();
    assert!(missing.is_empty(), "search the output of {missing:?} for secrets, too");
}

/// Errors of the connection quote what was sent where. The proxy does not exist.
#[cfg(feature = "aws")]
#[test]
fn no_failure_of_s3_prints_a_secret() {
    let work = Workdir::new();
    for command in [
        "discover --input s3://bucket/logs",
        "run --day DAY --input s3://bucket/logs --output s3://bucket/lake",
        "status --day DAY --lake s3://bucket/lake",
    ] {
        check(&work, command, 75, "json");
    }
}

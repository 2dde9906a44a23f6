//! `discover`, `init`, and commands without a day: what inputs hold, before the first run.
//!
//! The numbers about `sample-data` were counted with `find` and a Python script over the names of its files.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{
    AccessLine, Call, LOGMILL, Outcome, Table, Workdir, document, event, gz, key_of_access,
    key_of_cloudtrail, text,
};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data");

fn discover<'w>(work: &'w Workdir, inputs: &[&str]) -> Call<'w> {
    inputs.iter().fold(work.logmill(["discover"]), |call, input| call.args(["--input", input]))
}

/// The JSON document of `discover`.
fn found(work: &Workdir, inputs: &[&str]) -> Value {
    let printed = discover(work, inputs).args(["--format", "json"]).exits(0).stdout;
    assert_eq!(printed.lines().count(), 1, "{printed}");
    serde_json::from_str(&printed).unwrap()
}

/// Number of objects, bytes, first day and last day of a log type.
fn counts(found: &Value, dataset: &str) -> Option<(u64, u64, String, String)> {
    let mut types = found["log_types"].as_array().unwrap().iter();
    let logs = types.find(|logs| logs["dataset"] == dataset)?;
    let number = |name: &str| logs[name].as_u64().unwrap();
    let day = |name: &str| logs[name].as_str().unwrap_or("-").to_owned();
    Some((number("objects"), number("bytes"), day("first_day"), day("last_day")))
}

/// Folder, reason, objects and folders of what belongs to no log type.
fn left(found: &Value) -> Vec<(String, String, u64, u64)> {
    let left = found["left"].as_array().unwrap().iter();
    let number = |left: &Value, name: &str| left[name].as_u64().unwrap();
    left.map(|left| {
        let (folder, why) = (text(&left["folder"]).to_owned(), text(&left["why"]).to_owned());
        (folder, why, number(left, "objects"), number(left, "folders"))
    })
    .collect()
}

/// The commands that an output proposes.
fn next(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.stdout.lines().skip_while(|line| *line != "next:").skip(1);
    lines.map(|line| line.trim().to_owned()).collect()
}

/// Runs a proposed command in a shell.
fn pasted<'w>(work: &'w Workdir, line: &str) -> Call<'w> {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &line.replacen("logmill", &format!("'{LOGMILL}'"), 1)]);
    work.call(shell)
}

fn trail(work: &Workdir, delivered: &str) {
    let time =
        format!("{}-{}-{}T{}:00:00Z", &delivered[..4], &delivered[4..6], &delivered[6..8], &delivered[9..11]);
    let event = event(delivered, json!({"eventTime": time}));
    work.write(&key_of_cloudtrail("a", delivered), gz(document([event])));
}

#[test]
fn the_sample_is_counted_by_log_type_account_region_and_bucket() {
    let inputs = ["cloudtrail", "s3-access"].map(|folder| format!("{SAMPLE}/{folder}"));
    let found = found(&Workdir::new(), &inputs.each_ref().map(String::as_str));
    assert_eq!(found["objects_listed"], 71);
    let days = |first: &str, last: &str| (first.to_owned(), last.to_owned());
    let (first, last) = days("2023-10-31", "2023-11-02");
    assert_eq!(counts(&found, "cloudtrail"), Some((33, 326_413, first, last)));
    let (first, last) = days("2023-10-29", "2023-11-03");
    assert_eq!(counts(&found, "s3-access"), Some((36, 367_376, first, last)));
    let [trail, access] = [0, 1].map(|place| &found["log_types"][place]);
    let names = |names: &[&str]| json!({"names": names, "complete": true});
    for logs in [trail, access] {
        assert_eq!(logs["accounts"], names(&["111122223333", "123456789012"]));
    }
    assert_eq!(trail["regions"], names(&["ap-northeast-2", "us-east-1"]));
    assert_eq!((&trail["buckets"], &access["regions"]), (&names(&[]), &names(&["ap-northeast-2"])));
    assert_eq!(access["buckets"], names(&["datalake-kr", "results"]));
    let expected = [
        ("CloudTrail-Digest", "digest of log files, no events", 1),
        ("CloudTrail-Insight", "Insights events have a different format", 1),
    ];
    assert_eq!(
        left(&found),
        expected.map(|(folder, why, objects)| (folder.to_owned(), why.to_owned(), objects, 0))
    );
    assert_eq!((&found["objects_read"], &found["requests"]), (&json!(0), &json!(0)));
    let backfill = &found["backfill"];
    assert_eq!((&backfill["objects"], &backfill["bytes"]), (&json!(69), &json!(693_789)));
    assert_eq!(backfill["s3_requests"], Value::Null);
}

#[test]
fn the_text_shows_everything_and_the_next_commands_work_when_pasted() {
    let work = Workdir::new();
    for delivered in ["20231031T1505Z", "20231101T0310Z", "20231101T1510Z"] {
        trail(&work, delivered);
    }
    for (time, name) in [("2023-11-01-03-10-00", "A"), ("2023-11-01-15-10-00", "B")] {
        work.write(&key_of_access(name, time), format!("{}\n", AccessLine::of(name)));
    }
    let elb = "raw/AWSLogs/123456789012/elasticloadbalancing/ap-northeast-2/2023/11/01/x.log.gz";
    work.write(elb, "1234567");
    work.write("raw/notes.txt", "prose");
    fs::rename(work.path("raw"), work.path("my logs")).unwrap();
    let outcome = discover(&work, &["my logs"]).args(["--threads", "1"]).exits(0);
    insta::assert_snapshot!(outcome.stdout, @r"
    my logs: 7 objects listed, first bytes read of 2 objects

    log type    objects    bytes  first day   last day    accounts  regions  buckets  note
    cloudtrail        3  1.2 KiB  2023-10-31  2023-11-02         1        1        -
    s3-access         2    502 B  2023-10-31  2023-11-02         -        -        -

    cloudtrail accounts: 123456789012
    cloudtrail regions: ap-northeast-2

    not logs of these types:
    folder                objects  folders  bytes  why                                               first
    .                           1             5 B  neither key nor content matches a known log type  my logs/notes.txt
    elasticloadbalancing        1             7 B  neither key nor content matches a known log type  my logs/AWSLogs/123456789012/elasticloadbalancing/ap-northeast-2/2023/11/01/x.log.gz

    a backfill reads 5 objects, 1.7 KiB, in about 1s, assuming 5 MB/s per thread

    next:
      logmill init --input 'my logs' --output lake
      logmill backfill --from 2023-10-31 --to 2023-11-02 --input 'my logs' --output lake
    ");
    assert_eq!(outcome.stderr, "");
    let lines = next(&outcome);
    pasted(&work, &lines[1]).exits(0);
    assert!(work.manifest_path(Table::CLOUDTRAIL).exists());
    let created = pasted(&work, &lines[0]).exits(0);
    for line in next(&created) {
        pasted(&work, &line).exits(0);
    }
    let again = discover(&work, &["my logs"]).exits(0);
    assert_eq!(next(&again).len(), 1, "the config file exists");
    pasted(&work, &next(&again)[0]).exits(0).prints(&["already up to date"]);
}

#[test]
fn an_empty_folder_and_one_without_logs_are_shown_as_such() {
    let work = Workdir::new();
    let empty = discover(&work, &["raw"]).exits(0);
    assert_eq!(
        empty.stdout,
        "raw: 0 objects listed\n\nno logs of a known type: cloudtrail, s3-access, alb-access, alb-connection, nlb-access, clb-access, cloudfront, vpc-flow, waf, resolver-query\nThe inputs are empty: pass --input with the folder or s3://bucket/prefix to which AWS delivers, for example s3://my-trail/AWSLogs/\n"
    );
    work.write("raw/notes.txt", "prose");
    work.write("raw/_marker", "");
    work.write("raw/.hidden", "");
    work.write(&format!("{}.tmp", key_of_cloudtrail("a", "20231101T0310Z")), "");
    let found = found(&work, &["raw"]);
    let expected = [
        ("", "hidden file", 2, 0),
        ("", "neither key nor content matches a known log type", 1, 0),
        ("CloudTrail", "temporary file", 1, 0),
    ];
    let expected =
        expected.map(|(folder, why, objects, folders)| (folder.to_owned(), why.to_owned(), objects, folders));
    assert_eq!((left(&found).as_slice(), &found["log_types"]), (&expected[..], &json!([])));
    assert_eq!(found["next"], json!([]));
}

#[test]
fn logs_without_a_time_in_their_keys_are_counted_as_a_plan_counts_them() {
    let work = Workdir::new();
    work.write("raw/copied/trail.json.gz", gz(document([event("a", json!({}))])));
    work.write("raw/copied/access.log", format!("{}\n", AccessLine::of("A")));
    work.write(
        "raw/123456789012/ap-northeast-2/web/2023/11/01/access.log",
        format!("{}\n", AccessLine::of("B")),
    );
    let found = found(&work, &["raw"]);
    assert_eq!(counts(&found, "cloudtrail").unwrap().2, "-", "it can feed any day");
    let access = counts(&found, "s3-access").unwrap();
    // The folder of 2023-11-01 UTC holds objects of the 1st and 2nd in Korea, and late ones of the day before.
    assert_eq!((access.0, access.2.as_str(), access.3.as_str()), (2, "2023-10-31", "2023-11-02"));
    let undated = [0, 1].map(|place| found["log_types"][place]["objects_without_time"].clone());
    assert_eq!(undated, [json!(1), json!(1)]);
    for (dataset, objects) in [("cloudtrail", 1), ("s3-access", 2)] {
        let plan =
            ["plan", "--day", "2023-11-01", "--input", "raw", "--format", "json", "--dataset", dataset];
        let plan: Value = serde_json::from_str(&work.logmill(plan).exits(0).stdout).unwrap();
        assert_eq!(plan["tables"][0]["objects"].as_array().unwrap().len(), objects, "{dataset}");
    }
}

#[test]
fn every_object_is_counted_once_if_inputs_overlap_or_a_lake_is_inside() {
    let work = Workdir::new();
    trail(&work, "20231101T0310Z");
    work.logmill(["run", "--day", "2023-11-01", "--input", "raw", "--output", "raw/lake"]).exits(0);
    let found = found(&work, &["raw/AWSLogs", "raw", "raw/"]);
    assert_eq!((&found["inputs"], counts(&found, "cloudtrail").unwrap().0), (&json!(["raw"]), 1));
    let folders: u64 = left(&found).iter().map(|(_, _, _, folders)| folders).sum();
    assert!(folders > 0, "published days are not entered: {found}");
    assert_eq!(found["objects_listed"], json!(1 + left(&found).iter().map(|left| left.2).sum::<u64>()));
}

#[test]
fn hostile_names_and_links_end_neither_the_listing_nor_a_line() {
    let work = Workdir::new();
    trail(&work, "20231101T0310Z");
    let odd = "odd\u{1b}[2J\u{202e}\nforged: line";
    let name = "123456789012_CloudTrail_ap-northeast-2_20231101T0310Z_a.json.gz";
    work.write(&format!("raw/{odd}/{name}"), gz(document([event("b", json!({}))])));
    work.write(&format!("raw/{odd}/notes"), odd);
    work.write("raw/0001-01-01-00-00-00-A", "");
    let bytes = std::ffi::OsStr::from_bytes(b"raw/\xff_CloudTrail_x");
    fs::write(work.path("").join(bytes), "").unwrap();
    symlink(work.path("raw"), work.path("raw/circle")).unwrap();
    symlink("loop", work.path("raw/loop")).unwrap();
    symlink("missing", work.path("raw/nowhere")).unwrap();
    let outcome = discover(&work, &["raw"]).exits(0);
    let is_bad = |letter: char| letter != '\n' && (letter.is_control() || letter == '\u{202e}');
    assert!(!outcome.stdout.contains(is_bad), "{outcome}");
    assert!(outcome.stdout.lines().all(|line| !line.trim_start().starts_with("forged")), "{outcome}");
    let found = found(&work, &["raw"]);
    assert_eq!(counts(&found, "cloudtrail").unwrap().0, 2);
    let mut reasons: Vec<String> = left(&found).into_iter().map(|(_, why, _, _)| why).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let expected = [
        "a link that leads in a circle",
        "a link that leads nowhere",
        "a link to a folder, which is not followed",
        "its name is not UTF-8",
        "neither key nor content matches a known log type",
    ];
    assert_eq!(reasons, expected);
    assert_eq!(found["objects_listed"], 8);
    let init = work.logmill(["init", "--input", "raw", "--output", "a \"lake\"\n\u{1b}"]).exits(0);
    assert!(!init.stdout.contains(is_bad), "{init}");
    work.logmill(["config", "--format", "json"]).exits(0).prints(&["a \\\"lake\\\"\\n\\u001b"]);
}

#[test]
fn an_input_that_cannot_be_listed_is_an_error() {
    let work = Workdir::new();
    discover(&work, &["nowhere"]).exits(4).says(&["cannot read the input", "nowhere"]);
    discover(&work, &[]).exits(2).says(&["no input is given", "--input"]);
    // Root can list every folder.
    if !rustix::process::geteuid().is_root() {
        fs::set_permissions(work.path("raw"), std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
        discover(&work, &["raw"]).exits(4).says(&["cannot list the folder", "raw"]);
        fs::set_permissions(work.path("raw"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
}

#[test]
fn init_writes_a_file_that_every_command_accepts() {
    let work = Workdir::new();
    trail(&work, "20231101T0310Z");
    work.write("other/2023-11-01-03-10-00-A", format!("{}\n", AccessLine::of("A")));
    let init =
        ["init", "--input", "raw", "--input", "other", "--output", "lake", "--config", "etc/logmill.toml"];
    work.logmill(init).exits(4).says(&["cannot write the config file", "existing, writable folder"]);
    fs::create_dir(work.path("etc")).unwrap();
    let created = work.logmill(init).args(["--database", "logs"]).exits(0);
    insta::assert_snapshot!(created.stdout, @r"
    created etc/logmill.toml

    cloudtrail: 1 object, 409 B, KST day 2023-11-01
    s3-access: 1 object, 251 B, KST days 2023-10-31 to 2023-11-01

    next:
      logmill plan --day 2023-11-01 --config etc/logmill.toml
      logmill backfill --from 2023-10-31 --to 2023-11-01 --config etc/logmill.toml
      logmill status --from 2023-10-31 --to 2023-11-01 --config etc/logmill.toml
    ");
    insta::assert_snapshot!(fs::read_to_string(work.path("etc/logmill.toml")).unwrap(), @r##"
    # Settings of logmill. docs/settings.md lists all keys; 'logmill config' shows the settings in effect.
    # Flags and LOGMILL_ variables override this file. Relative paths begin in the folder in which logmill runs.

    [lake]
    # Lake: a folder or s3://bucket/prefix
    output = "lake"

    # Registers each published day, for Athena.
    [catalog]
    database = "logs"
    # Create the database if it does not exist
    # create_database = true

    # Found: 1 object, 409 B, KST day 2023-11-01
    [[source]]
    dataset = "cloudtrail"
    table = "cloudtrail"
    input = "raw"
    # How long after a day its late objects can arrive, for example 12h
    # lateness = "6h"

    # Found: 1 object, 251 B, KST days 2023-10-31 to 2023-11-01
    [[source]]
    dataset = "s3-access"
    table = "s3_access"
    input = "other"
    # How long after a day its late objects can arrive, for example 12h
    # lateness = "24h"
    "##);
    assert_eq!(fs::read_dir(work.path("etc")).unwrap().count(), 1, "nothing is left next to it");
    let config = work.logmill(["config", "--config", "etc/logmill.toml"]).exits(0);
    config.prints(&["database", "logs", "cloudtrail.input", "raw", "s3_access.input", "other"]);
    let run = ["run", "--day", "2023-11-01", "--config", "etc/logmill.toml", "--catalog", "none"];
    work.logmill(run).exits(0).prints(&["cloudtrail", "s3_access"]);
}

#[test]
fn init_never_replaces_a_file_and_ignores_an_existing_config() {
    let work = Workdir::new();
    trail(&work, "20231101T0310Z");
    for (name, content) in [("logmill.toml", "not = [toml"), ("other.toml", "")] {
        work.write(name, content);
        let init = work.logmill(["init", "--input", "raw", "--output", "lake"]).env("LOGMILL_CONFIG", name);
        init.exits(2).says(&["already exists", name, "hint:"]);
        assert_eq!(fs::read_to_string(work.path(name)).unwrap(), content);
    }
    symlink("nowhere.toml", work.path("link.toml")).unwrap();
    let init = ["init", "--input", "raw", "--output", "lake", "--config"];
    work.logmill(init).args(["link.toml"]).exits(2).says(&["already exists"]);
    assert!(!Path::new(&work.path("nowhere.toml")).exists());
    let created = work.logmill(init).args(["new.toml"]).exits(0);
    created.prints(&["created new.toml", "logmill plan --day 2023-11-01 --config new.toml"]);
    work.logmill(["config", "--config", "new.toml"]).exits(0);
}

#[test]
fn init_without_logs_or_lake_writes_nothing() {
    let work = Workdir::new();
    let init = work.logmill(["init", "--input", "raw", "--output", "lake"]).exits(4);
    init.says(&[
        "hold no logs of a known type",
        "looked for: cloudtrail, s3-access, alb-access, alb-connection, nlb-access, clb-access, cloudfront, vpc-flow, waf, resolver-query",
        "logmill discover --input raw",
    ]);
    trail(&work, "20231101T0310Z");
    work.logmill(["init", "--input", "raw"]).exits(2).says(&["no output is given"]);
    work.logmill(["init", "--output", "lake"]).exits(2).says(&["no input is given"]);
    work.logmill(["init", "--input", "raw", "--output", "lake", "--database", "No!"])
        .exits(2)
        .says(&["database"]);
    let names = fs::read_dir(work.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["raw"]);
}

/// `run` and `plan` without a day.
fn without_day(work: &Workdir, more: &[&str]) -> [Outcome; 2] {
    [&["run", "--output", "lake"][..], &["plan"]].map(|command| work.logmill(command).args(more).exits(2))
}

#[test]
fn a_command_without_a_day_proposes_the_last_whole_day_and_a_backfill() {
    let work = Workdir::new();
    for date in 10..=25 {
        trail(&work, &format!("202310{date}T0310Z"));
        trail(&work, &format!("202310{date}T1510Z"));
    }
    for outcome in without_day(&work, &["--input", "raw"]) {
        outcome.says(&[
            "no day is given (inputs: raw)",
            // The last object was delivered on the 26th in Korea, so the 25th is over.
            "hint: the inputs hold logs of 2023-10-10 to 2023-10-26: pass --day 2023-10-25, or build all days with \
             'logmill backfill --from 2023-10-10 --to 2023-10-26' and the same options",
        ]);
        assert_eq!(outcome.stdout, "");
    }
    assert!(!work.path("lake").exists());
    // The oldest and the newest folder are enough: folders between them are not listed.
    let closed = work.path("raw/AWSLogs/123456789012/CloudTrail/ap-northeast-2/2023/10/15");
    fs::remove_dir_all(&closed).unwrap();
    fs::create_dir(&closed).unwrap();
    work.write(&key_of_cloudtrail("a", "20231015T0310Z").replace("2023/10/15/", "2023/10/15/odd/"), "");
    without_day(&work, &["--input", "raw"])[0].says(&["2023-10-10 to 2023-10-26"]);
}

#[test]
fn flat_names_are_listed_up_to_a_limit() {
    let work = Workdir::new();
    for hour in 0..20 {
        work.write(&key_of_access("A", &format!("2023-11-01-{hour:02}-10-00")), "");
    }
    let [run, _] = without_day(&work, &["--input", "raw"]);
    run.says(&["logs of 2023-10-31 to 2023-11-02: pass --day 2023-11-01,"]);
    for number in 0..10_000 {
        fs::write(work.path(&format!("raw/2023-11-01-12-00-00-{number:016X}")), "").unwrap();
    }
    let [run, _] = without_day(&work, &["--input", "raw"]);
    run.says(&["(judged by the first 10,000 objects and folders)"]);
}

#[test]
fn without_logs_a_command_without_a_day_shows_how_to_write_one() {
    let work = Workdir::new();
    let short = "hint: pass --day with a KST day: 2023-11-01, 20231101, yesterday or today";
    for more in
        [&[][..], &["--input", "raw"], &["--input", "nowhere"], &["--input", "raw", "--ignore-key-times"]]
    {
        for outcome in without_day(&work, more) {
            outcome.says(&["logmill: no day is given", short]);
        }
    }
    work.access("A", "");
    let [run, _] = without_day(&work, &["--input", "raw", "--dataset", "cloudtrail"]);
    run.says(&[short]);
    work.write(&key_of_access("A", "2999-01-01-03-10-00"), "");
    fs::remove_file(work.path(&key_of_access("A", "2023-11-01-03-10-00"))).unwrap();
    without_day(&work, &["--input", "raw"])[0].says(&[short]);
}

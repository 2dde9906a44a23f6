//! Which objects of an input are read: at every folder level, among logs of other services, and under unusual names.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{
    AccessLine, DAY, Day, Outcome, Table, Workdir, document, event, gz, manifest_path, text,
};

const TRAIL: &str = "AWSLogs/o-exampleorgid/111122223333/CloudTrail/ap-northeast-2/2023/11/01";
const NAME: &str = "111122223333_CloudTrail_ap-northeast-2_20231101T0310Z_AbCdEfGhIjKlMnOp.json.gz";

/// Folders and names of logs of other services whose names hold a time as CloudTrail's do.
const OTHERS: [(&str, &str); 6] = [
    (
        "elasticloadbalancing/ap-northeast-2",
        "111122223333_elasticloadbalancing_ap-northeast-2_app.web.0a_20231101T0310Z_192.0.2.7_1ab.log.gz",
    ),
    (
        "vpcflowlogs/ap-northeast-2",
        "111122223333_vpcflowlogs_ap-northeast-2_fl-0a1b_20231101T0310Z_fe12.log.gz",
    ),
    ("vpcdnsquerylogs/vpc-0a1b", "vpc-0a1b_vpcdnsquerylogs_111122223333_20231101T0310Z_0a1b.log.gz"),
    ("WAFLogs/ap-northeast-2/acl", "111122223333_waflogs_ap-northeast-2_acl_20231101T0310Z_0a1b.log.gz"),
    (
        "Config/ap-northeast-2",
        "111122223333_Config_ap-northeast-2_ConfigHistory_AWS::EC2::Instance_20231101T031022Z_1.json.gz",
    ),
    (
        "CloudTrail-Insight/ap-northeast-2",
        "111122223333_CloudTrail-Insight_ap-northeast-2_20231101T0310Z_AbCd.json.gz",
    ),
];

/// One CloudTrail event, and logs of other services that must not be read as CloudTrail's.
fn mixed_bucket() -> Workdir {
    let work = Workdir::new();
    work.write(&format!("in/{TRAIL}/{NAME}"), gz(document([event("wanted", json!({}))])));
    for (folder, name) in OTHERS {
        let content = gz(document([event("not-wanted", json!({}))]));
        work.write(&format!("in/AWSLogs/o-exampleorgid/111122223333/{folder}/2023/11/01/{name}"), content);
    }
    work
}

fn run_over(work: &Workdir, input: &str) -> Day {
    let run = ["run", "--day", DAY, "--dataset", "cloudtrail", "--input", input, "--output", "lake"];
    work.logmill(run).publishes(Table::CLOUDTRAIL)
}

#[test]
fn only_the_trail_is_read_from_any_folder_level() {
    let levels: Vec<&str> = TRAIL.split('/').collect();
    // From the folder above AWSLogs down to the region.
    for depth in 0..=5 {
        let work = mixed_bucket();
        let input = ["in"].into_iter().chain(levels[..depth].iter().copied()).collect::<Vec<_>>().join("/");
        let day = run_over(&work, &input);
        assert_eq!(day.values("event_id"), ["wanted"], "{input}");
        assert_eq!(day.ledger(), [1, 1, 0, 0, 0], "{input}");
    }
}

#[test]
fn only_the_trail_is_read_from_a_partial_copy_of_a_bucket() {
    for copied in ["AWSLogs", "AWSLogs/o-exampleorgid", "AWSLogs/o-exampleorgid/111122223333"] {
        let work = mixed_bucket();
        fs::rename(work.path(&format!("in/{copied}")), work.path("copy")).unwrap();
        assert_eq!(run_over(&work, "copy").ledger(), [1, 1, 0, 0, 0], "{copied}");
    }
    // All objects in one folder.
    let work = mixed_bucket();
    for (folder, name) in OTHERS.into_iter().chain([("CloudTrail/ap-northeast-2", NAME)]) {
        let path = work.path(&format!("in/AWSLogs/o-exampleorgid/111122223333/{folder}/2023/11/01/{name}"));
        work.write(&format!("flat/{name}"), fs::read(path).unwrap());
    }
    let day = run_over(&work, "flat");
    assert_eq!((day.values("event_id"), day.ledger()), (vec!["wanted".to_owned()], [1, 1, 0, 0, 0]));
    assert_eq!((&day.summary["objects_listed"], &day.summary["objects_left"]), (&json!(7), &json!(6)));
}

#[test]
fn a_trail_below_awslogs_folders_of_any_depth_is_read() {
    for above in ["AWSLogs", "AWSLogs/archive", "AWSLogs/archive/2023", "AWSLogs/222233334444/old"] {
        let work = Workdir::new();
        work.write(&format!("in/{above}/{TRAIL}/{NAME}"), gz(document([event("wanted", json!({}))])));
        assert_eq!(run_over(&work, "in").values("event_id"), ["wanted"], "{above}");
    }
}

/// The numbers of skipped objects, by reason.
fn left(summary: &Value) -> Vec<(String, u64)> {
    let groups = summary["left"].as_array().unwrap().iter();
    groups.map(|group| (text(&group["why"]).to_owned(), group["objects"].as_u64().unwrap())).collect()
}

#[test]
fn hidden_and_partial_files_are_skipped_and_counted_by_reason() {
    let work = Workdir::new();
    let whole = gz(document([event("wanted", json!({}))]));
    for (name, content) in [
        (NAME.to_owned(), &whole[..]),
        (format!("._{NAME}"), b"Mac OS X"),
        (format!("{NAME}.tmp"), &whole[..20]),
        (format!("{NAME}.6eF3aBcD"), &whole[..20]),
        ("app-1-2023-11-01-03-10-00-0b9bd55b-6a3c-4b0b-9d6a-0c7c1c1f0e11.gz".to_owned(), b"{}"),
    ] {
        work.write(&format!("in/{TRAIL}/{name}"), content);
    }
    let day = run_over(&work, "in");
    assert_eq!(day.ledger(), [1, 1, 0, 0, 0]);
    let expected = [
        ("hidden file", 1),
        ("neither key nor content matches a known log type", 1),
        ("partial download", 1),
        ("temporary file", 1),
    ];
    assert_eq!(left(&day.summary), expected.map(|(why, count)| (why.to_owned(), count)));
    assert_eq!(day.manifest["listed"]["left"], day.summary["left"]);
    assert_eq!(day.manifest["listed"]["listed"], 5);
    let status = [
        "status",
        "--from",
        DAY,
        "--to",
        DAY,
        "--input",
        "in",
        "--output",
        "lake",
        "--dataset",
        "cloudtrail",
    ];
    let printed = work.logmill(status).args(["--format", "json"]).exits(0).stdout;
    let status: Value = serde_json::from_str(printed.trim()).unwrap();
    assert_eq!((&status["left"], &status["objects_listed"]), (&day.summary["left"], &json!(5)));
}

#[test]
fn names_that_only_look_like_access_logs_are_checked_by_content() {
    let work = Workdir::new();
    let name = "in/app-1-2023-11-01-03-10-00-0b9bd55b-6a3c-4b0b-9d6a-0c7c1c1f0e1";
    work.write(&format!("{name}1"), "a line of an application\n");
    work.write(&format!("{name}2"), format!("{}\n", AccessLine::of("WANTED")));
    work.write(&format!("{name}3"), format!("\r\n \n{}\n", AccessLine::of("AFTER")));
    let run = ["run", "--day", DAY, "--dataset", "s3-access", "--input", "in", "--output", "lake"];
    let day = work.logmill(run).publishes(Table::ACCESS);
    let mut ids = day.values("request_id");
    ids.sort();
    assert_eq!((ids, day.ledger()), (["AFTER", "WANTED"].map(str::to_owned).to_vec(), [2, 2, 0, 0, 0]));
    assert_eq!(left(&day.summary), [("neither key nor content matches a known log type".to_owned(), 1)]);
}

#[test]
fn an_input_without_objects_for_the_day_is_a_warning() {
    let work = Workdir::new();
    work.write(
        &format!("in/{}", NAME.replace("20231101", "20231201")),
        gz(document([event("late", json!({}))])),
    );
    let run = ["run", "--day", DAY, "--dataset", "cloudtrail", "--input", "in", "--output", "lake"];
    let Outcome { stderr, .. } = work.logmill(run).exits(0);
    assert!(stderr.contains("0 of 1 object chosen"), "{stderr}");
    assert!(stderr.contains("most_left_out=delivered after the lateness window first=in/"), "{stderr}");
    assert!(!stderr.contains('{'), "{stderr}");
}

#[test]
fn an_input_without_matching_folders_is_a_warning() {
    let work = Workdir::new();
    let (folder, name) = OTHERS[1];
    let content = gz(document([event("not-wanted", json!({}))]));
    work.write(&format!("in/AWSLogs/o-exampleorgid/111122223333/{folder}/2023/11/01/{name}"), content);
    let of = ["--dataset", "cloudtrail", "--input", "in", "--output", "lake"];
    let run = work.logmill(["run", "--day", DAY]).args(of).exits(0);
    run.says(&["warn: no objects chosen for the day", "listed=0", "folders_not_entered=1", "vpcflowlogs"]);
    // A range does not warn, because every quiet day looks like this.
    let quiet = work.logmill(["backfill", "--from", DAY, "--to", DAY, "--only", "all"]).args(of).exits(0);
    assert!(!quiet.stderr.contains("no objects"), "{quiet}");
    fs::create_dir(work.path("empty")).unwrap();
    let empty = ["run", "--day", DAY, "--dataset", "cloudtrail", "--input", "empty", "--output", "other"];
    let empty = work.logmill(empty).exits(0);
    assert!(!empty.stderr.contains("no object"), "{empty}");
}

/// One object with events of several days, named after the first.
fn repackaged() -> Workdir {
    let work = Workdir::new();
    let at = |time: &str, id: &str| event(id, json!({ "eventTime": time }));
    let events = [
        at("2023-10-28T12:00:00Z", "first"),
        at("2023-10-31T20:00:00Z", "wanted"),
        at("2023-11-01T02:00:00Z", "wanted too"),
        at("2023-11-01T20:00:00Z", "next day"),
    ];
    work.write(&format!("in/{}", NAME.replace("20231101T0310Z", "20231028T1300Z")), gz(document(events)));
    work
}

#[test]
fn events_newer_than_the_name_of_their_object_are_a_warning() {
    let work = repackaged();
    let run = |day: &str| {
        let run = ["run", "--day", day, "--dataset", "cloudtrail", "--input", "in", "--output", "lake"];
        work.logmill(run).exits(0)
    };
    // Only the day in the name reads the object and can warn. The day of the events does not read it.
    run("2023-10-28").says(&["rows=3 objects=1", "newer than the time in the name", "--ignore-key-times"]);
    run(DAY).says(&["0 of 1 object chosen"]);
}

#[test]
fn with_ignore_key_times_every_object_is_read() {
    let work = repackaged();
    let run = ["run", "--day", DAY, "--dataset", "cloudtrail", "--input", "in", "--output", "lake"];
    let day = work.logmill(run).args(["--ignore-key-times"]).publishes(Table::CLOUDTRAIL);
    assert_eq!(day.values("event_id"), ["wanted", "wanted too"]);
    assert_eq!(day.ledger(), [4, 2, 2, 0, 0]);
    let backfill = ["backfill", "--from", "2023-10-28", "--to", "2023-11-02", "--dataset", "cloudtrail"];
    let backfill = work.logmill(backfill).args(["--input", "in", "--output", "many", "--ignore-key-times"]);
    backfill.exits(0);
    let part = |lake: &str| {
        let files = work.files(lake).into_iter();
        let parts = files.filter(|(path, _)| {
            path.to_string_lossy().contains("20231101/")
                && path.extension().is_some_and(|end| end == "parquet")
        });
        parts.map(|(_, digest)| digest).collect::<Vec<_>>()
    };
    assert_eq!(part("many"), part("lake"), "a range should build the same day as a single run");
}

#[test]
fn dates_in_custom_folders_exclude_no_log() {
    let name = NAME.replace("20231101T0310Z", "20231031T1505Z");
    for above in ["kst/2023/11/01", "kst/2023/11/09", "backup/2026/11/20/AWSLogs/111122223333", "2022/01/02"]
    {
        let work = Workdir::new();
        let early = event("wanted", json!({ "eventTime": "2023-10-31T15:01:00Z" }));
        work.write(&format!("in/{above}/{name}"), gz(document([early])));
        assert_eq!(run_over(&work, "in").values("event_id"), ["wanted"], "{above}");
    }
}

#[test]
fn logs_without_a_time_in_their_name_are_read_for_the_days_of_their_folder() {
    let work = Workdir::new();
    let at = |id: &str, time: &str| gz(document([event(id, json!({ "eventTime": time }))]));
    work.write("in/export/2023/11/01/a.json.gz", at("wanted", "2023-11-01T02:00:00Z"));
    work.write("in/export/2023/10/01/a.json.gz", at("other", "2023-10-01T02:00:00Z"));
    let day = run_over(&work, "in");
    assert_eq!((day.values("event_id"), day.ledger()), (vec!["wanted".to_owned()], [1, 1, 0, 0, 0]));
    let backfill = ["backfill", "--from", "2023-09-30", "--to", "2023-11-02", "--dataset", "cloudtrail"];
    work.logmill(backfill).args(["--input", "in", "--output", "many"]).exits(0);
    let manifest = |lake: &str| -> Value {
        let path = manifest_path(&work.path(lake), "cloudtrail", "20231101");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    for name in ["ledger", "listed"] {
        assert_eq!(manifest("many")[name], manifest("lake")[name], "{name}");
    }
}

#[test]
fn address_forms_of_other_tools_are_refused() {
    let work = Workdir::new();
    work.write(&format!("in/{NAME}"), gz(document([event("wanted", json!({}))])));
    for (foreign, meant) in [
        ("s3a://lake/x", "pass s3://lake/x"),
        ("s3:/lake/x", "pass s3://lake/x"),
        ("arn:aws:s3:::lake", "pass s3://lake"),
        ("https://lake.s3.amazonaws.com/x", "pass s3://lake/x"),
        ("gs://lake/x", "pass s3://bucket/prefix or the path of a folder"),
    ] {
        for (input, output) in [("in", foreign), (foreign, "lake")] {
            let run = ["run", "--day", DAY, "--dataset", "cloudtrail", "--input", input, "--output", output];
            work.logmill(run).exits(2).says(&["neither a folder nor an S3 address", foreign, meant]);
        }
    }
    let mut created: Vec<_> =
        fs::read_dir(work.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    created.sort();
    // Only a valid output gets a lake, which holds the record of the failure.
    assert_eq!(created, ["in", "lake", "raw"]);
    assert!(work.published().is_empty());
}

//! The events that belong to a day, and the objects that are read for it.

use serde_json::{Value, json};

use crate::harness::{
    AccessLine, DAY, Table, Workdir, document, event, gz, key_of_access, key_of_cloudtrail,
};

#[test]
fn an_event_belongs_to_the_kst_day_of_its_time() {
    let work = Workdir::new();
    let at = |id: &str, time: &str| event(id, json!({"eventTime": time}));
    work.cloudtrail(
        "a",
        gz(document([
            at("last of the day before", "2023-10-31T14:59:59.999Z"),
            at("first", "2023-10-31T15:00:00Z"),
            at("last", "2023-11-01T14:59:59.999Z"),
            at("first of the day after", "2023-11-01T15:00:00Z"),
            at("with an offset", "2023-11-01T00:00:00+09:00"),
            at("with an offset, the day before", "2023-10-31T23:59:59.999+09:00"),
        ])),
    );
    let day = work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    assert_eq!(day.values("event_id"), ["first", "last", "with an offset"]);
    assert_eq!(day.ledger(), [6, 3, 3, 0, 0]);
    let last = day.row("event_id", "last");
    assert_eq!(last["event_time"], "2023-11-01T14:59:59.999");
    assert_eq!(last["event_time_kst"], "2023-11-01T23:59:59.999");
}

#[test]
fn a_request_belongs_to_the_kst_day_of_its_time() {
    let work = Workdir::new();
    let lines = [
        ("BEFORE", "31/Oct/2023:14:59:59 +0000"),
        ("FIRST", "31/Oct/2023:15:00:00 +0000"),
        ("LAST", "01/Nov/2023:14:59:59 +0000"),
        ("AFTER", "01/Nov/2023:15:00:00 +0000"),
        ("OFFSET", "01/Nov/2023:00:00:00 +0900"),
    ]
    .map(|(request_id, time)| AccessLine { time, ..AccessLine::of(request_id) }.to_string());
    work.access("A", lines.join("\n") + "\n");
    let day = work.run(Table::ACCESS).publishes(Table::ACCESS);
    assert_eq!(day.values("request_id"), ["FIRST", "LAST", "OFFSET"]);
    assert_eq!(day.ledger(), [5, 3, 2, 0, 0]);
}

#[test]
fn the_time_zone_of_the_host_does_not_matter() {
    let work = Workdir::new();
    work.cloudtrail("a", gz(document([event("first", json!({"eventTime": "2023-10-31T15:00:00Z"}))])));
    let mut parts = Vec::new();
    for zone in ["UTC", "Asia/Seoul", "America/Los_Angeles", "XXX-14"] {
        let day = work
            .run(Table::CLOUDTRAIL)
            .env("TZ", zone)
            .env("LC_ALL", "ko_KR.UTF-8")
            .publishes(Table::CLOUDTRAIL);
        assert_eq!(day.values("event_id"), ["first"]);
        parts.push(day.parts());
    }
    parts.dedup();
    assert_eq!(parts.len(), 1);
}

/// Delivers one event of 12:00 KST at each time, and returns the delivery times at which it was read.
fn read_when_delivered(table: Table, deliveries: &[&str], options: &[&str]) -> Vec<String> {
    let work = Workdir::new();
    for at in deliveries {
        let id = at.replace('-', "");
        match table.name {
            "cloudtrail" => work.write(&key_of_cloudtrail("a", at), document([event(&id, json!({}))])),
            _ => work.write(&key_of_access("A", at), format!("{}\n", AccessLine::of(&id))),
        };
    }
    let day = work.run(table).args(options).publishes(table);
    // Each object is alone in the folder of its date. Folders of other dates are skipped without listing them.
    let left = day.summary["left"].as_array().unwrap().iter();
    let left: u64 = left
        .map(|group| [&group["objects"], &group["folders"]].map(|count| count.as_u64().unwrap()))
        .map(|counts| counts[0] + counts[1])
        .sum();
    assert_eq!(left + day.ledger()[0], deliveries.len() as u64);
    day.values(if table.name == "cloudtrail" { "event_id" } else { "request_id" })
}

#[test]
fn objects_are_read_from_the_start_of_the_day_to_the_end_of_the_lateness() {
    let cloudtrail =
        ["20231031T1459Z", "20231031T1500Z", "20231101T2059Z", "20231101T2100Z", "20231102T0259Z"];
    for (options, expected) in [
        (&[][..], &cloudtrail[1..3]),
        (&["--lateness", "12h"][..], &cloudtrail[1..5]),
        (&["--lateness", "0s"][..], &cloudtrail[1..2]),
    ] {
        assert_eq!(read_when_delivered(Table::CLOUDTRAIL, &cloudtrail, options), expected, "{options:?}");
    }
    let access = ["2023-10-31-14-59-59", "2023-10-31-15-00-00", "2023-11-02-14-59-59", "2023-11-02-15-00-00"];
    for (options, expected) in [
        (&[][..], vec!["20231031150000", "20231102145959"]),
        (&["--lateness", "90m"][..], vec!["20231031150000"]),
        (&["--lateness", "25h"][..], vec!["20231031150000", "20231102145959", "20231102150000"]),
    ] {
        assert_eq!(read_when_delivered(Table::ACCESS, &access, options), expected, "{options:?}");
    }
}

/// A key with the date of its events and no time of day can hold any event of that UTC day.
#[test]
fn objects_named_after_their_event_date_are_read_for_both_kst_days() {
    let work = Workdir::new();
    for (date, hour) in [
        ("30/Oct", "20"),
        ("31/Oct", "14"),
        ("31/Oct", "15"),
        ("01/Nov", "14"),
        ("01/Nov", "15"),
        ("02/Nov", "01"),
    ] {
        let (day, month) = (&date[..2], if date.ends_with("Oct") { "10" } else { "11" });
        let (time, id) = (format!("{date}/2023:{hour}:30:00 +0000"), format!("{month}{day}{hour}"));
        let line = AccessLine { time: &time, ..AccessLine::of(&id) };
        let folder = format!("raw/logs/123456789012/ap-northeast-2/results/2023/{month}/{day}");
        work.write(&format!("{folder}/2023-{month}-{day}-00-00-00-{hour}AB"), format!("{line}\n"));
    }
    let day = work.run(Table::ACCESS).publishes(Table::ACCESS);
    assert_eq!(day.values("request_id"), ["103115", "110114"]);
    // The object of 2 November may have been delivered at midnight, so it is read to be sure.
    assert_eq!(day.ledger(), [5, 2, 3, 0, 0]);
}

#[test]
fn a_day_is_provisional_until_no_more_logs_are_expected() {
    for (day, lateness, provisional) in
        [("today", "0s", true), ("yesterday", "48h", true), ("yesterday", "0s", false), (DAY, "366d", false)]
    {
        let work = Workdir::new();
        for table in [Table::CLOUDTRAIL, Table::ACCESS] {
            let run = work.logmill(["run", "--day", day, "--input", "raw", "--output", "lake"]).of(table);
            let finished = run.args(["--lateness", lateness]).finishes(0);
            let published = finished.day(table);
            assert_eq!(published.summary["provisional"], provisional, "{day} with {lateness}");
            assert_eq!(published.manifest["provisional"], provisional, "{day} with {lateness}");
        }
    }
}

#[test]
fn both_log_types_in_one_folder_are_separated() {
    let work = Workdir::new();
    work.cloudtrail("a", gz(document([event("by key", json!({}))])));
    work.access("A", format!("{}\n", AccessLine::of("BYKEY")));
    work.write("raw/odd/events.json", document([event("by content", json!({}))]));
    work.write("raw/odd/access.log", format!("{}\n", AccessLine::of("BYCONTENT")));
    work.write("raw/odd/readme.txt", "neither of the two");
    work.write(
        "raw/AWSLogs/123456789012/CloudTrail-Digest/ap-northeast-2/2023/11/01/digest.json.gz",
        "digest",
    );
    work.write("raw/.hidden/events.json", "hidden");
    let finished = work.logmill(["run", "--day", DAY, "--input", "raw", "--output", "lake"]).finishes(0);
    assert_eq!(finished.day(Table::CLOUDTRAIL).values("event_id"), ["by content", "by key"]);
    assert_eq!(finished.day(Table::ACCESS).values("request_id"), ["BYCONTENT", "BYKEY"]);
}

/// The input may be a folder that also contains the lake.
#[test]
fn a_lake_inside_the_input_is_not_read() {
    for dataset in ["cloudtrail", "all"] {
        let work = Workdir::new();
        work.write("raw/events.json", document([event("id", json!({})).to_string(), "\"bad\"".to_owned()]));
        for round in 0..3 {
            let run = work.logmill([
                "run",
                "--day",
                DAY,
                "--input",
                "raw",
                "--output",
                "raw/lake",
                "--dataset",
                dataset,
            ]);
            let day = run.args(["--max-reject-ratio", "0.5"]).publishes(Table::CLOUDTRAIL);
            assert_eq!(day.ledger(), [2, 1, 0, 0, 1], "round {round} with {dataset}");
        }
    }
}

/// The committed `expected.json` holds the counts of the sample day.
#[test]
fn the_sample_day_has_the_expected_counts() {
    let work = Workdir::new();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data");
    let expected: Value =
        serde_json::from_slice(&std::fs::read(format!("{sample}/expected.json")).unwrap()).unwrap();
    let inputs = [
        "--input".to_owned(),
        format!("{sample}/cloudtrail"),
        "--input".to_owned(),
        format!("{sample}/s3-access"),
    ];
    let run = work.logmill(["run", "--day", DAY, "--output", "lake"]).args(inputs);
    let finished = run.allow_rejects().finishes(0);
    for table in [Table::CLOUDTRAIL, Table::ACCESS] {
        for (name, count) in expected[table.name].as_object().unwrap() {
            assert_eq!(finished.day(table).summary[name], *count, "{name} of {}", table.name);
        }
    }
}

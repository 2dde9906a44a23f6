//! Conditions for publishing a day, and removal of duplicates.

use serde_json::{Value, json};

use crate::harness::{
    AccessLine, DAY, Table, Workdir, document, event, gz, key_of_cloudtrail, quarantine_lines, text, without,
};

fn events(ids: impl IntoIterator<Item = String>) -> Vec<Value> {
    ids.into_iter().map(|id| event(&id, json!({}))).collect()
}

#[test]
fn the_first_event_with_an_id_in_address_order_is_kept() {
    let work = Workdir::new();
    let copy = |region: &str, time: &str| event("same", json!({"awsRegion": region, "eventTime": time}));
    work.cloudtrail("b", gz(document([copy("second object", "2023-11-01T01:00:00Z")])));
    work.cloudtrail("c", gz(document([copy("third object", "2023-11-01T05:00:00Z")])));
    work.cloudtrail(
        "a",
        gz(document([
            event("other", json!({})),
            copy("first object", "2023-11-01T04:00:00Z"),
            copy("again", "2023-11-01T00:00:00Z"),
        ])),
    );
    for threads in ["1", "3"] {
        let day = work.run(Table::CLOUDTRAIL).args(["--threads", threads]).publishes(Table::CLOUDTRAIL);
        assert_eq!(day.row("event_id", "same")["aws_region"], "first object");
        assert_eq!(day.ledger(), [5, 2, 0, 3, 0]);
        let counts: Vec<_> = day.inputs().iter().map(|object| object["duplicate"].as_u64()).collect();
        assert_eq!(
            counts,
            [Some(1), Some(1), Some(1)],
            "the ledger of each object should count its own duplicates"
        );
    }
}

/// A copy with a time outside the day belongs to another day, so the copy inside the day is kept.
#[test]
fn a_copy_in_another_day_is_not_a_duplicate() {
    let work = Workdir::new();
    let at = |time: &str| event("same", json!({"eventTime": time}));
    work.cloudtrail("a", document([at("2023-10-31T14:00:00Z"), at("2023-11-01T03:00:00Z")]));
    let day = work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    assert_eq!(day.ledger(), [2, 1, 1, 0, 0]);
}

#[test]
fn events_without_an_id_are_duplicates_only_if_their_text_is_identical() {
    let work = Workdir::new();
    let nameless = |name: &str| without(event("x", json!({"eventName": name})), "eventID").to_string();
    let null_id = event("x", json!({"eventID": null})).to_string();
    let empty_id = event("", json!({})).to_string();
    let records = [
        nameless("A"),
        nameless("B"),
        nameless("A"),
        null_id.clone(),
        null_id,
        empty_id,
        nameless("A").replace("\":", "\": "),
    ];
    work.cloudtrail("a", document(&records));
    work.cloudtrail("b", document(&records[..1]));
    let day = work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    assert_eq!(day.ledger(), [8, 5, 0, 3, 0]);
}

#[test]
fn access_lines_are_duplicates_only_if_they_are_identical() {
    let work = Workdir::new();
    let line = |operation: &str| AccessLine { operation, ..AccessLine::of("SHARED") }.to_string();
    let (post, batch) = (line("REST.POST.MULTI_OBJECT_DELETE"), line("BATCH.DELETE.OBJECT"));
    work.access("A", format!("{post}\n{batch}\n{post}\n"));
    work.access("B", format!("{batch}\r\n{batch} new\n"));
    let day = work.run(Table::ACCESS).publishes(Table::ACCESS);
    assert_eq!(day.ledger(), [5, 3, 0, 2, 0]);
    assert_eq!(day.values("request_id"), ["SHARED"; 3]);
}

#[test]
fn a_day_with_too_many_rejects_is_not_published() {
    let work = Workdir::new();
    let good = |count: u32| events((0..count).map(|number| number.to_string()));
    work.cloudtrail("a", document(good(10)));
    work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    let before = work.published();
    // One of fifty is two percent.
    let records = good(49).into_iter().map(|record| record.to_string()).chain(["\"bad\"".to_owned()]);
    work.cloudtrail("a", document(records));
    for options in [&[][..], &["--max-reject-ratio", "1.9%"], &["--max-reject-ratio", "0"]] {
        let outcome =
            work.run(Table::CLOUDTRAIL).args(options).args(["--summary-json", "summary.json"]).exits(3);
        outcome.says(&["not published", "2.00 %", "quarantine", "hint:"]);
        assert_eq!(work.published(), before);
        work.assert_no_debris("lake");
        let summary: Value =
            serde_json::from_slice(&std::fs::read(work.path("summary.json")).unwrap()).unwrap();
        assert_eq!((&summary["exit_code"], &summary["tables"]), (&json!(3), &json!([])));
        let quarantine = format!("_quarantine/cloudtrail/proc_ymd=20231101/{}.jsonl", text(&summary["run"]));
        let lines = quarantine_lines(&work.lake().join(quarantine));
        assert_eq!((lines.len(), &lines[0]["reason"]), (1, &json!("not_an_object")));
    }
    let day = work.run(Table::CLOUDTRAIL).args(["--max-reject-ratio", "0.02"]).publishes(Table::CLOUDTRAIL);
    assert_eq!(day.ledger(), [50, 49, 0, 0, 1]);
    let quarantined = work.files("lake/_quarantine");
    assert_eq!(quarantined.len(), 1, "files of earlier runs should be removed: {quarantined:?}");
    assert_eq!(day.quarantine().len(), 1);
    work.cloudtrail("a", document(good(49)));
    let day = work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    assert_eq!((day.quarantine().len(), work.files("lake/_quarantine").len()), (0, 0));
}

/// A lost object counts as one rejected row, so its bytes measure the loss.
#[test]
fn damage_counts_by_the_bytes_of_an_object() {
    let records = document(events((0..300).map(|number| format!("kept {number}"))));
    let lost: Vec<(&str, Vec<u8>)> = vec![
        (
            "truncated while compressed",
            gz(document(events((0..300).map(|number| format!("{number}"))))).split_at(600).0.to_vec(),
        ),
        (
            "truncated as text",
            document(events((0..300).map(|number| format!("{number}")))).split_at(20_000).0.into(),
        ),
        ("not JSON from the start", "<html>".repeat(20_000).into()),
        ("not JSON after a document", (document([event("x", json!({}))]) + &"<html>".repeat(20_000)).into()),
        (
            "an object instead of a list of records",
            format!("{{\"Records\":{{\"a\":\"{}\"}}}}", "x".repeat(100_000)).into(),
        ),
    ];
    for (kind, content) in lost {
        let work = Workdir::new();
        work.cloudtrail("a", gz(&records));
        work.cloudtrail("b", &content);
        let outcome = work.run(Table::CLOUDTRAIL).wait();
        assert_eq!(outcome.code, Some(3), "most bytes of the day are in an object that is {kind}\n{outcome}");
        assert!(work.published().is_empty());
    }
}

#[test]
fn a_day_without_events_is_published_as_empty() {
    let work = Workdir::new();
    for (options, code) in [(&[][..], 0), (&["--fail-on-empty"][..], 99)] {
        let day = work.run(Table::CLOUDTRAIL).args(options).finishes(code).day(Table::CLOUDTRAIL);
        assert_eq!((day.ledger(), day.parts().len(), day.inputs().len()), ([0; 5], 0, 0));
        assert_eq!(day.manifest["parts"], json!([]));
    }
    work.write(
        &key_of_cloudtrail("a", "20231101T0310Z"),
        document([event("x", json!({"eventTime": "2023-10-31T10:00:00Z"}))]),
    );
    let outcome = work.run(Table::CLOUDTRAIL).args(["--fail-on-empty"]).exits(99);
    outcome.says(&["no rows", "2023-11-01", "hint:"]);
    work.cloudtrail("a", document([event("x", json!({}))]));
    work.run(Table::CLOUDTRAIL).args(["--fail-on-empty"]).publishes(Table::CLOUDTRAIL);
}

#[test]
fn a_day_without_logs_is_emptied_with_allow_empty() {
    let work = Workdir::new();
    let object = work.cloudtrail("a", document([event("x", json!({}))]));
    let before = work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    assert_eq!(before.parts().len(), 1);
    std::fs::remove_file(object).unwrap();
    work.run(Table::CLOUDTRAIL).exits(4).says(&["--allow-empty"]);
    let after = work.run(Table::CLOUDTRAIL).args(["--allow-empty"]).publishes(Table::CLOUDTRAIL);
    assert_eq!(after.ledger(), [0; 5]);
    let left: Vec<_> = work.published().into_keys().collect();
    assert_eq!(left.len(), 2, "a manifest and a list of inputs: {left:?}");
}

#[test]
fn a_rebuilt_day_keeps_nothing_of_the_old_one() {
    let work = Workdir::new();
    for round in 0..3 {
        work.cloudtrail("a", document([event(&format!("round {round}"), json!({}))]));
        let day = work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
        assert_eq!(day.values("event_id"), [format!("round {round}")]);
        let runs: Vec<_> = std::fs::read_dir(work.partition(Table::CLOUDTRAIL)).unwrap().collect();
        assert_eq!(runs.len(), 1, "nothing but the folder of the run");
        for folder in ["_manifests", "_inputs"] {
            assert_eq!(work.files(&format!("lake/{folder}")).len(), 1, "{folder}");
        }
    }
}

#[test]
fn a_failing_table_does_not_stop_the_other() {
    let work = Workdir::new();
    work.cloudtrail("a", "no JSON");
    work.access("A", format!("{}\n", AccessLine::of("ID")));
    let both = || work.logmill(["run", "--day", DAY, "--input", "raw", "--output", "lake"]);
    let finished = both().finishes(5);
    assert_eq!(finished.day(Table::ACCESS).values("request_id"), ["ID"]);
    assert_eq!(finished.summary["failed"][0]["table"], "cloudtrail");
    assert!(!work.partition(Table::CLOUDTRAIL).exists());
    // Different failures have the same exit code.
    let other = Workdir::new();
    other.cloudtrail("a", "no JSON");
    other.access("A", format!("{}\n", AccessLine::of("ID")));
    other.write("lake/s3_access/proc_ymd=20231101/part-0.parquet", "not ours");
    let both = other.logmill(["run", "--day", DAY, "--input", "raw", "--output", "lake"]);
    both.exits(5).says(&["not published", "did not write"]);
}

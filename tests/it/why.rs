//! `logmill why` finds an event, or explains why it is not in the lake.

use serde_json::{Value, json};

use crate::harness::{
    AccessLine, Call, DAY, Outcome, Table, Workdir, document, event, gz, key_of_cloudtrail, text,
};

const TABLE: Table = Table::CLOUDTRAIL;

fn why<'w>(work: &'w Workdir, day: &str, kind: &str, id: &str) -> Call<'w> {
    work.logmill(["why", "--day", day, kind, id, "--output", "lake"])
}

fn of_event<'w>(work: &'w Workdir, id: &str) -> Call<'w> {
    why(work, DAY, "--event-id", id)
}

/// The only table in the JSON that a call prints.
fn table(call: Call<'_>, code: i32) -> Value {
    let document: Value = serde_json::from_str(&call.args(["--format", "json"]).exits(code).stdout).unwrap();
    assert_eq!(document["in_lake"], json!(code == 0));
    let [table] = <[Value; 1]>::try_from(document["tables"].as_array().unwrap().clone()).unwrap();
    table
}

/// The fate of each trace, the end of its object's address, and its record number.
fn traces(table: &Value) -> Vec<(String, String, u64)> {
    let trace = |trace: &Value| {
        let object = text(&trace["source_object"]).rsplit(['/', '_']).next().unwrap().to_owned();
        (text(&trace["fate"]).to_owned(), object, trace["source_record"].as_u64().unwrap_or_default())
    };
    table["found"].as_array().unwrap().iter().map(trace).collect()
}

fn one(fate: &str, object: &str, record: u64) -> (String, String, u64) {
    (fate.to_owned(), object.to_owned(), record)
}

/// Searches the raw logs too. Without this option, only the lake is searched.
const RAW: [&str; 2] = ["--input", "raw"];

#[test]
fn a_published_event_is_found_without_raw_logs_under_any_naming() {
    for naming in ["snake", "compact"] {
        let work = Workdir::new();
        work.cloudtrail(
            "a",
            document([event("other", json!({})), event("wanted", json!({"requestID": "R"}))]),
        );
        let day = work.run(TABLE).args(["--naming", naming]).publishes(TABLE);
        for (kind, id) in [("--event-id", "wanted"), ("--request-id", "R")] {
            let found = table(why(&work, DAY, kind, id), 0);
            assert_eq!((&found["fate"], &found["hint"]), (&json!("in_lake"), &Value::Null));
            assert_eq!(traces(&found), [one("in_lake", "a.json.gz", 2)]);
            let row = &found["found"][0];
            let file = format!("cloudtrail/proc_ymd=20231101/{}", text(&day.manifest["parts"][0]["path"]));
            assert_eq!((&row["file"], &row["row_group"], &row["row"]), (&json!(file), &json!(0), &json!(1)));
            assert_eq!(row["event_time"], "2023-11-01T03:00:00Z");
            assert_eq!(row["event_time_kst"], "2023-11-01T12:00:00");
            assert_eq!(
                (&row["event_source"], &row["event_name"]),
                (&json!("s3.amazonaws.com"), &json!("GetObject"))
            );
        }
        of_event(&work, "wanted").exits(0).prints(&["is in the lake", "row 1 of the group", "12:00:00 KST"]);
    }
}

#[test]
fn a_request_is_found_in_every_table_with_request_ids() {
    let work = Workdir::new();
    let line = |uri| AccessLine { uri, ..AccessLine::of("REQUEST") }.to_string();
    work.access("A", format!("{}\n{}\n", line("GET /a HTTP/1.1"), line("GET /b HTTP/1.1")));
    work.cloudtrail("a", document([event("x", json!({}))]));
    work.logmill(["run", "--day", DAY, "--input", "raw", "--output", "lake"]).finishes(0);
    let outcome = why(&work, DAY, "--request-id", "REQUEST").args(["--format", "json"]).exits(0);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let found: Vec<_> = document["tables"].as_array().unwrap().iter().map(traces).collect();
    let in_access =
        vec![one("in_lake", "2023-11-01-03-10-00-A", 1), one("in_lake", "2023-11-01-03-10-00-A", 2)];
    assert_eq!(found, [vec![one("in_lake", "a.json.gz", 1)], in_access.clone()]);
    let only = table(why(&work, DAY, "--request-id", "REQUEST").args(["--table", "s3_access"]), 0);
    assert_eq!(traces(&only), in_access);
    assert_eq!(table(of_event(&work, "x"), 0)["table"], "cloudtrail", "access logs have no event ids");
}

#[test]
fn both_places_of_a_duplicate_are_shown() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("x", json!({}))]));
    work.cloudtrail("b", gz(document([event("y", json!({})), event("x", json!({}))])));
    work.run(TABLE).publishes(TABLE);
    let found = table(of_event(&work, "x").args(RAW).args(["--deep"]).of(TABLE), 0);
    assert_eq!(traces(&found), [one("in_lake", "a.json.gz", 1), one("duplicate", "b.json.gz", 2)]);
    let repeats = &found["found"][1]["repeats"];
    assert_eq!(
        (&repeats["source_object"], &repeats["source_record"]),
        (&found["found"][0]["source_object"], &json!(1))
    );
    let shallow = table(of_event(&work, "x").args(RAW).of(TABLE), 0);
    assert_eq!(
        (&shallow["raw"], traces(&shallow).len()),
        (&Value::Null, 1),
        "the lake should answer without reading raw logs"
    );
}

#[test]
fn a_rejected_event_is_found_in_the_quarantine_even_of_a_failed_day() {
    let work = Workdir::new();
    let bad = event("bad", json!({"eventTime": "noon"}));
    work.cloudtrail("a", document([event("x", json!({})), bad]));
    work.run(TABLE).exits(3);
    let call = || of_event(&work, "bad");
    let failed = table(call(), 99);
    assert_eq!((&failed["fate"], &failed["run"]), (&json!("quarantined"), &Value::Null));
    assert!(text(&failed["error"]).contains("too many rejected rows"), "{failed}");
    work.run(TABLE).allow_rejects().publishes(TABLE);
    let published = table(call(), 99);
    assert_eq!(traces(&published), [one("quarantined", "a.json.gz", 2)]);
    assert_eq!(
        (&published["found"][0]["reason"], &published["error"]),
        (&json!("bad_event_time"), &Value::Null)
    );
    // Without the quarantine file, the raw logs give the same answer.
    std::fs::remove_dir_all(work.path("lake/_quarantine")).unwrap();
    assert_eq!(table(call().args(RAW).of(TABLE), 99)["found"], published["found"]);
}

#[test]
fn an_event_of_an_adjacent_day_is_found_there() {
    let work = Workdir::new();
    let before = event("before", json!({"eventTime": "2023-10-31T14:59:59Z"}));
    let after = event("after", json!({"eventTime": "2023-11-01T15:00:00Z"}));
    work.write(&key_of_cloudtrail("a", "20231031T1505Z"), document([before]));
    work.write(&key_of_cloudtrail("b", "20231101T1505Z"), document([after]));
    work.run(TABLE).publishes(TABLE);
    for (id, day) in [("before", "2023-10-31"), ("after", "2023-11-02")] {
        let from_raw = table(of_event(&work, id).args(RAW).of(TABLE), 99);
        assert_eq!((&from_raw["fate"], &from_raw["found"][0]["day"]), (&json!("other_day"), &json!(day)));
        assert!(text(&from_raw["hint"]).contains(&format!("--day {day}")), "{from_raw}");
        assert_eq!(table(of_event(&work, id), 99)["fate"], "unknown");
        let adjacent = ["run", "--day", day, "--input", "raw", "--output", "lake"];
        work.logmill(adjacent).of(TABLE).publishes(TABLE);
        let from_lake = table(of_event(&work, id), 99);
        assert_eq!((&from_lake["fate"], &from_lake["found"][0]["day"]), (&json!("other_day"), &json!(day)));
        let file = text(&from_lake["found"][0]["file"]);
        assert!(file.contains(&day.replace('-', "")) && work.lake().join(file).exists(), "{file}");
    }
}

#[test]
fn an_event_of_a_late_or_changed_object_is_found_in_the_raw_logs() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("x", json!({}))]));
    work.run(TABLE).publishes(TABLE);
    work.cloudtrail("b", document([event("late", json!({}))]));
    work.cloudtrail("a", document([event("x", json!({})), event("changed", json!({}))]));
    for (id, fate, object, record) in
        [("late", "late", "b.json.gz", 1), ("changed", "changed", "a.json.gz", 2)]
    {
        let found = table(of_event(&work, id).args(RAW).of(TABLE), 99);
        assert_eq!(traces(&found), [one(fate, object, record)]);
        assert!(text(&found["hint"]).contains("logmill run --day 2023-11-01"), "{found}");
    }
    work.run(TABLE).publishes(TABLE);
    assert_eq!(table(of_event(&work, "late"), 0)["fate"], "in_lake");
}

#[test]
fn a_day_that_was_never_published_is_still_searched() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("x", json!({}))]));
    std::fs::create_dir(work.lake()).unwrap();
    let outcome: Outcome = of_event(&work, "x").args(RAW).exits(99);
    outcome.prints(&["the day was never published", "published     never", "a.json.gz", "logmill run --day"]);
    assert_eq!(
        traces(&table(of_event(&work, "x").args(RAW).of(TABLE), 99)),
        [one("not_published", "a.json.gz", 1)]
    );
}

#[test]
fn an_absent_event_shows_what_was_searched() {
    let work = Workdir::new();
    let mention = event("x", json!({"requestParameters": {"of": "MENTIONED"}}));
    let packed = gz(document([mention.clone()]));
    work.cloudtrail("a", &packed);
    work.cloudtrail("b", &packed[..packed.len() - 9]);
    work.run(TABLE).allow_rejects().publishes(TABLE);
    for id in ["nowhere", "no/where"] {
        let absent = table(of_event(&work, id).args(RAW).of(TABLE), 99);
        assert_eq!((&absent["fate"], &absent["found"]), (&json!("absent"), &json!([])));
        let raw = &absent["raw"];
        assert_eq!(raw["objects"], 2);
        assert_eq!(raw["delivered_from"], "2023-10-31T15:00:00Z");
        assert_eq!(raw["delivered_until"], "2023-11-01T21:00:00Z");
        assert!(text(&raw["damaged"][0]).ends_with("_b.json.gz"), "{raw}");
        assert!(text(&absent["hint"]).contains("--lateness"), "{absent}");
    }
    let mentioned = table(of_event(&work, "MENTIONED").args(RAW).of(TABLE), 99);
    assert_eq!(traces(&mentioned)[0], one("mentioned", "a.json.gz", 0));
}

#[test]
fn an_id_with_escaped_characters_is_found() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("ID", json!({}))]).replace("\"ID\"", "\"a\\/b\\u003d\""));
    let found = table(of_event(&work, "a/b=").args(RAW).of(TABLE), 99);
    assert_eq!(traces(&found), [one("not_published", "a.json.gz", 1)]);
}

#[test]
fn exactly_one_id_is_required_and_an_unreadable_lake_is_an_error() {
    let work = Workdir::new();
    let ask =
        |ids: &[&str]| work.logmill(["why", "--day", DAY, "--output", "lake"]).args(ids.iter().copied());
    ask(&[]).exits(2).says(&["--event-id"]);
    ask(&["--event-id", ""]).exits(2).says(&["a value is required"]);
    ask(&["--event-id", "x", "--request-id", "y"]).exits(2).says(&["cannot be used with"]);
    ask(&["--event-id", "x"]).exits(4).says(&["no lake found", "--lake"]);
    std::fs::create_dir(work.lake()).unwrap();
    ask(&["--event-id", "x"]).exits(4).says(&["no table with such ids has the day", "--input"]);
    ask(&["--event-id", "x", "--table", "nothing"]).exits(2).says(&["--dataset"]);
    work.cloudtrail("a", document([event("x", json!({}))]));
    let day = work.run(TABLE).publishes(TABLE);
    std::fs::remove_file(work.partition(TABLE).join(text(&day.manifest["parts"][0]["path"]))).unwrap();
    ask(&["--event-id", "x"]).exits(4).says(&["a part file is missing", "logmill verify"]);
}

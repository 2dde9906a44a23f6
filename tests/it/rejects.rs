//! Large numbers of rejected rows: which are kept, which are only counted, and their cost in memory and disk.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::harness::{
    DAY, LOGMILL, Table, Workdir, document, event, gz, manifest_path, quarantine_lines, text,
};

const TABLE: Table = Table::CLOUDTRAIL;
const RAW: [&str; 4] = ["--input", "raw", "--dataset", "cloudtrail"];
const PLANNED: [&str; 4] = ["--plan", "plan.json", "--staging", "staging"];

/// A compressed document of empty records, written in chunks.
fn empty_records(count: usize) -> Vec<u8> {
    const CHUNK: usize = 1000;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(b"{\"Records\":[{}").unwrap();
    for _ in 0..count / CHUNK - 1 {
        packed.write_all(",{}".repeat(CHUNK).as_bytes()).unwrap();
    }
    packed.write_all((",{}".repeat(CHUNK - 1) + "]}").as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// Twelve objects. Each has one event, invalid records, records without a time, and documents without records.
fn bad_days() -> Workdir {
    let work = Workdir::new();
    for object in 0..12 {
        let good = event(&format!("good {object}"), json!({})).to_string();
        let bad = (0..100).map(|number| match number % 3 {
            0 => format!("\"no record {number} {}\"", "x".repeat(number * 2)),
            _ => json!({ "eventID": format!("timeless {number}") }).to_string(),
        });
        let records = document(bad.chain([good]));
        work.cloudtrail(&format!("{object:02}"), gz(records + &"{}".repeat(object)));
    }
    work
}

/// The rejected rows of a published day: the kept lines, and the counts of the other rows by object.
#[derive(Debug, PartialEq)]
struct Rejects {
    lines: Vec<u8>,
    counted_only: Value,
    by_object: BTreeMap<String, Value>,
}

fn rejects(work: &Workdir, lake: &str) -> Rejects {
    let manifest = fs::read(manifest_path(&work.path(lake), "cloudtrail", "20231101")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let (mut lines, mut kept) = (Vec::new(), 0);
    if let Some(path) = manifest["quarantine"]["path"].as_str() {
        lines = fs::read(work.path(lake).join(path)).unwrap();
        kept = quarantine_lines(&work.path(lake).join(path)).len() as u64;
        assert_eq!(manifest["quarantine"]["rows"], kept);
    }
    let counted_only = manifest["counted_only"].clone();
    let groups = counted_only.as_array().cloned().unwrap_or_default();
    let counted: u64 = groups.iter().map(|group| group["rows"].as_u64().unwrap()).sum();
    assert_eq!(manifest["ledger"]["quarantined"], kept + counted, "no row is lost: {counted_only}");
    let file = fs::File::open(work.path(lake).join(text(&manifest["inputs_file"]["path"]))).unwrap();
    let inputs = std::io::read_to_string(flate2::read::GzDecoder::new(file)).unwrap();
    let inputs = inputs.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let by_object = inputs.map(|line| (text(&line["object"]).to_owned(), line["counted_only"].clone()));
    Rejects { lines, counted_only, by_object: by_object.collect() }
}

#[test]
fn rejected_rows_are_kept_up_to_a_limit_then_counted_by_every_command() {
    let work = bad_days();
    let run = |lake: &str, bound: &str, threads: &str| {
        let run = work.logmill(["run", "--day", DAY, "--output", lake, "--threads", threads]).args(RAW);
        let day = run.args(["--max-quarantine", bound]).allow_rejects().publishes(TABLE);
        assert_eq!(day.ledger(), [1278, 12, 0, 0, 1266]);
        rejects(&work, lake)
    };
    let all = run("lake-all", "256MiB", "2");
    assert_eq!(
        (&all.counted_only, all.by_object.values().find(|counts| !counts.is_null())),
        (&Value::Null, None)
    );
    for (bound, bytes) in [("0", 0), ("1kB", 1000), ("100kB", 100_000), ("200kB", 200_000)] {
        let lake = |how: &str| format!("lake-{bound}-{how}");
        let one = run(&lake("1"), bound, "1");
        assert!(all.lines.starts_with(&one.lines) && one.lines.len() <= bytes, "{bound}");
        assert!(
            one.lines.is_empty()
                || all.lines[one.lines.len()..].split(|byte| *byte == b'\n').next().unwrap().len()
                    >= bytes - one.lines.len(),
            "{bound}: the next line should not fit"
        );
        for threads in ["2", "8"] {
            assert_eq!(run(&lake(threads), bound, threads), one, "{bound}, {threads} threads");
        }
        let backfill = ["backfill", "--from", DAY, "--to", DAY, "--output", &lake("backfill")];
        let backfill = work.logmill(backfill).args(RAW).args(["--max-quarantine", bound, "--threads", "3"]);
        backfill.allow_rejects().exits(0).prints(&["1,266 rejected rows, "]);
        assert_eq!(rejects(&work, &lake("backfill")), one, "{bound}, backfill");
        let plan = work.logmill(["plan", "--day", DAY, "--shards", "3", "--plan", "plan.json"]).args(RAW);
        plan.exits(0);
        for shard in ["0", "1", "2"] {
            let convert = work.logmill(["convert", "--shard", shard]).args(PLANNED);
            convert.args(["--max-quarantine", bound]).exits(0);
        }
        let publish = work.logmill(["publish", "--output", &lake("shards")]).args(PLANNED);
        publish.allow_rejects().publishes(TABLE);
        assert_eq!(rejects(&work, &lake("shards")), one, "{bound}, shards");
    }
}

#[test]
fn counted_rejected_rows_are_reported_by_reason_and_object() {
    let work = bad_days();
    let run = work.run(TABLE).args(["--max-quarantine", "100kB", "--log-format", "json", "--threads", "2"]);
    let finished = run.allow_rejects().finishes(0);
    let day = finished.day(TABLE);
    let kept = day.manifest["quarantine"]["rows"].as_u64().unwrap();
    let counted = &day.manifest["counted_only"];
    assert_eq!(&day.summary["counted_only"], counted);
    let rows = |group: &Value| group["rows"].as_u64().unwrap();
    let groups = counted.as_array().unwrap();
    let reasons: Vec<&str> = groups.iter().map(|group| text(&group["reason"])).collect();
    assert_eq!(reasons, ["missing_event_time", "no_records", "not_an_object"]);
    assert_eq!(groups.iter().map(rows).sum::<u64>(), 1266 - kept);
    for group in groups {
        let reason = text(&group["reason"]);
        let inputs: Vec<Value> = day.inputs();
        let own = inputs.iter().filter(|line| !line["counted_only"][reason].is_null());
        let of_objects: Vec<(&str, u64)> =
            own.map(|line| (text(&line["object"]), line["counted_only"][reason].as_u64().unwrap())).collect();
        assert_eq!(of_objects[0].0, text(&group["first"]));
        let sum: u64 = of_objects.iter().map(|(_, rows)| rows).sum();
        assert_eq!((of_objects.len() as u64, sum), (group["objects"].as_u64().unwrap(), rows(group)));
    }
    let again = work.run(TABLE).args(["--max-quarantine", "100kB"]).allow_rejects().exits(0);
    again.says(&["rejected rows are only counted", "reason=missing_event_time rows=", "--max-quarantine"]);
    again.prints(&["cloudtrail: 1,266 rejected rows, the first"]);
    let none = work.run(TABLE).args(["--max-quarantine", "0"]).allow_rejects().exits(0);
    none.prints(&["cloudtrail: 1,266 rejected rows, none kept"]);
    // An event that was only counted is found in the raw logs.
    let why = work.logmill(["why", "--day", DAY, "--output", "lake", "--event-id", "timeless 98"]);
    why.args(RAW).exits(99).prints(&["missing_event_time", "not kept", "1,266 rejected rows"]);
}

/// The rejected rows would take 200 MB as a list and 700 MB as lines.
#[test]
fn millions_of_rejected_rows_stay_within_memory_and_disk_limits() {
    let work = Workdir::new();
    work.cloudtrail("a", empty_records(3_000_000));
    work.cloudtrail("b", document([event("good", json!({}))]));
    // Limits data memory (in KiB) and file size (in units of 512 bytes or 1 KiB). Exceeding either fails the run.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -d 120000; ulimit -f 8192; exec \"$@\"", "sh", LOGMILL]);
    command.args(["run", "--day", DAY, "--output", "lake"]);
    let run = work.call(command).args(RAW).args(["--threads", "1", "--memory", "64MiB"]);
    let day = run.args(["--max-quarantine", "1MiB"]).allow_rejects().publishes(TABLE);
    assert_eq!(day.ledger(), [3_000_001, 1, 0, 0, 3_000_000]);
    let kept = &day.manifest["quarantine"];
    assert!(kept["bytes"].as_u64().unwrap() <= 1 << 20, "{kept}");
    assert!(kept["rows"].as_u64().unwrap() > 1000, "{kept}");
}

#[test]
fn reading_stops_once_a_day_has_too_many_rejected_rows() {
    let work = Workdir::new();
    work.cloudtrail("a", empty_records(300_000));
    work.cloudtrail("b", document([event("good", json!({}))]));
    let run = |options: &[&str]| work.run(TABLE).args(options).exits(3);
    let stopped = run(&["--max-quarantine", "64KiB", "--threads", "1"]);
    stopped.says(&["too many rejected rows", "stopped: after ", "in object 1", "_quarantine"]);
    let run_records = || {
        let folder = work.path("lake/_runs/cloudtrail/proc_ymd=20231101");
        let mut records: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        records.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        records.into_iter().map(|path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap())
    };
    let record = run_records().next_back().unwrap();
    let (read, rejected) = (&record["ledger"]["read"], &record["ledger"]["quarantined"]);
    assert!(read.as_u64().unwrap() < 300_000 && read == rejected, "{record}");
    let bytes = fs::metadata(work.path(text(&record["quarantine"]))).unwrap().len();
    assert!((60_000..=65_536).contains(&bytes), "{bytes}");
    // With room in the quarantine, reading goes to the end, because the rejected rows help to find the cause.
    let whole = run(&["--threads", "1"]);
    assert!(!whole.stderr.contains("stopped"), "{whole}");
    work.assert_no_debris("lake");
}

/// Rows of another day, duplicates and filtered rows do not count as rejected.
#[test]
fn a_day_below_the_reject_limit_is_read_to_its_end() {
    let work = Workdir::new();
    let bad = (0..400).map(|number| format!("\"bad {number}\""));
    work.cloudtrail("a", document(bad));
    let time = |number: usize| ["2023-10-30T00:00:00Z", "2023-11-01T00:00:00Z"][number % 2];
    let other = |number: usize| {
        let id = format!("{}", number / 8 * 4 + number % 4);
        event(&id, json!({"eventTime": time(number), "eventName": (["Get", "Put"][number / 2 % 2])}))
    };
    work.cloudtrail("b", gz(document((0..400).map(other))));
    let options = ["--max-quarantine", "1kB", "--filter", "event_name = 'Put'", "--max-reject-ratio"];
    for threads in ["1", "2"] {
        let day = work.run(TABLE).args(options).args(["50%", "--threads", threads]).publishes(TABLE);
        assert_eq!(day.ledger(), [800, 50, 200, 50, 400]);
    }
    work.run(TABLE).args(options).args(["49.9%"]).exits(3).says(&["50.00 %"]);
}

#[test]
fn the_detail_of_a_rejected_row_is_short() {
    let work = Workdir::new();
    let time = format!("noon{}", "한".repeat(100_000));
    work.cloudtrail("a", document([event("bad", json!({"eventTime": time}))]));
    let day = work.run(TABLE).allow_rejects().publishes(TABLE);
    let row = &day.quarantine()[0];
    let (detail, raw) = (text(&row["detail"]), text(&row["raw"]));
    assert!(detail.starts_with("eventTime is \"noon한") && detail.len() <= 4096, "{}", detail.len());
    assert!(raw.contains(&time));
}

//! `logmill query`: the columns about the file of a row.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::harness::{DAY, Table, Workdir, document, event};

const TABLE: Table = Table::CLOUDTRAIL;

fn rows(work: &Workdir, sql: &str) -> Vec<Map<String, Value>> {
    let outcome = work.logmill(["query", "--output", "lake", "--format", "json", sql]).exits(0);
    outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_row_tells_its_file_and_when_that_was_written() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("a", json!({}))]));
    work.run(TABLE).publishes(TABLE);
    let files = work.files("lake/cloudtrail");
    let part = files.keys().find(|path| path.extension().is_some_and(|kind| kind == "parquet")).unwrap();
    let path = work.path("lake/cloudtrail").join(part);
    let written_at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    File::options().append(true).open(&path).unwrap().set_modified(written_at).unwrap();
    let all = "SELECT \"$path\" AS p, \"$file_size\" AS s, \"$file_modified_time\" AS m, \"$partition\" AS d FROM cloudtrail";
    let day = DAY.replace('-', "");
    assert_eq!(
        json!(rows(&work, all)),
        json!([{
            "p": format!("lake/cloudtrail/{}", part.display()),
            "s": fs::metadata(&path).unwrap().len(),
            "m": "2023-11-14 22:13:20.123 UTC",
            "d": format!("proc_ymd={day}"),
        }])
    );
    for (condition, count) in [
        ("\"$file_modified_time\" > timestamp '2023-11-14 22:13:20 UTC'", 1),
        ("\"$file_modified_time\" > timestamp '2023-11-14 22:13:21 UTC'", 0),
        ("\"$partition\" = 'proc_ymd=20231101' AND \"$file_size\" > 0", 1),
    ] {
        let found = rows(&work, &format!("SELECT count(*) AS n FROM cloudtrail WHERE {condition}"));
        assert_eq!(json!(found), json!([{"n": count}]), "{condition}");
    }
    let star = rows(&work, "SELECT *, \"$partition\" AS d FROM cloudtrail");
    assert!(!star[0].keys().any(|name| name.starts_with('$')), "{star:?}");
}

//! Days as earlier versions of logmill published them: with the manifest and the list of inputs inside the partition.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{DAY, Table, Workdir, document, event, text};

const TABLE: Table = Table::CLOUDTRAIL;
const FOLDER: &str = "cloudtrail/proc_ymd=20231101";

/// A lake with a day of two events, or an empty day.
fn published(is_empty: bool) -> Workdir {
    let work = Workdir::new();
    let at = if is_empty { "2023-10-31T14:00:00Z" } else { "2023-11-01T02:00:00Z" };
    work.cloudtrail("a", document(["a", "b"].map(|id| event(id, json!({ "eventTime": at })))));
    work.run(TABLE).publishes(TABLE);
    to_earlier_layout(&work);
    work
}

fn to_earlier_layout(work: &Workdir) {
    let mut manifest: Value = serde_json::from_slice(&fs::read(work.manifest_path(TABLE)).unwrap()).unwrap();
    let run = text(&manifest["run"]).to_owned();
    let list = fs::read(work.inputs_path(TABLE, &run)).unwrap();
    manifest["inputs_file"]["path"] = format!("_inputs/{run}.jsonl.gz").into();
    work.write(&format!("lake/{FOLDER}/_inputs/{run}.jsonl.gz"), list);
    work.write(&format!("lake/{FOLDER}/_manifest.json"), manifest.to_string());
    for folder in ["_manifests", "_inputs"] {
        fs::remove_dir_all(work.path("lake").join(folder)).unwrap();
    }
    if manifest["parts"] == json!([]) {
        fs::remove_dir(work.partition(TABLE).join(run)).unwrap();
    }
}

fn over_the_day<'w>(work: &'w Workdir, command: &'w str) -> crate::harness::Call<'w> {
    let days = ["--from", DAY, "--to", DAY, "--input", "raw", "--output", "lake"];
    work.logmill([command]).args(days).of(TABLE)
}

#[test]
fn a_day_of_an_earlier_version_is_read_as_it_is() {
    for is_empty in [false, true] {
        let work = published(is_empty);
        let before = work.files("lake");
        work.verify().exits(0).prints(&["as listed in the manifest"]);
        let state = if is_empty { "1 empty" } else { "1 published" };
        over_the_day(&work, "status").args(["--check"]).exits(0).prints(&[state]);
        over_the_day(&work, "backfill").exits(0).prints(&["0 table-days published, 1 already up to date"]);
        let why = ["why", "--event-id", "a", "--day", DAY, "--input", "raw", "--output", "lake"];
        work.logmill(why).exits(if is_empty { 99 } else { 0 });
        work.logmill(["clean", "--output", "lake"]).exits(0);
        assert_eq!(work.files("lake"), before, "empty: {is_empty}");
    }
}

#[test]
fn the_next_run_moves_a_day_of_an_earlier_version_over() {
    for is_empty in [false, true] {
        let work = published(is_empty);
        work.cloudtrail("b", document([event("c", json!({}))]));
        let day = work.run(TABLE).publishes(TABLE);
        assert_eq!(day.values("event_id").len(), if is_empty { 1 } else { 3 });
        let mut entries =
            fs::read_dir(work.partition(TABLE)).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(entries.next().unwrap(), text(&day.manifest["run"]));
        assert!(entries.next().is_none(), "nothing but the folder of the run");
        work.verify().exits(0);
    }
}

#[test]
fn a_day_of_an_earlier_version_keeps_its_rows() {
    let work = published(false);
    for object in work.files("raw").into_keys() {
        fs::remove_file(work.path("raw").join(object)).unwrap();
    }
    work.cloudtrail("b", document([event("c", json!({ "eventTime": "2023-10-31T14:00:00Z" }))]));
    work.run(TABLE).exits(4).says(&["--allow-empty"]);
    assert!(work.partition(TABLE).join("_manifest.json").exists());
    for folder in ["_manifests", "_inputs"] {
        assert!(!work.path("lake").join(folder).exists(), "a refused run leaves nothing: {folder}");
    }
}

/// The run folder of an empty day is empty, which a bucket cannot store.
#[test]
fn an_empty_day_without_its_folder_is_published() {
    let work = published(true);
    work.run(TABLE).publishes(TABLE);
    fs::remove_dir_all(work.lake().join("cloudtrail")).unwrap();
    work.verify().exits(0);
    over_the_day(&work, "status").args(["--check"]).exits(0).prints(&["1 empty"]);
    let day = work.run(TABLE).publishes(TABLE);
    assert!(work.partition(TABLE).join(Path::new(text(&day.manifest["run"]))).is_dir());
}

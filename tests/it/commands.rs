//! The commands other than `run`: plan, convert, publish, inspect, schema, verify.

use std::fs;
use std::path::PathBuf;

use logmill::dataset;
use serde_json::{Value, json};

use crate::harness::{AccessLine, Call, DAY, Table, Workdir, document, event, gz, key_of_cloudtrail, text};

/// A plan with three shards, for three objects of the day and one of another day.
fn planned() -> Workdir {
    let work = Workdir::new();
    for name in ["a", "b", "c"] {
        work.cloudtrail(name, document([event(name, json!({}))]));
    }
    work.write(&key_of_cloudtrail("late", "20231102T0310Z"), "late");
    let plan = plan(&work).args(["--shards", "3", "--format", "json"]).exits(0);
    work.write("plan.json", plan.stdout);
    work
}

fn plan(work: &Workdir) -> Call<'_> {
    work.logmill(["plan", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail"])
}

fn convert<'w>(work: &'w Workdir, plan: &str, shard: &str) -> Call<'w> {
    work.logmill(["convert", "--plan", plan, "--shard", shard, "--staging", "staging"])
}

fn publish<'w>(work: &'w Workdir, plan: &str) -> Call<'w> {
    work.logmill(["publish", "--plan", plan, "--staging", "staging", "--output", "lake"])
}

#[test]
fn a_plan_lists_read_and_skipped_objects_with_reasons() {
    let work = planned();
    let json: Value = serde_json::from_slice(&fs::read(work.path("plan.json")).unwrap()).unwrap();
    assert_eq!((&json["version"], &json["day"], &json["shards"]), (&json!(1), &json!(DAY), &json!(3)));
    let table = &json["tables"][0];
    let mut shards: Vec<u64> =
        table["objects"].as_array().unwrap().iter().map(|object| object["shard"].as_u64().unwrap()).collect();
    shards.sort_unstable();
    assert_eq!(shards, [0, 1, 2], "equal objects are spread evenly");
    let left = &table["left"][0];
    assert_eq!(
        (text(&left["why"]), table["left"].as_array().unwrap().len()),
        ("the date of its folder is outside the window", 1)
    );
    assert!(!table["objects"][0]["why"].as_str().unwrap().is_empty());
    let shown = plan(&work).exits(0).stdout.replace("AWSLogs/123456789012/CloudTrail/ap-northeast-2", "..");
    insta::assert_snapshot!(shown.replace("123456789012_CloudTrail_ap-northeast-2_", ".._"), @r"
    cloudtrail: KST day 2023-11-01, 2023-10-31T15:00:00Z to 2023-11-01T15:00:00Z, late objects until 2023-11-01T21:00:00Z

           objects  folders    bytes  why                                           first
    read         3           1.4 KiB  delivered within the day                      raw/../2023/11/01/.._20231101T0310Z_a.json.gz
    leave        0        1      0 B  the date of its folder is outside the window  raw/../2023/11/02/

    listed: 3 objects = 3 to read (1.4 KiB) + 0 left out
    ");
    plan(&work).args(["-v"]).exits(0).prints(&["_a.json.gz", "_b.json.gz", "2023/11/02/"]);
}

#[test]
fn a_shard_that_is_not_in_the_plan_is_refused() {
    let work = planned();
    convert(&work, "plan.json", "3").exits(2).says(&["no such shard", "shard: 3", "shards: 3", "from 0"]);
    convert(&work, "plan.json", "x").exits(2);
    convert(&work, "missing.json", "0").exits(2).says(&["no plan found", "missing.json"]);
}

#[test]
fn a_day_with_a_missing_shard_is_not_published() {
    let work = planned();
    for shard in ["0", "2"] {
        publish(&work, "plan.json").exits(4).says(&["has not been converted", "hint:", "logmill convert"]);
        convert(&work, "plan.json", shard).exits(0);
    }
    publish(&work, "plan.json").exits(4).says(&["shard: 1"]);
    assert!(work.published().is_empty());
    work.assert_no_debris("lake");
    convert(&work, "plan.json", "1").exits(0);
    let day = publish(&work, "plan.json").publishes(Table::CLOUDTRAIL);
    assert_eq!(day.values("event_id"), ["a", "b", "c"]);
}

#[test]
fn a_shard_without_objects_is_converted_too() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({}))]));
    let plan = plan(&work).args(["--shards", "3", "--format", "json"]).exits(0);
    work.write("plan.json", plan.stdout);
    for shard in ["0", "1", "2"] {
        convert(&work, "plan.json", shard).exits(0);
    }
    assert_eq!(publish(&work, "plan.json").publishes(Table::CLOUDTRAIL).values("event_id"), ["id"]);
}

#[test]
fn shards_of_another_plan_are_refused() {
    let work = planned();
    let other = plan(&work).args(["--shards", "3", "--format", "json"]).exits(0);
    work.write("other.json", other.stdout);
    for (plan, shard) in [("plan.json", "0"), ("other.json", "1"), ("plan.json", "2")] {
        convert(&work, plan, shard).exits(0);
    }
    publish(&work, "plan.json").exits(2).says(&["another plan", "shard: 1", "hint:"]);
    assert!(work.published().is_empty());
    convert(&work, "plan.json", "1").exits(0);
    publish(&work, "plan.json").publishes(Table::CLOUDTRAIL);
}

#[test]
fn an_invalid_plan_is_refused() {
    let work = planned();
    let plan = fs::read_to_string(work.path("plan.json")).unwrap();
    for (content, message, code) in [
        (String::new(), "not a plan file", 2),
        ("{}".to_owned(), "not a plan file", 2),
        (plan[..plan.len() / 2].to_owned(), "not a plan file", 2),
        (plan.replace("\"version\":1", "\"version\":99"), "another version", 2),
        (plan.replace(DAY, "2023-11-31"), "not a day", 2),
        (plan.replace("\"table\":\"cloudtrail\"", "\"table\":\"../outside\""), "../outside", 2),
        (plan.replace("\"dataset\":\"cloudtrail\"", "\"dataset\":\"elb\""), "unknown log type 'elb'", 4),
    ] {
        assert_ne!(content, plan, "{message}");
        work.write("broken.json", content);
        convert(&work, "broken.json", "0").exits(code).says(&[message]);
    }
}

#[test]
fn inspect_shows_the_decoded_rows_of_a_file() {
    let work = Workdir::new();
    let records = [
        event("one", json!({})).to_string(),
        "7".to_owned(),
        event("three", json!({"eventTime": "1999-01-01T00:00:00Z"})).to_string(),
    ];
    work.write("events.json", gz(document(records)));
    work.write("access.log", format!("{}\nno line\n", AccessLine::of("ID")));
    for (file, summary, shown) in [
        (
            "events.json",
            "cloudtrail: 3 rows read, 2 decoded, 1 rejected",
            ["event_id: one", "not_an_object", "event_id: three"],
        ),
        (
            "access.log",
            "s3-access: 2 rows read, 1 decoded, 1 rejected",
            ["request_id: ID", "record 2: rejected", "no line"],
        ),
    ] {
        work.logmill(["inspect", file]).exits(0).prints(&[summary, shown[0], shown[1], shown[2]]);
    }
    let lines = work.logmill(["inspect", "events.json", "--format", "json"]).exits(0).stdout;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let records: Vec<_> = lines.iter().map(|line| line["record"].as_u64()).collect();
    assert_eq!(records, [Some(1), Some(2), Some(3)]);
    assert_eq!(
        (&lines[0]["row"]["event_id"], &lines[1]["reject"]["reason"]),
        (&json!("one"), &json!("not_an_object"))
    );
    let limited =
        work.logmill(["inspect", "events.json", "--format", "json", "--limit", "2"]).exits(0).stdout;
    assert_eq!(limited.lines().count(), 2);
    work.write("unclear", "hello");
    work.logmill(["inspect", "unclear"]).exits(2).says(&["log type", "--dataset"]);
    work.logmill(["inspect", "unclear", "--dataset", "s3-access"])
        .exits(0)
        .prints(&["0 decoded, 1 rejected"]);
}

#[test]
fn the_schema_has_one_line_per_column_in_every_format() {
    let work = Workdir::new();
    let schema = |args: &[&str]| work.logmill(["schema"]).args(args).exits(0).stdout;
    for (table, first, compact) in [
        (Table::CLOUDTRAIL, "additional_event_data", "additionaleventdata"),
        (Table::ACCESS, "bucket_owner", "bucketowner"),
    ] {
        let json = schema(&["--dataset", table.dataset, "--format", "json"]);
        let columns: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(columns[0]["column"], first);
        let text = schema(&["--dataset", table.dataset]);
        assert_eq!(text.lines().next(), Some(format!("{} ({} columns)", table.name, columns.len()).as_str()));
        let ddl = schema(&["--dataset", table.dataset, "--format", "ddl"]);
        assert!(
            ddl.starts_with(&format!(
                "CREATE EXTERNAL TABLE IF NOT EXISTS `{}` (\n  `{first}` string",
                table.name
            )),
            "{ddl}"
        );
        assert!(ddl.contains("PARTITIONED BY (`proc_ymd` string"));
        for column in &columns {
            let line = format!(
                "  `{}` {} COMMENT '",
                column["column"].as_str().unwrap(),
                column["type"].as_str().unwrap()
            );
            assert_eq!(ddl.matches(&line).count(), 1, "{line}");
        }
        assert!(
            schema(&["--dataset", table.dataset, "--naming", "compact"]).contains(&format!("\n{compact} "))
        );
    }
    work.logmill(["schema", "--dataset", "elb"])
        .exits(2)
        .says(&["'elb'", &format!("{} or all", dataset::names())]);
}

#[test]
fn files_have_the_columns_of_the_schema_in_order() {
    for naming in ["snake", "compact"] {
        let work = Workdir::new();
        work.cloudtrail("a", document([event("id", json!({}))]));
        let day = work.run(Table::CLOUDTRAIL).args(["--naming", naming]).publishes(Table::CLOUDTRAIL);
        let json = work
            .logmill(["schema", "--dataset", "cloudtrail", "--format", "json", "--naming", naming])
            .exits(0)
            .stdout;
        let columns: Vec<String> = json
            .lines()
            .map(|line| text(&serde_json::from_str::<Value>(line).unwrap()["column"]).to_owned())
            .collect();
        assert_eq!(day.columns(), columns);
    }
}

/// Publishes a day, changes its lake, and checks that `verify` reports the change. `{day}` is the folder of the day, and
/// `{inputs}` that of its lists of inputs.
fn check_verify(change: impl FnOnce(&dyn Fn(&str) -> PathBuf), found: &[&str]) {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({}))]));
    let day = work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    work.verify()
        .exits(0)
        .prints(&["cloudtrail/proc_ymd=20231101: 1 row in 1 file, as listed in the manifest"]);
    let partition = "cloudtrail/proc_ymd=20231101";
    let run = text(&day.manifest["run"]);
    change(&|name| {
        let name = name.replace("{day}", partition).replace("{inputs}", &format!("_inputs/{partition}"));
        let name = name.replace("{manifest}", &format!("_manifests/{partition}.json"));
        work.lake().join(name.replace("{run}", run))
    });
    let outcome = work.verify().exits(4);
    for text in found {
        assert!(
            outcome.stdout.contains(text) || outcome.stderr.contains(text),
            "'{text}' should be in the output of\n{outcome}"
        );
    }
}

#[test]
fn verify_finds_a_changed_byte() {
    let flip = |name: &'static str, from_end: usize| {
        move |path_of: &dyn Fn(&str) -> PathBuf| {
            let path = path_of(name);
            let mut bytes = fs::read(&path).unwrap();
            let place = bytes.len() - from_end;
            bytes[place] ^= 1;
            fs::write(path, bytes).unwrap();
        }
    };
    let part = "{day}/{run}/part-00000.zstd.parquet";
    check_verify(flip(part, 1), &["part-00000.zstd.parquet: checksum differs"]);
    check_verify(flip(part, 3000), &["part-00000.zstd.parquet: checksum differs"]);
    check_verify(flip("{inputs}/{run}.jsonl.gz", 9), &[".jsonl.gz: checksum differs"]);
}

#[test]
fn verify_finds_missing_and_unknown_files() {
    check_verify(
        |path_of| fs::remove_file(path_of("{day}/{run}/part-00000.zstd.parquet")).unwrap(),
        &["part-00000.zstd.parquet: missing"],
    );
    check_verify(
        |path_of| fs::remove_file(path_of("{inputs}/{run}.jsonl.gz")).unwrap(),
        &[".jsonl.gz: missing"],
    );
    check_verify(
        |path_of| fs::write(path_of("{day}/part-9.parquet"), "").unwrap(),
        &["part-9.parquet: not listed in the manifest"],
    );
    check_verify(
        |path_of| fs::write(path_of("{day}/{run}/part-00001.zstd.parquet"), "").unwrap(),
        &["part-00001.zstd.parquet: not listed in the manifest"],
    );
    check_verify(
        |path_of| fs::create_dir(path_of("{day}/other-run")).unwrap(),
        &["other-run: not listed in the manifest"],
    );
    check_verify(|path_of| fs::remove_file(path_of("{manifest}")).unwrap(), &["never published", "hint:"]);
    check_verify(|path_of| fs::remove_dir_all(path_of("{day}")).unwrap(), &["never published"]);
    check_verify(
        |path_of| fs::remove_dir_all(path_of("{day}/{run}")).unwrap(),
        &["part-00000.zstd.parquet: missing"],
    );
    check_verify(
        |path_of| fs::rename(path_of("{day}/{run}"), path_of("{day}/20231102T000000Z-0000000a")).unwrap(),
        &["the manifest does not belong to the files of the day", "hint:"],
    );
}

#[test]
fn verify_finds_a_missing_quarantine_file() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({})).to_string(), "\"bad\"".to_owned()]));
    let day = work.run(Table::CLOUDTRAIL).allow_rejects().publishes(Table::CLOUDTRAIL);
    let path = text(&day.manifest["quarantine"]["path"]);
    fs::remove_file(work.lake().join(path)).unwrap();
    let outcome = work.verify().exits(4);
    outcome.prints(&["_quarantine", "missing"]);
}

#[test]
fn verify_finds_an_edited_manifest() {
    fn rename(manifest: &mut Value, name: &str, value: &str, folder: &str) {
        manifest[name] = json!(value);
        let list = format!("_inputs/{folder}/{}.jsonl.gz", text(&manifest["run"]));
        manifest["inputs_file"]["path"] = json!(list);
    }
    let edit = |change: fn(&mut Value)| {
        move |path_of: &dyn Fn(&str) -> PathBuf| {
            let path = path_of("{manifest}");
            let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            change(&mut manifest);
            fs::write(path, manifest.to_string()).unwrap();
        }
    };
    check_verify(
        edit(|manifest| manifest["ledger"]["read"] = json!(7)),
        &["_manifests/cloudtrail/proc_ymd=20231101.json: ledger does not balance"],
    );
    check_verify(
        edit(|manifest| manifest["parts"][0]["rows"] = json!(2)),
        &["rows in the footer: 1, in the manifest: 2"],
    );
    check_verify(edit(|manifest| manifest["parts"][0]["sha256"] = json!("0")), &["checksum"]);
    check_verify(
        edit(|manifest| manifest["parts"][0]["bytes"] = json!(1)),
        &["size in bytes: ", "in the manifest: 1"],
    );
    check_verify(
        edit(|manifest| manifest["parts"] = json!([])),
        &["in the part files: 0", "not listed in the manifest"],
    );
    check_verify(
        edit(|manifest| rename(manifest, "day", "2023-10-31", "cloudtrail/proc_ymd=20231031")),
        &["another day or table"],
    );
    check_verify(
        edit(|manifest| rename(manifest, "table", "other", "other/proc_ymd=20231101")),
        &["another day or table"],
    );
    check_verify(|path_of| fs::write(path_of("{manifest}"), "{").unwrap(), &["cannot read the manifest"]);
}

#[test]
fn docs_list_the_exit_codes_of_the_help() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/exit-codes.md")).unwrap();
    for (exit, meaning) in logmill::cli::exit::Exit::TABLE {
        let row = format!("| {} | {meaning} |", exit.code());
        assert!(page.contains(&row), "the page should contain {row}");
    }
}

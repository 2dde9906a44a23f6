//! A day in shards: how machines share them, concurrent attempts at one shard, and cleanup.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Call, DAY, Day, Running, Table, Workdir, document, event, gz};

const STAGED: [&str; 4] = ["--plan", "staging/plan.json", "--staging", "staging/shards"];

/// Three objects, and a plan with three shards in the staging folder.
fn planned() -> Workdir {
    let work = Workdir::new();
    for name in ["a", "b", "c"] {
        work.cloudtrail(name, gz(document([event(name, json!({}))])));
    }
    plan(&work);
    work
}

fn plan(work: &Workdir) {
    let plan = work.logmill(["plan", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail"]);
    plan.args(["--shards", "3", "--plan", "staging/plan.json"]).exits(0).prints(&["3 objects = 3 to read"]);
}

fn convert<'w>(work: &'w Workdir, shard: &str) -> Call<'w> {
    work.logmill(["convert", "--shard", shard]).args(STAGED)
}

fn publish(work: &Workdir) -> Call<'_> {
    work.logmill(["publish", "--output", "lake"]).args(STAGED)
}

fn assert_same(work: &Workdir, sharded: &Day) {
    let run = work.logmill(["run", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail"]);
    let whole = run.args(["--output", "lake-whole"]).publishes(Table::CLOUDTRAIL);
    assert!(whole.parts() == sharded.parts() && whole.inputs() == sharded.inputs());
}

#[test]
fn the_machines_of_an_array_share_the_shards_and_extra_ones_do_nothing() {
    let work = planned();
    convert(&work, "auto").exits(2).says(&[
        "cannot determine this machine's shard",
        "AWS_BATCH_JOB_ARRAY_INDEX",
        "hint:",
    ]);
    let variables = ["AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID"];
    for (index, variable) in variables.iter().enumerate() {
        publish(&work).exits(4).says(&["has not been converted", &format!("shard: {index}")]);
        convert(&work, "auto").env(variable, &index.to_string()).exits(0);
    }
    let before = work.files("staging");
    convert(&work, "auto")
        .env(variables[0], "3")
        .exits(0)
        .says(&["the plan has fewer shards than the array has machines"]);
    convert(&work, "auto").env(variables[0], "x").exits(2).says(&["AWS_BATCH_JOB_ARRAY_INDEX: x"]);
    assert_eq!(work.files("staging"), before);
    assert_same(&work, &publish(&work).publishes(Table::CLOUDTRAIL));
}

/// An orchestrator can restart a shard because it considers a slow machine lost.
#[test]
fn concurrent_attempts_at_one_shard_do_not_mix() {
    let work = planned();
    for shard in ["1", "2"] {
        convert(&work, shard).exits(0);
    }
    let (slow, mut pipe, content) = slow_attempt(&work, &own_object(&work, 0));
    convert(&work, "0").exits(0);
    let quick = publish(&work).publishes(Table::CLOUDTRAIL).parts();
    pipe.write_all(&content).unwrap();
    drop(pipe);
    assert_eq!(slow.wait().code, Some(0), "the slow attempt should succeed");
    let late = publish(&work).publishes(Table::CLOUDTRAIL);
    assert!(quick == late.parts());
    assert_same(&work, &late);
}

/// The day of [`planned`] with all shards converted.
fn converted() -> Workdir {
    let work = planned();
    for shard in ["0", "1", "2"] {
        convert(&work, shard).exits(0);
    }
    work
}

/// The only staged file after the shards have been removed.
fn receipt_alone() -> Vec<PathBuf> {
    vec![PathBuf::from("plan.json")]
}

fn staged(work: &Workdir) -> Vec<PathBuf> {
    work.files("staging").into_keys().collect()
}

#[test]
fn shards_are_removed_only_after_the_day_is_published() {
    let work = planned();
    for shard in ["0", "0", "1"] {
        convert(&work, shard).exits(0);
    }
    publish(&work).args(["--remove-staging"]).exits(4).says(&["shard: 2"]);
    convert(&work, "2").exits(0);
    publish(&work).publishes(Table::CLOUDTRAIL);
    assert!(staged(&work).len() > 6);
    let day = publish(&work).args(["--remove-staging"]).publishes(Table::CLOUDTRAIL);
    assert_eq!(staged(&work), receipt_alone());
    assert_same(&work, &day);
}

#[test]
fn the_next_publish_completes_an_interrupted_removal() {
    let work = converted();
    let stuck = work.path("staging/shards/cloudtrail/shard-00001");
    let attempt = fs::read_dir(&stuck).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    // A folder cannot be removed as a file.
    let stuck = attempt.unwrap().join("stuck");
    fs::create_dir(&stuck).unwrap();
    let copy = Command::new("cp").arg("-a").args([work.path("staging/shards"), work.path("shards")]).status();
    assert!(copy.unwrap().success());
    publish(&work).args(["--remove-staging"]).exits(4).says(&["cannot remove the file", "stuck"]);
    let published = work.published();
    fs::remove_dir(&stuck).unwrap();
    let again = || publish(&work).args(["--remove-staging", "--summary-json", "again.json"]).exits(0);
    again().prints(&["was already published by run"]);
    assert_eq!(staged(&work), receipt_alone());
    let summary = fs::read(work.path("again.json")).unwrap();
    // A kill can happen between any two files. Any remaining files lead to the same result.
    let all: Vec<PathBuf> = work.files("shards").into_keys().collect();
    for left in 0..=all.len() {
        for path in &all[left..] {
            let target = work.path("staging/shards").join(path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(work.path("shards").join(path), target).unwrap();
        }
        again();
        assert_eq!(staged(&work), receipt_alone(), "with the files from {left} on");
        assert_eq!(fs::read(work.path("again.json")).unwrap(), summary);
    }
    assert_eq!(work.published(), published, "nothing should be published twice");
}

#[test]
fn a_receipt_is_valid_only_for_its_lake_and_is_replaced_by_the_next_plan() {
    let work = converted();
    publish(&work).args(["--remove-staging"]).publishes(Table::CLOUDTRAIL);
    let receipt = fs::read(work.path("staging/plan.json")).unwrap();
    let other = work.logmill(["publish", "--output", "lake-other", "--remove-staging"]).args(STAGED);
    other.exits(4).says(&["the day is not in the lake", "hint:"]);
    convert(&work, "0").exits(0).says(&["the plan is already published"]);
    assert_eq!(staged(&work), receipt_alone(), "a late attempt should leave nothing");
    assert_eq!(fs::read(work.path("staging/plan.json")).unwrap(), receipt);
    // Another run publishes the day without changing the receipt.
    work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    publish(&work).args(["--remove-staging"]).exits(0);
    plan(&work);
    for shard in ["0", "1", "2"] {
        convert(&work, shard).exits(0);
    }
    assert_same(&work, &publish(&work).publishes(Table::CLOUDTRAIL));
}

/// The lake keeps records only of the last runs of a day, and the receipt outlives them.
#[test]
fn a_receipt_is_valid_after_the_record_of_its_run_is_removed() {
    let work = converted();
    publish(&work).args(["--remove-staging"]).publishes(Table::CLOUDTRAIL);
    for _ in 0..10 {
        work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    }
    let published = work.published();
    publish(&work).args(["--remove-staging"]).exits(0).prints(&["was already published by run"]);
    // The lake was moved, so only its run records identify it.
    fs::rename(work.lake(), work.path("moved")).unwrap();
    let moved = || work.logmill(["publish", "--output", "moved", "--remove-staging"]).args(STAGED);
    moved().exits(0);
    fs::rename(work.path("moved"), work.lake()).unwrap();
    assert_eq!(work.published(), published);
    let other = work.logmill(["run", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail"]);
    other.args(["--output", "lake-other"]).exits(0);
    let other = work.logmill(["publish", "--output", "lake-other", "--remove-staging"]).args(STAGED);
    other.exits(4).says(&["the day is not in the lake"]);
}

/// The attempt starts before its plan is published or replaced, and ends after that.
#[test]
fn an_attempt_that_outlives_its_plan_leaves_nothing() {
    for (is_published, code, message) in
        [(true, 0, "the plan is already published"), (false, 2, "the plan was replaced")]
    {
        let work = converted();
        let object = own_object(&work, 0);
        let (slow, mut pipe, content) = slow_attempt(&work, &object);
        if is_published {
            publish(&work).args(["--remove-staging"]).publishes(Table::CLOUDTRAIL);
        } else {
            plan(&work);
        }
        let before = work.files("staging");
        pipe.write_all(&content).unwrap();
        drop(pipe);
        let slow = slow.wait();
        assert_eq!(slow.code, Some(code), "{slow}");
        slow.says(&[message]);
        assert_eq!(work.files("staging"), before);
    }
}

/// The path of the first object of a shard.
fn own_object(work: &Workdir, shard: u32) -> PathBuf {
    let plan: Value = serde_json::from_slice(&fs::read(work.path("staging/plan.json")).unwrap()).unwrap();
    let objects = plan["tables"][0]["objects"].as_array().unwrap();
    let own = objects.iter().find(|object| object["shard"] == shard).unwrap();
    work.path(own["address"].as_str().unwrap())
}

/// Starts an attempt at shard 0 that waits for the content of its object. Other attempts find the object unchanged.
fn slow_attempt<'w>(work: &'w Workdir, object: &Path) -> (Running<'w>, File, Vec<u8>) {
    let content = fs::read(object).unwrap();
    fs::remove_file(object).unwrap();
    assert!(Command::new("mkfifo").arg(object).status().unwrap().success());
    let slow = convert(work, "0").start();
    // Opens once the slow attempt has begun to read.
    let pipe = OpenOptions::new().write(true).open(object).unwrap();
    fs::write(work.path("copy"), &content).unwrap();
    fs::rename(work.path("copy"), object).unwrap();
    (slow, pipe, content)
}

/// Changes the index of shard 1 and its checksum.
fn forge(work: &Workdir, change: impl FnOnce(&mut Value)) {
    let path = work.path("staging/shards/cloudtrail/shard-00001/index.json");
    let mut sealed: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut sealed["index"]);
    let digest = Sha256::digest(sealed["index"].to_string());
    let digits: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    sealed["sha256"] = digits.concat().into();
    fs::write(&path, sealed.to_string()).unwrap();
}

#[test]
fn an_implausible_index_is_refused() {
    let work = converted();
    let index = work.path("staging/shards/cloudtrail/shard-00001/index.json");
    let original = fs::read(&index).unwrap();
    let outside = "names a path outside its folder";
    for (pointer, value, message) in [
        ("/folder", json!("../shard-00000"), outside),
        ("/folder", json!("/etc"), outside),
        ("/folder", json!(".."), outside),
        ("/folder", json!(""), outside),
        ("/folder", json!("elsewhere"), "is not an attempt"),
        ("/runs/0/file", json!("../../x"), outside),
        ("/runs/0/file", json!("unlisted"), "each of its files"),
        ("/runs/0/clusters", json!("unlisted"), "each of its files"),
        ("/runs/0/clusters", json!("identities-0-0"), "each of its files"),
        ("/runs/0/dictionary_bytes", json!(u64::MAX), "not as shards write them"),
        ("/identities", json!(["unlisted"]), "each of its files"),
        ("/table", json!("other"), "it belongs to shard 1 of other"),
        ("/shard", json!(0), "it belongs to shard 0"),
        ("/plan", json!("other"), "another plan"),
        ("/counts", json!([]), "each object of its shard"),
        ("/counts/0/0", json!(u32::MAX), "each object of its shard"),
        ("/counts/0/1/read", json!(u64::MAX), "each object of its shard"),
        ("/newer_than_name", json!([]), "each object of its shard"),
    ] {
        forge(&work, |index| *index.pointer_mut(pointer).unwrap() = value.clone());
        let code = if pointer == "/plan" { 2 } else { 4 };
        publish(&work).exits(code).says(&[message, "convert"]);
        fs::write(&index, &original).unwrap();
    }
    assert!(work.published().is_empty());
    let unsealed = String::from_utf8(original.clone()).unwrap().replace("\"read\":1", "\"read\":2");
    fs::write(&index, unsealed).unwrap();
    publish(&work).exits(4).says(&["its checksum does not match its content", "convert the shard again"]);
    fs::write(&index, original).unwrap();
    publish(&work).publishes(Table::CLOUDTRAIL);
}

#[test]
fn a_changed_staged_file_is_refused() {
    let work = converted();
    let parts = publish(&work).publishes(Table::CLOUDTRAIL).parts();
    let published = work.published();
    let files: Vec<PathBuf> = staged(&work)
        .into_iter()
        .filter(|path| {
            path.ends_with("index.json") || {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                name.starts_with("rows-") || name.starts_with("identities-")
            }
        })
        .collect();
    assert_eq!(files.len(), 4 * 3, "{files:?}");
    for file in files {
        let path = work.path("staging").join(&file);
        let original = fs::read(&path).unwrap();
        let changed = |place: usize| {
            let mut changed = original.clone();
            changed[place] ^= 0x20;
            changed
        };
        let text = original.windows(3).position(|text| text == b"arn");
        let places = [0, original.len() / 2, original.len() - 1].into_iter().chain(text);
        let cut = [0, original.len() / 2, original.len() - 1].map(|length| original[..length].to_vec());
        let longer = [&original[..], &original[..]].concat();
        for content in places.map(changed).chain(cut).chain([longer]) {
            fs::write(&path, content).unwrap();
            publish(&work).exits(4).says(&["convert the shard again"]);
        }
        fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        publish(&work).exits(4).says(&["not a regular file"]);
        fs::remove_file(&path).unwrap();
        fs::write(&path, original).unwrap();
    }
    assert_eq!(work.published(), published);
    assert!(publish(&work).publishes(Table::CLOUDTRAIL).parts() == parts);
}

#[test]
fn an_address_without_a_file_name_is_not_a_plan() {
    let work = planned();
    for plan in ["s3://bucket", "s3://bucket/", "staging/", "s3://", ""] {
        let convert = work.logmill(["convert", "--staging", "staging", "--plan", plan]);
        convert.exits(2).says(&["invalid path of a plan", "hint:"]);
    }
}

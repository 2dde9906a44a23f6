//! A day in shards: who converts which, several attempts at one, and what is left in the end.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Call, DAY, Day, Running, Table, Workdir, document, event, gz};

const STAGED: [&str; 4] = ["--plan", "staging/plan.json", "--staging", "staging/shards"];

/// Three objects, and a plan of as many shards beside their results.
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
fn the_machines_of_an_array_share_the_shards_and_spare_ones_do_nothing() {
    let work = planned();
    convert(&work, "auto").exits(2).says(&["which shard", "AWS_BATCH_JOB_ARRAY_INDEX", "hint:"]);
    let variables = ["AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID"];
    for (index, variable) in variables.iter().enumerate() {
        publish(&work).exits(4).says(&["has not been converted", &format!("shard: {index}")]);
        convert(&work, "auto").env(variable, &index.to_string()).exits(0);
    }
    let before = work.files("staging");
    convert(&work, "auto").env(variables[0], "3").exits(0).says(&["no shard is left for this machine"]);
    convert(&work, "auto").env(variables[0], "x").exits(2).says(&["AWS_BATCH_JOB_ARRAY_INDEX: x"]);
    assert_eq!(work.files("staging"), before);
    assert_same(&work, &publish(&work).publishes(Table::CLOUDTRAIL));
}

/// As when an orchestrator takes a machine for lost that is only slow.
#[test]
fn two_attempts_at_one_shard_at_once_do_not_mix() {
    let work = planned();
    for shard in ["1", "2"] {
        convert(&work, shard).exits(0);
    }
    let (slow, mut pipe, content) = slow_attempt(&work, &own_object(&work, 0));
    convert(&work, "0").exits(0);
    let quick = publish(&work).publishes(Table::CLOUDTRAIL).parts();
    pipe.write_all(&content).unwrap();
    drop(pipe);
    assert_eq!(slow.wait().code, Some(0), "the slow attempt is not disturbed");
    let late = publish(&work).publishes(Table::CLOUDTRAIL);
    assert!(quick == late.parts());
    assert_same(&work, &late);
}

/// The day of [`planned`], of which all shards are converted.
fn converted() -> Workdir {
    let work = planned();
    for shard in ["0", "1", "2"] {
        convert(&work, shard).exits(0);
    }
    work
}

/// What is left when shards are removed.
fn receipt_alone() -> Vec<PathBuf> {
    vec![PathBuf::from("plan.json")]
}

fn staged(work: &Workdir) -> Vec<PathBuf> {
    work.files("staging").into_keys().collect()
}

#[test]
fn what_was_staged_goes_when_the_day_is_published_and_not_before() {
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
fn a_removal_that_broke_off_is_finished_by_the_next_publish_whatever_it_has_left() {
    let work = converted();
    let stuck = work.path("staging/shards/cloudtrail/shard-00001");
    let attempt = fs::read_dir(&stuck).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    // No file: it cannot be removed as one.
    let stuck = attempt.unwrap().join("stuck");
    fs::create_dir(&stuck).unwrap();
    let copy = Command::new("cp").arg("-a").args([work.path("staging/shards"), work.path("shards")]).status();
    assert!(copy.unwrap().success());
    publish(&work).args(["--remove-staging"]).exits(4).says(&["cannot remove the file", "stuck"]);
    let published = work.published();
    fs::remove_dir(&stuck).unwrap();
    let again = || publish(&work).args(["--remove-staging", "--summary-json", "again.json"]).exits(0);
    again().prints(&["was published already, by run"]);
    assert_eq!(staged(&work), receipt_alone());
    let summary = fs::read(work.path("again.json")).unwrap();
    // A kill can come between any two files: whatever is there, the end is the same.
    let all: Vec<PathBuf> = work.files("shards").into_keys().collect();
    for left in 0..=all.len() {
        for path in &all[left..] {
            let target = work.path("staging/shards").join(path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(work.path("shards").join(path), target).unwrap();
        }
        again();
        assert_eq!(staged(&work), receipt_alone(), "of the files from {left} on");
        assert_eq!(fs::read(work.path("again.json")).unwrap(), summary);
    }
    assert_eq!(work.published(), published, "nothing is published twice");
}

#[test]
fn a_receipt_is_only_for_the_lake_that_has_the_day_and_the_next_plan_takes_its_place() {
    let work = converted();
    publish(&work).args(["--remove-staging"]).publishes(Table::CLOUDTRAIL);
    let receipt = fs::read(work.path("staging/plan.json")).unwrap();
    let other = work.logmill(["publish", "--output", "lake-other", "--remove-staging"]).args(STAGED);
    other.exits(4).says(&["the day is not there", "hint:"]);
    convert(&work, "0").exits(0).says(&["the plan is published already"]);
    assert_eq!(staged(&work), receipt_alone(), "a late attempt leaves nothing");
    assert_eq!(fs::read(work.path("staging/plan.json")).unwrap(), receipt);
    // Another run of the day, which the receipt does not know.
    work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    publish(&work).args(["--remove-staging"]).exits(0);
    plan(&work);
    for shard in ["0", "1", "2"] {
        convert(&work, shard).exits(0);
    }
    assert_same(&work, &publish(&work).publishes(Table::CLOUDTRAIL));
}

/// The lake remembers the last runs of a day, and the receipt outlives them.
#[test]
fn a_receipt_holds_when_the_lake_has_forgotten_its_run() {
    let work = converted();
    publish(&work).args(["--remove-staging"]).publishes(Table::CLOUDTRAIL);
    for _ in 0..10 {
        work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    }
    let published = work.published();
    publish(&work).args(["--remove-staging"]).exits(0).prints(&["was published already, by run"]);
    // The lake has moved: only what it remembers can tell it from another one.
    fs::rename(work.lake(), work.path("moved")).unwrap();
    let moved = || work.logmill(["publish", "--output", "moved", "--remove-staging"]).args(STAGED);
    moved().exits(0);
    fs::rename(work.path("moved"), work.lake()).unwrap();
    assert_eq!(work.published(), published);
    let other = work.logmill(["run", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail"]);
    other.args(["--output", "lake-other"]).exits(0);
    let other = work.logmill(["publish", "--output", "lake-other", "--remove-staging"]).args(STAGED);
    other.exits(4).says(&["the day is not there"]);
}

/// An attempt begins before its plan is published or replaced, and ends behind that.
#[test]
fn an_attempt_that_ends_when_its_plan_is_gone_leaves_nothing() {
    for (is_published, code, said) in
        [(true, 0, "the plan is published already"), (false, 2, "the plan was replaced")]
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
        slow.says(&[said]);
        assert_eq!(work.files("staging"), before);
    }
}

/// The file of the first object of a shard.
fn own_object(work: &Workdir, shard: u32) -> PathBuf {
    let plan: Value = serde_json::from_slice(&fs::read(work.path("staging/plan.json")).unwrap()).unwrap();
    let objects = plan["tables"][0]["objects"].as_array().unwrap();
    let own = objects.iter().find(|object| object["shard"] == shard).unwrap();
    work.path(own["address"].as_str().unwrap())
}

/// An attempt at shard 0 that waits for the content of its object, which others find where it was.
fn slow_attempt<'w>(work: &'w Workdir, object: &Path) -> (Running<'w>, File, Vec<u8>) {
    let content = fs::read(object).unwrap();
    fs::remove_file(object).unwrap();
    assert!(Command::new("mkfifo").arg(object).status().unwrap().success());
    let slow = convert(work, "0").start();
    // Opens when the slow attempt has begun to read.
    let pipe = OpenOptions::new().write(true).open(object).unwrap();
    fs::write(work.path("copy"), &content).unwrap();
    fs::rename(work.path("copy"), object).unwrap();
    (slow, pipe, content)
}

/// The index of shard 1, changed, under a checksum that fits.
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
fn an_index_that_says_what_no_shard_can_leave_is_refused() {
    let work = converted();
    let index = work.path("staging/shards/cloudtrail/shard-00001/index.json");
    let honest = fs::read(&index).unwrap();
    let outside = "names a path outside its folder";
    for (pointer, value, said) in [
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
        publish(&work).exits(code).says(&[said, "convert"]);
        fs::write(&index, &honest).unwrap();
    }
    assert!(work.published().is_empty());
    let unsealed = String::from_utf8(honest.clone()).unwrap().replace("\"read\":1", "\"read\":2");
    fs::write(&index, unsealed).unwrap();
    publish(&work).exits(4).says(&["its checksum does not match its content", "convert the shard again"]);
    fs::write(&index, honest).unwrap();
    publish(&work).publishes(Table::CLOUDTRAIL);
}

#[test]
fn a_staged_file_that_was_changed_is_refused_before_a_row_of_it_is_taken() {
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
        let honest = fs::read(&path).unwrap();
        let changed = |place: usize| {
            let mut changed = honest.clone();
            changed[place] ^= 0x20;
            changed
        };
        let text = honest.windows(3).position(|text| text == b"arn");
        let places = [0, honest.len() / 2, honest.len() - 1].into_iter().chain(text);
        let cut = [0, honest.len() / 2, honest.len() - 1].map(|length| honest[..length].to_vec());
        let longer = [&honest[..], &honest[..]].concat();
        for content in places.map(changed).chain(cut).chain([longer]) {
            fs::write(&path, content).unwrap();
            publish(&work).exits(4).says(&["convert the shard again"]);
        }
        fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        publish(&work).exits(4).says(&["not a regular file"]);
        fs::remove_file(&path).unwrap();
        fs::write(&path, honest).unwrap();
    }
    assert_eq!(work.published(), published);
    assert!(publish(&work).publishes(Table::CLOUDTRAIL).parts() == parts);
}

#[test]
fn an_address_that_names_no_plan_is_refused() {
    let work = planned();
    for plan in ["s3://bucket", "s3://bucket/", "staging/", "s3://", ""] {
        let convert = work.logmill(["convert", "--staging", "staging", "--plan", plan]);
        convert.exits(2).says(&["no address", "hint:"]);
    }
}

//! Damaged lake files cause an error or are read as they were written. They never cause a panic, an endless read, or a read
//! outside the lake.

use std::fs;
use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use logmill::error::Result;
use logmill::plan::Plan;
use logmill::publish;
use logmill::publish::run_history::RunHistory;
use logmill::store::LocalLake;
use logmill::store::lake::Partition;
use serde_json::{Value, json};

use crate::harness::{Call, DAY, Outcome, Table, Workdir, document, event, gz, text};

const TABLE: Table = Table::CLOUDTRAIL;
/// The number of random changes to each kind of file.
const ROUNDS: usize = 400;

/// A published day with two objects and a rejected row.
fn published() -> Workdir {
    let work = Workdir::new();
    work.cloudtrail("a", gz(document([event("first", json!({})).to_string(), "\"bad\"".to_owned()])));
    work.cloudtrail("b", gz(document([event("second", json!({}))])));
    work.run(TABLE).allow_rejects().publishes(TABLE);
    work
}

fn manifest_of(work: &Workdir) -> PathBuf {
    work.manifest_path(TABLE)
}

fn status(work: &Workdir) -> Call<'_> {
    let status = work.logmill(["status", "--output", "lake", "--from", DAY, "--to", DAY]);
    status.args(["--input", "raw"]).of(TABLE)
}

/// The commands that read a published day.
fn readers(work: &Workdir) -> Vec<Call<'_>> {
    let at = |command: &str| work.logmill([command, "--output", "lake", "--day", DAY]);
    vec![
        at("verify"),
        status(work),
        at("why").args(["--event-id", "first", "--input", "raw", "--dataset", "cloudtrail"]),
        at("diff").args(["live", "live"]),
        #[cfg(feature = "query")]
        work.logmill(["query", "--output", "lake", "SELECT min(event_id), count(*) FROM cloudtrail"]),
    ]
}

/// The output of a command for a day that it cannot read. Commands over many days exit with 0 and report it in a table.
fn output(outcome: &Outcome) -> String {
    assert!(matches!(outcome.code, Some(0 | 4)), "{outcome}");
    format!("{}{}", outcome.stdout, outcome.stderr)
}

/// Changes the manifest, and checks that every command refuses it.
fn check_refused(work: &Workdir, pointer: &str, value: Value) {
    let path = manifest_of(work);
    let original = fs::read(&path).unwrap();
    let mut changed: Value = serde_json::from_slice(&original).unwrap();
    *changed.pointer_mut(pointer).unwrap() = value;
    fs::write(&path, changed.to_string()).unwrap();
    for reader in readers(work) {
        assert!(output(&reader.wait()).contains("cannot read the manifest"), "{pointer}");
    }
    fs::write(&path, original).unwrap();
}

#[test]
fn a_manifest_with_outside_paths_or_impossible_numbers_is_refused() {
    let work = published();
    check_refused(&work, "/inputs_file/path", json!("/dev/zero"));
    check_refused(&work, "/inputs_file/path", json!("../../../raw"));
    check_refused(&work, "/parts/0/bytes", json!(u64::MAX));
    check_refused(&work, "/parts/0/path", json!("../../../secret.parquet"));
    check_refused(&work, "/quarantine/path", json!("../secret"));
    check_refused(&work, "/run", json!(".."));
}

#[test]
fn a_pipe_or_device_in_place_of_a_file_is_refused() {
    let work = published();
    let manifest: Value = serde_json::from_slice(&fs::read(manifest_of(&work)).unwrap()).unwrap();
    let day = work.partition(TABLE);
    let places = [
        manifest_of(&work),
        work.lake().join(text(&manifest["inputs_file"]["path"])),
        day.join(text(&manifest["parts"][0]["path"])),
        work.lake().join(text(&manifest["quarantine"]["path"])),
    ];
    for place in places {
        let aside = work.path("aside");
        fs::rename(&place, &aside).unwrap();
        symlink("/dev/zero", &place).unwrap();
        work.verify().exits(4).says(&["not a regular file"]);
        fs::remove_file(&place).unwrap();
        assert!(Command::new("mkfifo").arg(&place).status().unwrap().success());
        for reader in readers(&work) {
            // Each command reads different files. A command that needs this one reports what is in its place.
            let outcome = reader.wait();
            let is_refused = output(&outcome).contains("not a regular file");
            assert!(outcome.code == Some(0) || is_refused, "{}: {outcome}", place.display());
        }
        fs::remove_file(&place).unwrap();
        fs::rename(&aside, &place).unwrap();
    }
    work.verify().exits(0);
}

#[cfg(feature = "query")]
#[test]
fn a_query_refuses_a_part_file_with_the_wrong_size() {
    let work = published();
    let path = manifest_of(&work);
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let bytes = manifest["parts"][0]["bytes"].as_u64().unwrap();
    for wrong in [bytes - 1, bytes + 1, 1 << 40] {
        manifest["parts"][0]["bytes"] = wrong.into();
        fs::write(&path, manifest.to_string()).unwrap();
        let query = work.logmill(["query", "--output", "lake", "SELECT min(event_id) FROM cloudtrail"]);
        query.exits(4).says(&["the size of the part file differs from the manifest"]);
    }
}

/// Decompression stops at the size in the manifest, so that a small file cannot unpack to a huge one.
#[test]
fn a_replaced_list_of_inputs_is_refused() {
    let work = published();
    let manifest: Value = serde_json::from_slice(&fs::read(manifest_of(&work)).unwrap()).unwrap();
    let list = work.lake().join(text(&manifest["inputs_file"]["path"]));
    let original = fs::read(&list).unwrap();
    for content in [gz(vec![b'\n'; 64 << 20]), gz("{}\n"), original[..original.len() - 9].to_vec()] {
        fs::write(&list, content).unwrap();
        let output = output(&status(&work).exits(0));
        assert!(["its checksum", "too large"].iter().any(|cause| output.contains(cause)), "{output}");
    }
    fs::write(&list, original).unwrap();
    status(&work).exits(0).prints(&["1 published"]);
}

/// Random changes to a file, the same sequence in each test.
struct Damage {
    random: fastrand::Rng,
}

impl Damage {
    fn change(&mut self, original: &[u8]) -> Vec<u8> {
        let mut content = original.to_vec();
        let random = &mut self.random;
        for _ in 0..random.usize(1..4) {
            if content.is_empty() {
                break;
            }
            let place = random.usize(0..content.len());
            let end = random.usize(place..=(place + 64).min(content.len()));
            match random.u8(0..7) {
                0 => content[place] ^= 1 << random.u8(0..8),
                1 => content[place] = random.u8(..),
                2 => content.truncate(place),
                3 => drop(content.drain(place..end)),
                4 => content.splice(place..place, vec![random.u8(..); end - place]).for_each(drop),
                5 => content[place..end].fill(*random.choice(&[0, 0xff, b'9', b'[']).unwrap()),
                _ => content.splice(place..place, content[place..end].to_vec()).for_each(drop),
            }
        }
        content
    }
}

/// Reads changed files. Each read must return `known` or an error.
fn check_damage<T: PartialEq + std::fmt::Debug>(file: &Path, known: &T, read: impl Fn() -> Result<T>) {
    let original = fs::read(file).unwrap();
    let mut damage = Damage { random: fastrand::Rng::with_seed(14) };
    let mut refused = 0;
    for round in 0..ROUNDS {
        let changed = damage.change(&original);
        fs::write(file, &changed).unwrap();
        let outcome = catch_unwind(AssertUnwindSafe(&read));
        assert!(outcome.is_ok(), "round {round} of {} panics", file.display());
        match outcome.into_iter().flatten().next() {
            Some(found) => assert!(changed == original || found == *known, "round {round}: {found:?}"),
            None => refused += 1,
        }
    }
    fs::write(file, original).unwrap();
    assert!(refused > ROUNDS / 2, "{refused} of {ROUNDS} changes to {} are refused", file.display());
}

#[test]
fn a_damaged_list_of_inputs_is_refused_or_read_as_written() {
    let work = published();
    let lake = LocalLake::open(work.lake().to_str().unwrap()).unwrap();
    let partition = Partition { table: TABLE.name.to_owned(), day: DAY.parse().unwrap() };
    let manifest = publish::read_manifest(&lake, &partition).unwrap().unwrap();
    let read = || publish::read_inputs(&lake, &partition, &manifest);
    let known = read().unwrap();
    assert_eq!(known.len(), 2);
    check_damage(&work.lake().join(&manifest.inputs_file.path), &known, read);
}

/// These files have no checksum, so changed values may be read, but they must not cause a panic.
#[test]
fn a_damaged_manifest_run_record_or_plan_never_causes_a_panic() {
    let work = published();
    let lake = LocalLake::open(work.lake().to_str().unwrap()).unwrap();
    let partition = Partition { table: TABLE.name.to_owned(), day: DAY.parse().unwrap() };
    let manifest = manifest_of(&work);
    let follow = || {
        let Some(manifest) = publish::read_manifest(&lake, &partition)? else { return Ok(()) };
        logmill::audit::verify(&lake, &partition, &manifest)?;
        publish::read_inputs(&lake, &partition, &manifest)?;
        logmill::audit::part_columns(&lake, &partition, &manifest)?;
        logmill::audit::column_statistics(&lake, &partition, &manifest).map(drop)
    };
    check_no_panic(&manifest, follow);
    let records = work.lake().join(partition.history());
    let record = fs::read_dir(records).unwrap().map(|entry| entry.unwrap().path());
    let record = record.into_iter().find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    check_no_panic(&record, || {
        let history = RunHistory::list(&lake, &partition)?;
        for record in history.records()? {
            record.manifest.map_or(Ok(()), |old| publish::read_inputs(&lake, &partition, &old).map(drop))?;
        }
        history.last().map(drop)
    });
    work.logmill(["plan", "--day", DAY, "--input", "raw", "--plan", "plan.json"]).of(TABLE).exits(0);
    let plan = work.path("plan.json");
    check_no_panic(&plan, || {
        let mut plan = Plan::from_json(fs::read(&plan).unwrap())?;
        plan.assign_shards(plan.shards.min(16));
        plan.tables
            .iter()
            .for_each(|table| drop((table.bytes(), table.listed(), table.complete_at(plan.day))));
        Ok(())
    });
}

/// Reads changed files. No read may panic.
fn check_no_panic(file: &Path, follow: impl Fn() -> Result<()>) {
    let original = fs::read(file).unwrap();
    let mut damage = Damage { random: fastrand::Rng::with_seed(9) };
    for round in 0..ROUNDS {
        fs::write(file, damage.change(&original)).unwrap();
        let followed = catch_unwind(AssertUnwindSafe(&follow));
        assert!(followed.is_ok(), "round {round} of {} panics", file.display());
    }
    fs::write(file, original).unwrap();
}

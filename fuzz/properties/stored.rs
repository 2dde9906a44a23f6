//! A stored file that is accepted leads to no path outside its folder, and is accepted again after it is written again.

use std::fmt::Debug;
use std::io::Write;
use std::path::{Component, Path};

use flate2::Compression;
use flate2::write::GzEncoder;
use logmill::certificate::Certificate;
use logmill::digest::{Document, PublicKeys};
use logmill::fuzzing;
use logmill::plan::{Plan, PlannedObject};
use logmill::publish::Manifest;
use logmill::road::shards::Receipt;
use serde::Serialize;
use serde_json::Value;

use super::choice;

/// The kinds of files, each with its check.
const KINDS: [fn(&[u8]); 9] =
    [plan, manifest, inputs, packed_inputs, run_record, shard_index, receipt, digest, certificate];

/// The first letter chooses the kind of the file.
pub(crate) fn check(mut data: &[u8]) {
    KINDS[choice(&mut data, KINDS.len())](data);
}

/// Writes an accepted file again, and reads it again: it is accepted and says the same.
fn again<T: Serialize, E: Debug>(file: &T, read: impl FnOnce(Vec<u8>) -> Result<T, E>) {
    let value = serde_json::to_value(file).expect("an accepted file can be written");
    let written = serde_json::to_vec(file).expect("an accepted file can be written");
    let read =
        read(written).unwrap_or_else(|error| panic!("refused after it is written again: {error:?}\n{value}"));
    assert_eq!(serde_json::to_value(&read).expect("it can be written"), value);
}

/// Fails if a path leads out of its folder.
fn assert_inside(path: &str) {
    let is_name = |component| matches!(component, Component::Normal(_));
    assert!(Path::new(path).components().all(is_name), "'{path}' leads out of its folder");
}

fn plan(json: &[u8]) {
    let Ok(mut plan) = Plan::from_json(json.to_vec()) else { return };
    again(&plan, Plan::from_json);
    for table in &plan.tables {
        assert_inside(&table.spec.table);
        for object in &table.objects {
            let input = &table.spec.inputs[object.input as usize];
            if !input.starts_with("s3://") {
                assert_inside(&object.key);
            }
        }
        // Neither sum may overflow.
        let _ = (table.bytes(), table.listed(), table.complete_at(plan.day));
    }
    plan.assign_shards(plan.shards);
}

fn manifest(json: &[u8]) {
    let Ok(manifest) = Manifest::from_json(json.to_vec()) else { return };
    again(&manifest, Manifest::from_json);
    let partition = manifest.partition();
    let files = [partition.to_string(), manifest.inputs_file.place(&partition), manifest.run.clone()];
    let quarantine = manifest.quarantine.iter().map(|file| file.path.clone());
    let superseded = manifest.superseded.iter().map(|superseded| superseded.run.clone());
    for path in files.into_iter().chain(quarantine).chain(superseded) {
        assert_inside(&path);
    }
    for part in &manifest.parts {
        assert_inside(&part.path);
        assert!(part.path.starts_with(&format!("{}/", manifest.run)), "a part is in the folder of its run");
    }
    assert!(manifest.inputs_file.place(&partition).contains(&manifest.run));
}

fn inputs(text: &[u8]) {
    let lines = text.split(|byte| *byte == b'\n').count() as u64 - 1;
    let packed = pack(text);
    let Ok(read) = fuzzing::unpack_inputs(&packed, lines) else { return };
    assert_eq!(read.len() as u64, lines, "a list has a line per object");
    assert!(fuzzing::unpack_inputs(&packed, lines + 1).is_err(), "a line is missing");
    let mut written = Vec::new();
    for line in &read {
        serde_json::to_writer(&mut written, line).expect("a line can be written");
        written.push(b'\n');
    }
    assert_eq!(fuzzing::unpack_inputs(&pack(&written), lines).expect("a written list is accepted"), read);
}

/// The gzip of a list can be damaged as well.
fn packed_inputs(packed: &[u8]) {
    for objects in [0, 1, 2] {
        if let Ok(read) = fuzzing::unpack_inputs(packed, objects) {
            assert_eq!(read.len() as u64, objects);
        }
    }
}

fn pack(text: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text).expect("memory takes all bytes");
    packed.finish().expect("memory takes all bytes")
}

fn run_record(json: &[u8]) {
    let Some(record) = fuzzing::run_record(json.to_vec()) else { return };
    again(&record, |json| fuzzing::run_record(json).ok_or("no record"));
    assert_inside(&record.partition().to_string());
    assert_inside(&record.run);
    assert!(record.duration_seconds() >= 0.0);
}

/// The index of a shard of three objects, two of them its own.
fn shard_index(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let object = |number: u32| PlannedObject {
        address: format!("raw/{number}"),
        input: 0,
        key: number.to_string(),
        bytes: 1,
        etag: None,
        why: "".into(),
        events_until_ms: None,
        shard: number % 2,
        named: false,
    };
    let objects = [0, 1, 2].map(object);
    let Some((files, written)) = fuzzing::shard_index(text, "cloudtrail", &objects) else { return };
    for file in files {
        assert_inside(&file);
        assert!(!file.is_empty() && !file.contains('/'), "'{file}' is a plain name");
    }
    assert!(fuzzing::shard_index(&written, "cloudtrail", &objects).is_some(), "refused again: {written}");
}

fn receipt(json: &[u8]) {
    let Ok(receipt) = Receipt::from_json(json) else { return };
    again(&receipt, |json| Receipt::from_json(&json));
    assert!(Receipt::is_one(receipt.to_json().expect("it can be written").as_bytes()));
    receipt.tables.iter().for_each(|table| assert_inside(table));
    assert!(Plan::from_json(json.to_vec()).is_err(), "a receipt is not a plan");
}

/// Digests and public keys have no other form to write.
fn digest(json: &[u8]) {
    let _ = PublicKeys::from_json(json);
    let Ok(document) = Document::parse(json, |_| true) else { return };
    let (from, to) = document.stretch().expect("an accepted digest covers some time");
    assert!(from < to);
    let none = Document::parse(json, |_| false).expect("the choice of files decides nothing else");
    assert_eq!((none.log_files.len(), none.address()), (0, document.address()));
    assert!(document.signed_text("hash").contains(&document.address()["s3://".len()..]));
}

fn certificate(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(certificate) = Certificate::parse(text) else { return };
    let written = certificate.to_json().expect("an accepted certificate can be written");
    let read =
        Certificate::parse(&written).unwrap_or_else(|error| panic!("refused again: {error}\n{written}"));
    let value = |certificate: &Certificate| serde_json::to_value(certificate).expect("it can be written");
    assert_eq!(value(&read), value(&certificate));
    assert!(!matches!(value(&certificate), Value::Null));
}

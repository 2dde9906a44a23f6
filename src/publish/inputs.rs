//! The list of the raw objects of a day, kept beside its run folder: what each one gave.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::manifest::{InputsFile, Manifest};
use crate::convert::{ObjectLedger, hexadecimal};
use crate::dataset::Damage;
use crate::error::{Error, Result};
use crate::ledger::RowLedger;
use crate::store::Lake;
use crate::store::lake::INPUTS;
use crate::store::lake::Partition;

/// Path of the list of a run below the partition. It is not in the folder of the run: some readers of a catalog take every
/// file of a location for data.
pub(super) fn path_of(run: &str) -> String {
    format!("{INPUTS}/{run}.jsonl.gz")
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputLine {
    /// Address of the raw object.
    pub object: String,
    /// Its size.
    pub bytes: u64,
    /// What S3 calls the version of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Whether a part of it could not be decoded at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
    /// Whether it could not be read to its end: a later run may find more in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// Rows of any day whose events are newer than its name allows.
    #[serde(default, skip_serializing_if = "is_none")]
    pub newer_than_name: u64,
    /// Rejected rows that the quarantine has no room for, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counted_only: BTreeMap<String, u64>,
    /// Its rows.
    #[serde(flatten)]
    pub ledger: RowLedger,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Writes the list; the same objects give the same bytes.
pub(super) fn write(
    file: Box<dyn Write + Send>,
    path: String,
    objects: &[ObjectLedger<'_>],
) -> Result<InputsFile> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    for object in objects {
        let line = InputLine {
            object: object.object.address.clone(),
            bytes: object.object.bytes,
            etag: object.object.etag.clone(),
            damaged: object.damage.is_some(),
            unread: object.damage == Damage::Unread,
            newer_than_name: object.newer_than_name,
            counted_only: object.counted_only.clone(),
            ledger: object.ledger,
        };
        serde_json::to_writer(&mut packed, &line)
            .map_err(|cause| Error::bug("cannot write the list of inputs").caused_by(cause))?;
        packed.write_all(b"\n").map_err(|cause| failed(&path, cause))?;
    }
    let bytes = packed.finish().map_err(|cause| failed(&path, cause))?;
    save(file, &bytes).map_err(|cause| failed(&path, cause))?;
    let sha256 = hexadecimal(&Sha256::digest(&bytes));
    Ok(InputsFile { path, bytes: bytes.len() as u64, objects: objects.len() as u64, sha256 })
}

/// Reads the list of a published day; an object that is not in it was not read. None where the list is gone.
pub fn read_inputs(lake: &dyn Lake, partition: &Partition, manifest: &Manifest) -> Result<Vec<InputLine>> {
    Ok(read(lake, &format!("{partition}/{}", manifest.inputs_file.path))?.unwrap_or_default())
}

/// Reads a list at a path below the lake, or `None` when there is none.
pub(super) fn read(lake: &dyn Lake, path: &str) -> Result<Option<Vec<InputLine>>> {
    let unreadable = |cause: io::Error| {
        Error::unusable("cannot read the list of inputs", cause).with("path", lake.address(path))
    };
    let Some(packed) = lake.read(path)? else { return Ok(None) };
    let lines = BufReader::new(MultiGzDecoder::new(packed.as_slice())).lines();
    let line = |line: io::Result<String>| serde_json::from_str(&line?).map_err(io::Error::from);
    lines.map(line).collect::<io::Result<_>>().map(Some).map_err(unreadable)
}

fn save(mut file: Box<dyn Write + Send>, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.flush()
}

fn failed(path: &str, cause: io::Error) -> Error {
    Error::unusable("cannot write the list of inputs", cause)
        .with("file", path)
        .hint("check the room on the disk of the output; the day that was published still stands")
}

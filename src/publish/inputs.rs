//! The list of the raw objects of a day, with the row counts of each. It is stored outside the partition.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::manifest::{InputsFile, Manifest};
use crate::convert::{ObjectLedger, hexadecimal};
use crate::error::{Error, Result};
use crate::ledger::RowLedger;
use crate::plan::rest_below;
use crate::store::Lake;
use crate::store::lake::Partition;
use crate::table::Damage;

/// Maximum size of a line, in bytes. An address can have a few thousand bytes, and JSON may write each of them with six.
const MAX_LINE_BYTES: u64 = 256 << 10;

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputLine {
    /// Address of the raw object.
    pub object: String,
    /// Its size.
    pub bytes: u64,
    /// Its `ETag` in S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Whether part of it could not be decoded at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
    /// Whether it could not be read to its end: a later run may find more in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// Rows, of any day, whose events are newer than its name allows.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub newer_than_name: u64,
    /// Rejected rows that did not fit into the quarantine, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counted_only: BTreeMap<String, u64>,
    /// Its row counts.
    #[serde(flatten)]
    pub ledger: RowLedger,
}

impl InputLine {
    /// Whether an object with this size and `ETag` still has the content of this one, as far as both are known. Folders have
    /// no `ETag`, and early lists of inputs did not store it.
    #[must_use]
    pub fn has_content(&self, bytes: u64, etag: Option<&str>) -> bool {
        let known = self.etag.as_deref().zip(etag);
        self.bytes == bytes && known.is_none_or(|(then, now)| then == now)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Packs the list, which will have this path. The same objects give the same bytes.
pub(crate) fn pack(path: String, objects: &[ObjectLedger<'_>]) -> Result<(InputsFile, Vec<u8>)> {
    let failed = |cause: io::Error| Error::bug("cannot pack the list of inputs").caused_by(cause);
    // The encoder clears a buffer in each call, so it gets whole blocks.
    let mut packed = BufWriter::new(GzEncoder::new(Vec::new(), Compression::default()));
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
        serde_json::to_writer(&mut packed, &line).map_err(|cause| failed(cause.into()))?;
        packed.write_all(b"\n").map_err(failed)?;
    }
    let packed = packed.into_inner().map_err(|cause| failed(cause.into_error()))?.finish().map_err(failed)?;
    let sha256 = hexadecimal(&Sha256::digest(&packed));
    Ok((InputsFile { path, bytes: packed.len() as u64, objects: objects.len() as u64, sha256 }, packed))
}

/// Reads the list of a published day. An object that is missing from it was not read. The result is empty if the list no
/// longer exists.
pub fn read_inputs(lake: &dyn Lake, partition: &Partition, manifest: &Manifest) -> Result<Vec<InputLine>> {
    let list = &manifest.inputs_file;
    Ok(read(lake, &list.place(partition), list)?.unwrap_or_default())
}

/// Reads a list at a path below the lake; `None` if the file does not exist. Its checksum must be the one in the manifest.
pub(crate) fn read(lake: &dyn Lake, path: &str, list: &InputsFile) -> Result<Option<Vec<InputLine>>> {
    let unreadable = |cause: io::Error| {
        Error::unusable("cannot read the list of inputs", cause).with("path", lake.address(path))
    };
    let Some(packed) = lake.read_up_to(path, list.bytes)? else { return Ok(None) };
    if hexadecimal(&Sha256::digest(&packed)) != list.sha256 {
        return Err(unreadable(io::Error::other("its checksum differs from the manifest")));
    }
    unpack(&packed, list.objects).map(Some).map_err(unreadable)
}

/// Unpacks a list with the given number of objects. Both limits matter: a few bytes of gzip can expand to any number of
/// lines, and to lines of any length.
pub(crate) fn unpack(packed: &[u8], objects: u64) -> io::Result<Vec<InputLine>> {
    let mut text = BufReader::new(MultiGzDecoder::new(packed));
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    while text.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)? > 0 {
        if lines.len() as u64 == objects || line.pop() != Some(b'\n') {
            return Err(io::Error::other("it has too many lines or a line that is too long"));
        }
        lines.push(serde_json::from_slice(&line)?);
        line.clear();
    }
    if lines.len() as u64 == objects { Ok(lines) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Rewrites a list of inputs to the current names of the inputs. The same folder can have another name now, and logs can
/// have moved.
pub(crate) fn renamed(mut read: Vec<InputLine>, then: &[String], now: &[String]) -> Vec<InputLine> {
    let removed: Vec<&String> = then.iter().filter(|input| !now.contains(input)).collect();
    let added: Vec<&String> = now.iter().filter(|input| !then.contains(input)).collect();
    if removed.len() != added.len() {
        return read;
    }
    for input in &mut read {
        let mut names = removed.iter().zip(&added);
        let new = names.find_map(|(old, new)| {
            Some(format!("{}{}", new.trim_end_matches('/'), rest_below(old, &input.object)?))
        });
        if let Some(new) = new {
            input.object = new;
        }
    }
    read
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the line of an undamaged object.
    pub(crate) fn line(object: &str, bytes: u64, etag: Option<&str>, ledger: RowLedger) -> InputLine {
        InputLine {
            object: object.to_owned(),
            bytes,
            etag: etag.map(str::to_owned),
            damaged: false,
            unread: false,
            newer_than_name: 0,
            counted_only: BTreeMap::new(),
            ledger,
        }
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn a_list_unpacks_to_exactly_one_line_per_object() {
        let line = concat!(
            r#"{"object":"a","bytes":1,"read":0,"written":0,"other_day":0,"duplicate":0,"quarantined":0}"#,
            "\n"
        );
        let two = packed(line.repeat(2).as_bytes());
        assert_eq!(unpack(&two, 2).unwrap().len(), 2);
        assert_eq!(unpack(&packed(b""), 0).unwrap().len(), 0);
        for (packed, objects) in [
            (two.clone(), 1),
            (two.clone(), 3),
            (packed(line.trim_end().as_bytes()), 1),
            (packed(&vec![b' '; 64 << 20]), 1),
            (packed(&vec![b'\n'; 64 << 20]), 1),
            (two[..two.len() / 2].to_vec(), 2),
        ] {
            assert!(unpack(&packed, objects).is_err());
        }
    }
}

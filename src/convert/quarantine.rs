//! Rejected rows on their way to one JSON Lines file a day, in the order of objects and records.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::dataset::{Position, Rejection};
use crate::error::{Error, Result};

/// One line of the quarantine file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedRow {
    /// Address of the raw object.
    pub object: String,
    /// Record or line number, from 1; absent for the object as a whole.
    pub record: Option<u32>,
    /// Stable name of the reason.
    pub reason: String,
    /// The reason for a person.
    pub detail: String,
    /// The raw text, cut at 1 MiB.
    pub raw: Option<String>,
    /// How many bytes it had, when it was cut.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub raw_bytes: Option<usize>,
    /// `base64` when the raw bytes are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub encoding: Option<String>,
}

impl QuarantinedRow {
    /// The line of a rejected row.
    #[must_use]
    pub fn new(rejection: &Rejection, object: &str) -> Self {
        let (raw, encoding) = match rejection.raw.as_deref().map(std::str::from_utf8) {
            None => (None, None),
            Some(Ok(text)) => (Some(text.to_owned()), None),
            Some(Err(_)) => {
                (rejection.raw.as_ref().map(|raw| STANDARD.encode(raw)), Some("base64".to_owned()))
            }
        };
        Self {
            object: object.to_owned(),
            record: Some(rejection.position.record).filter(|record| *record > 0),
            reason: rejection.reason.to_owned(),
            detail: rejection.detail.clone(),
            raw_bytes: rejection
                .raw
                .as_ref()
                .filter(|raw| raw.len() < rejection.raw_bytes)
                .map(|_| rejection.raw_bytes),
            raw,
            encoding,
        }
    }
}

/// Where a written line lies.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Entry {
    object: u32,
    record: u32,
    offset: u64,
    bytes: u64,
}

/// Rejected rows in one unordered file, with their places.
#[derive(Debug)]
pub struct Quarantine {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    entries: Vec<Entry>,
    bytes: u64,
}

impl Quarantine {
    /// An empty one; the file is made with the first row.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None, entries: Vec::new(), bytes: 0 }
    }

    /// Where the rows are written.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self) -> impl Fn(std::io::Error) -> Error + use<> {
        let path = self.path.clone();
        move |cause| super::spill_failed(&path, cause)
    }

    /// Adds a row.
    pub fn add(&mut self, rejection: &Rejection, object: &str) -> Result<()> {
        let mut line = serde_json::to_vec(&QuarantinedRow::new(rejection, object))
            .map_err(|cause| Error::bug("cannot write a rejected row as JSON").caused_by(cause))?;
        line.push(b'\n');
        let failed = self.failed();
        if self.file.is_none() {
            self.file = Some(BufWriter::new(File::create(&self.path).map_err(&failed)?));
        }
        if let Some(file) = &mut self.file {
            file.write_all(&line).map_err(&failed)?;
        }
        let Position { object, record } = rejection.position;
        let bytes = line.len() as u64;
        self.entries.push(Entry { object, record, offset: self.bytes, bytes });
        self.bytes += bytes;
        Ok(())
    }

    /// Gives objects other numbers.
    pub(super) fn renumber(&mut self, renumbered: impl Fn(u32) -> u32) {
        self.entries.iter_mut().for_each(|entry| entry.object = renumbered(entry.object));
    }

    /// Writes all rows, in order, to one file; returns their number. No rows, no file.
    pub fn write_sorted(all: &mut [Self], target: &Path) -> Result<u64> {
        let mut entries: Vec<(Entry, usize)> = Vec::new();
        for (which, log) in all.iter().enumerate() {
            entries.extend(log.entries.iter().map(|entry| (*entry, which)));
        }
        if entries.is_empty() {
            return Ok(0);
        }
        entries.sort_by_key(|(entry, which)| (entry.object, entry.record, *which, entry.offset));
        let failed = |cause| super::spill_failed(target, cause);
        let mut sources = all.iter_mut().map(Self::reopen).collect::<Result<Vec<_>>>()?;
        let mut sorted = BufWriter::new(File::create(target).map_err(failed)?);
        let mut line = Vec::new();
        for (entry, which) in &entries {
            let Some(source) = &mut sources[*which] else { continue };
            line.resize(usize::try_from(entry.bytes).unwrap_or(usize::MAX), 0);
            source.seek(SeekFrom::Start(entry.offset)).map_err(failed)?;
            source.read_exact(&mut line).map_err(failed)?;
            sorted.write_all(&line).map_err(failed)?;
        }
        sorted.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
        Ok(entries.len() as u64)
    }

    fn reopen(&mut self) -> Result<Option<File>> {
        let failed = self.failed();
        if let Some(mut file) = self.file.take() {
            file.flush().map_err(&failed)?;
        }
        if self.entries.is_empty() { Ok(None) } else { File::open(&self.path).map(Some).map_err(failed) }
    }

    /// Parts that a shard writes down for [`restore`](Self::restore).
    pub(super) fn index_json(&mut self) -> Result<String> {
        self.reopen()?;
        serde_json::to_string(&self.entries)
            .map_err(|cause| Error::bug("cannot write the index of rejected rows").caused_by(cause))
    }

    /// What a shard wrote, for reading.
    pub(super) fn restore(path: PathBuf, index_json: &str) -> Result<Self> {
        let entries: Vec<Entry> = serde_json::from_str(index_json)
            .map_err(|cause| Error::unusable("cannot read the index of rejected rows", cause))?;
        let bytes = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        let is_inside = |entry: &Entry| entry.offset.checked_add(entry.bytes).is_some_and(|end| end <= bytes);
        if !entries.iter().all(is_inside) {
            let cause = std::io::Error::other("it names rows that the file does not have");
            return Err(Error::unusable("cannot read the index of rejected rows", cause));
        }
        Ok(Self { path, file: None, entries, bytes })
    }
}

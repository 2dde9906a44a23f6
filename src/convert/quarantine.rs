//! Writes rejected rows to one JSON Lines file per day, in the order of objects and records.
//!
//! The file holds the first rows in that order whose lines fit into a limit. All others are only counted, by object and reason.
//! Which rows are kept depends on the inputs alone. A worker may drop only rows that cannot be among them: its rows come in
//! order, so a row that follows as many lines as the limit allows is beyond the limit in any day.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::reject_stream::{RejectReader, RejectStream};
use super::shared_room::SharedRoom;
use super::spill_failed;
use crate::error::{Error, Result};
use crate::rules::RowRules;
use crate::store::scratch::private_file;
use crate::table::{Position, Rejection};

/// One line of the quarantine file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedRow {
    /// Address of the raw object.
    pub object: String,
    /// Record or line number, from 1; absent for a row about the object as a whole.
    pub record: Option<u32>,
    /// Stable name of the reason.
    pub reason: String,
    /// The reason, for readers.
    pub detail: String,
    /// The raw text, cut at 1 MiB.
    pub raw: Option<String>,
    /// The size of the raw text in bytes, if it was cut.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub raw_bytes: Option<usize>,
    /// `base64` if the raw bytes are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub encoding: Option<String>,
}

impl QuarantinedRow {
    /// Creates the line of a rejected row.
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

    /// Formats the line, with its line end.
    fn to_line(&self) -> Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)
            .map_err(|cause| Error::bug("cannot write a rejected row as JSON").caused_by(cause))?;
        line.push(b'\n');
        Ok(line)
    }
}

/// Rejected rows of one reason that do not fit into the quarantine file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedOnly {
    /// Stable name of the reason.
    pub reason: String,
    /// Number of rows.
    pub rows: u64,
    /// Number of objects with such rows.
    pub objects: u64,
    /// Address of the first such object.
    pub first: String,
}

/// Rejected rows of an object, by reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) object: u32,
    pub(super) reason: Cow<'static, str>,
    pub(super) rows: u64,
}

/// The rejected rows of one worker and day, while they are being found.
#[derive(Debug)]
pub(super) struct OpenQuarantine<'w> {
    max_bytes: u64,
    /// The room that all workers together leave within the limit.
    room: &'w SharedRoom,
    /// Rows about an object as a whole: they precede the rows of its records, whenever they were found.
    wholes: RejectStream,
    records: RejectStream,
    tallies: Vec<Tally>,
}

impl<'w> OpenQuarantine<'w> {
    /// Creates an empty quarantine whose file names begin with `path`.
    pub(super) fn new(path: &Path, max_bytes: u64, room: &'w SharedRoom) -> Self {
        let stream = |what: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(what);
            RejectStream::new(name.into())
        };
        let (wholes, records) = (stream("-objects"), stream("-records"));
        Self { max_bytes, room, wholes, records, tallies: Vec::new() }
    }

    /// Counts a row of the current object or of a later one.
    fn count(&mut self, object: u32, reason: &'static str) {
        let mut own = self.tallies.iter_mut().rev().take_while(|tally| tally.object == object);
        match own.find(|tally| tally.reason == reason) {
            Some(tally) => tally.rows += 1,
            None => self.tallies.push(Tally { object, reason: Cow::Borrowed(reason), rows: 1 }),
        }
    }

    fn stream(&mut self, position: Position) -> &mut RejectStream {
        if position.record == 0 { &mut self.wholes } else { &mut self.records }
    }

    /// Whether a row at this position can be one of those that are kept. The last written line may cross the limit: the
    /// day's file is cut where it begins.
    fn has_room(&mut self, position: Position) -> bool {
        let max_bytes = self.max_bytes;
        self.room.is_open(position.object) && self.stream(position).line_bytes() < max_bytes
    }

    /// Writes the line of a row if there is room for it; returns the number of bytes written.
    fn add(&mut self, position: Position, reason: &str, line: &[u8]) -> Result<u64> {
        if !self.has_room(position) {
            return Ok(0);
        }
        self.stream(position).add(position, reason, line)?;
        Ok(line.len() as u64)
    }

    /// Whether the workers together have written everything that can be kept.
    pub(super) fn is_full(&self) -> bool {
        self.room.is_full()
    }

    /// Closes the quarantine when all rows are found.
    pub(super) fn close(self) -> Result<Quarantine> {
        let files = [self.wholes.close()?, self.records.close()?].into_iter().flatten().collect();
        Ok(Quarantine { max_bytes: self.max_bytes, files, tallies: self.tallies, numbers: None })
    }
}

/// Counts rejected rows of an object for the days that it feeds, and writes those that have room, masked.
pub(super) fn quarantine_rows(
    rejections: Vec<Rejection>,
    (object, address): (u32, &str),
    rules: &RowRules,
    fed: &mut [&mut OpenQuarantine<'_>],
) -> Result<()> {
    let mut written = vec![0; fed.len()];
    for rejection in rejections {
        let (position, reason) = (rejection.position, rejection.reason);
        for day in fed.iter_mut() {
            day.count(object, reason);
        }
        if !fed.iter_mut().any(|day| day.has_room(position)) {
            continue;
        }
        let line = QuarantinedRow::new(&rules.mask(rejection), address).to_line()?;
        for (day, written) in fed.iter_mut().zip(&mut written) {
            *written += day.add(position, reason, &line)?;
        }
    }
    for (day, written) in fed.iter().zip(written) {
        day.room.note(object, written);
    }
    Ok(())
}

/// The rejected rows of one worker and day.
#[derive(Debug)]
pub(super) struct Quarantine {
    /// The limit that applied when they were found.
    pub(super) max_bytes: u64,
    /// Streams of rows.
    pub(super) files: Vec<PathBuf>,
    /// In the order of objects.
    pub(super) tallies: Vec<Tally>,
    /// New numbers of the objects, by their old ones, for the numbers in the files.
    numbers: Option<Arc<[u32]>>,
}

/// The content of a quarantine file, and the rows that it lacks.
#[derive(Debug, Default)]
pub(super) struct KeptRows {
    /// Number of lines in the file.
    pub(super) rows: u64,
    /// Rows that are only counted, in the order of objects and reasons.
    pub(super) counted_only: Vec<Tally>,
}

impl Quarantine {
    /// Opens what a shard wrote.
    pub(super) fn of_shard(max_bytes: u64, files: Vec<PathBuf>, tallies: Vec<Tally>) -> Self {
        Self { max_bytes, files, tallies, numbers: None }
    }

    /// Gives objects new numbers, in the same order.
    pub(super) fn renumber(&mut self, numbers: &Arc<[u32]>) {
        for tally in &mut self.tallies {
            tally.object = numbers[tally.object as usize];
        }
        self.numbers = Some(Arc::clone(numbers));
    }

    /// Writes the first rows in order to one file, as many as fit into the limit. Without rows it creates no file.
    pub(super) fn write_sorted(all: &[Self], max_bytes: u64, target: &Path) -> Result<KeptRows> {
        let max_bytes = all.iter().map(|quarantine| quarantine.max_bytes).fold(max_bytes, u64::min);
        let mut sorted = SortedFile::new(target, max_bytes);
        let streams = all.iter().flat_map(|quarantine| {
            quarantine.files.iter().map(|file| RejectReader::new(file.clone(), quarantine.numbers.clone()))
        });
        let mut streams: Vec<RejectReader> = streams.collect();
        let mut next = BinaryHeap::new();
        for (which, stream) in streams.iter_mut().enumerate() {
            next.extend(stream.position()?.map(|position| Reverse((position, which))));
        }
        while let Some(Reverse((position, which))) = next.pop() {
            let (reason, line) = streams[which].take()?;
            if !sorted.add(position.object, reason, line)? {
                break;
            }
            next.extend(streams[which].position()?.map(|position| Reverse((position, which))));
        }
        sorted.close(all)
    }
}

/// The quarantine file that is being written.
struct SortedFile<'a> {
    target: &'a Path,
    file: Option<BufWriter<File>>,
    max_bytes: u64,
    bytes: u64,
    rows: u64,
    /// The object of the last row.
    last: Option<u32>,
    /// The rows of that object, by reason.
    rows_of_last: BTreeMap<String, u64>,
}

impl<'a> SortedFile<'a> {
    fn new(target: &'a Path, max_bytes: u64) -> Self {
        let (bytes, rows, rows_of_last) = Default::default();
        Self { target, file: None, max_bytes, bytes, rows, last: None, rows_of_last }
    }

    /// Adds a row if there is room for it.
    fn add(&mut self, object: u32, reason: &str, line: &[u8]) -> Result<bool> {
        let failed = |cause| spill_failed(self.target, cause);
        if self.bytes + line.len() as u64 > self.max_bytes {
            return Ok(false);
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(private_file(self.target).map_err(failed)?)),
        };
        file.write_all(line).map_err(failed)?;
        self.bytes += line.len() as u64;
        self.rows += 1;
        if self.last != Some(object) {
            self.last = Some(object);
            self.rows_of_last.clear();
        }
        match self.rows_of_last.get_mut(reason) {
            Some(rows) => *rows += 1,
            None => {
                self.rows_of_last.insert(reason.to_owned(), 1);
            }
        }
        Ok(true)
    }

    /// Completes the file, and counts the rows that it lacks: those of objects after the last one in it, and some of that
    /// object.
    fn close(self, all: &[Quarantine]) -> Result<KeptRows> {
        let failed = |cause| spill_failed(self.target, cause);
        if let Some(file) = self.file {
            file.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
        }
        let mut left: BTreeMap<(u32, &str), u64> = BTreeMap::new();
        let is_behind = |tally: &&Tally| self.last.is_none_or(|last| tally.object >= last);
        for tally in all.iter().flat_map(|quarantine| &quarantine.tallies).filter(is_behind) {
            let rows = left.entry((tally.object, &tally.reason)).or_default();
            *rows = rows.saturating_add(tally.rows);
        }
        for (reason, kept) in &self.rows_of_last {
            if let Some(rows) = self.last.and_then(|last| left.get_mut(&(last, reason.as_str()))) {
                *rows = rows.saturating_sub(*kept);
            }
        }
        let left = left.into_iter().filter(|(_, rows)| *rows > 0);
        let tally = |((object, reason), rows): (_, _)| Tally {
            object,
            reason: Cow::Owned(str::to_owned(reason)),
            rows,
        };
        Ok(KeptRows { rows: self.rows, counted_only: left.map(tally).collect() })
    }
}

#[cfg(test)]
mod tests;

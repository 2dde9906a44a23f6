//! Stores rejected rows in a file, in the order of their positions, for a merge to read.
//!
//! A row is a frame: four 32-bit numbers (object, record, bytes of the reason, bytes of the line), the reason and the line. A
//! stream keeps no file open between writes or between reads, because a day in many shards has thousands of streams.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::spill_failed;
use crate::error::{Error, ErrorKind, Result};
use crate::store::scratch::{private_file, private_file_end};
use crate::table::Position;

/// Bytes to buffer before a write.
const WRITE_BYTES: usize = 8 << 10;
/// Bytes per read.
const READ_BYTES: usize = 64 << 10;
/// Bytes of a frame before the reason.
const HEAD_BYTES: usize = 16;
/// Maximum size of the name of a reason.
pub(super) const MAX_REASON_BYTES: usize = 256;
/// Maximum size of a line: raw bytes are cut at 1 MiB, and JSON makes at most six bytes of each.
pub(crate) const MAX_LINE_BYTES: usize = 16 << 20;

/// A file of rejected rows that is being written.
#[derive(Debug)]
pub(super) struct RejectStream {
    path: PathBuf,
    waiting: Vec<u8>,
    is_begun: bool,
    line_bytes: u64,
}

impl RejectStream {
    /// Creates an empty stream; its file is created with the first row.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, waiting: Vec::new(), is_begun: false, line_bytes: 0 }
    }

    /// Total bytes of the lines.
    pub(super) fn line_bytes(&self) -> u64 {
        self.line_bytes
    }

    /// Adds a row, which must not precede the last one.
    pub(super) fn add(&mut self, position: Position, reason: &str, line: &[u8]) -> Result<()> {
        if !self.is_begun {
            private_file(&self.path).map_err(|cause| spill_failed(&self.path, cause))?;
            self.is_begun = true;
        }
        let [reason_bytes, line_bytes] = [reason.len(), line.len()]
            .map(|bytes| u32::try_from(bytes).expect("reasons and lines are shorter than their limits"));
        for number in [position.object, position.record, reason_bytes, line_bytes] {
            self.waiting.extend_from_slice(&number.to_le_bytes());
        }
        self.waiting.extend_from_slice(reason.as_bytes());
        self.waiting.extend_from_slice(line);
        self.line_bytes += line.len() as u64;
        if self.waiting.len() < WRITE_BYTES { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<()> {
        let append = || private_file_end(&self.path)?.write_all(&self.waiting);
        append().map_err(|cause| spill_failed(&self.path, cause))?;
        self.waiting.clear();
        Ok(())
    }

    /// Completes the file; returns its path if there is a row.
    pub(super) fn close(mut self) -> Result<Option<PathBuf>> {
        if !self.waiting.is_empty() {
            self.flush()?;
        }
        Ok(Some(self.path).filter(|_| self.is_begun))
    }
}

/// Reads a stream row by row.
#[derive(Debug)]
pub(super) struct RejectReader {
    path: PathBuf,
    /// New numbers of the objects, by their old ones.
    numbers: Option<Arc<[u32]>>,
    /// The end of the buffer in the file.
    at: u64,
    buffer: Vec<u8>,
    /// Bytes of the buffer that have been used.
    used: usize,
    last: Option<Position>,
}

/// The sizes of a frame's reason and line.
#[derive(Debug, Clone, Copy)]
struct FrameSizes {
    reason: usize,
    line: usize,
}

impl RejectReader {
    /// Creates a reader of a whole file.
    pub(super) fn new(path: PathBuf, numbers: Option<Arc<[u32]>>) -> Self {
        Self { path, numbers, at: 0, buffer: Vec::new(), used: 0, last: None }
    }

    /// The position of the next row; `None` at the end of the file.
    pub(super) fn position(&mut self) -> Result<Option<Position>> {
        match self.fill(HEAD_BYTES)? {
            0 => return Ok(None),
            HEAD_BYTES.. => {}
            _ => return Err(self.damaged("it ends within a row")),
        }
        let [object, record, ..] = self.head();
        let object = match &self.numbers {
            Some(numbers) => numbers.get(object as usize).copied(),
            None => Some(object),
        };
        let object = object.ok_or_else(|| self.damaged("it names an object that was not read"))?;
        let position = Position { object, record };
        if self.last.is_some_and(|last| last > position) {
            return Err(self.damaged("its rows are out of order"));
        }
        Ok(Some(position))
    }

    /// Takes the row whose [`position`](Self::position) was returned: its reason and its line.
    pub(super) fn take(&mut self) -> Result<(&str, &[u8])> {
        self.last = self.position()?;
        let FrameSizes { reason, line } = self.sizes()?;
        let end = HEAD_BYTES + reason + line;
        if self.fill(end)? < end {
            return Err(self.damaged("it ends within a row"));
        }
        let start = self.used + HEAD_BYTES;
        self.used += end;
        let (reason_bytes, line_bytes) = self.buffer[start..self.used].split_at(reason);
        match std::str::from_utf8(reason_bytes) {
            Ok(reason) => Ok((reason, line_bytes)),
            Err(_) => Err(damaged(&self.path, "a reason is not text")),
        }
    }

    fn sizes(&self) -> Result<FrameSizes> {
        let [.., reason, line] = self.head().map(|number| number as usize);
        if reason > MAX_REASON_BYTES || line > MAX_LINE_BYTES {
            return Err(self.damaged("a row is longer than the limit"));
        }
        Ok(FrameSizes { reason, line })
    }

    fn head(&self) -> [u32; 4] {
        let mut numbers = self.buffer[self.used..].as_chunks::<4>().0.iter();
        std::array::from_fn(|_| numbers.next().map_or(0, |number| u32::from_le_bytes(*number)))
    }

    /// Fills the buffer with at least `wanted` unused bytes, unless the file ends earlier; returns their number, at most
    /// `wanted`.
    fn fill(&mut self, wanted: usize) -> Result<usize> {
        if self.buffer.len() - self.used < wanted {
            self.buffer.drain(..self.used);
            self.used = 0;
            self.read(wanted.max(READ_BYTES)).map_err(|cause| {
                Error::unusable("cannot read the rejected rows", cause).with("path", self.path.display())
            })?;
        }
        Ok((self.buffer.len() - self.used).min(wanted))
    }

    /// Reads until the buffer has `goal` bytes or the file ends.
    fn read(&mut self, goal: usize) -> io::Result<()> {
        let file = File::open(&self.path)?;
        let mut filled = self.buffer.len();
        self.buffer.resize(goal, 0);
        while filled < goal {
            match file.read_at(&mut self.buffer[filled..], self.at) {
                Ok(0) => break,
                Ok(count) => {
                    filled += count;
                    self.at += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.buffer.truncate(filled);
        Ok(())
    }

    fn damaged(&self, why: &str) -> Error {
        damaged(&self.path, why)
    }
}

fn damaged(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Unusable, format!("the file of rejected rows is damaged: {why}"))
        .with("path", path.display())
        .hint("convert the shard again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(object: u32, record: u32) -> Position {
        Position { object, record }
    }

    fn read(path: &Path, numbers: Option<Arc<[u32]>>) -> Result<Vec<(Position, String, usize)>> {
        let mut reader = RejectReader::new(path.to_owned(), numbers);
        let mut rows = Vec::new();
        while let Some(position) = reader.position()? {
            let (reason, line) = reader.take()?;
            rows.push((position, reason.to_owned(), line.len()));
        }
        Ok(rows)
    }

    /// A stream of three rows, one of them longer than the buffers.
    fn written(folder: &Path) -> PathBuf {
        let mut stream = RejectStream::new(folder.join("rejected"));
        let long = vec![b'x'; 3 * READ_BYTES];
        for (position, line) in [(at(0, 1), &b"a\n"[..]), (at(0, 2), &long), (at(2, 0), b"b\n")] {
            stream.add(position, "why", line).unwrap();
        }
        assert_eq!(stream.line_bytes(), 4 + long.len() as u64);
        stream.close().unwrap().unwrap()
    }

    #[test]
    fn rows_are_read_back_as_written_with_the_new_numbers_of_their_objects() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let row = |position, bytes| (position, "why".to_owned(), bytes);
        let long = 3 * READ_BYTES;
        assert_eq!(read(&path, None).unwrap(), [row(at(0, 1), 2), row(at(0, 2), long), row(at(2, 0), 2)]);
        let renumbered = read(&path, Some([5, 6, 9].into())).unwrap();
        assert_eq!(renumbered, [row(at(5, 1), 2), row(at(5, 2), long), row(at(9, 0), 2)]);
        let none = RejectStream::new(folder.path().join("none"));
        assert!(none.close().unwrap().is_none(), "no row, no file");
    }

    #[test]
    fn a_changed_file_is_an_error_and_takes_no_more_memory_than_a_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let whole = std::fs::read(&path).unwrap();
        let head = |numbers: [u32; 4]| numbers.map(u32::to_le_bytes).concat();
        let frame = |object, record| [head([object, record, 0, 1]), b"\n".to_vec()].concat();
        for (content, why) in [
            (whole[..whole.len() - 1].to_vec(), "ends within a row"),
            (whole[..7].to_vec(), "ends within a row"),
            (head([0, 0, 0, u32::MAX]), "longer than the limit"),
            (head([0, 0, u32::MAX, 0]), "longer than the limit"),
            ([head([0, 0, 1, 0]), vec![0xff]].concat(), "not text"),
            ([frame(1, 1), frame(0, 1)].concat(), "out of order"),
            (frame(3, 1), "was not read"),
        ] {
            std::fs::write(&path, content).unwrap();
            let error = read(&path, Some([0, 1, 2].into())).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}

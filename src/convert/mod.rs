//! Turns objects into rows, and rows into part files.
//!
//! [`scatter()`] decodes objects in parallel into sorted runs of rows, in memory or spilled to disk. [`gather()`] finds the
//! duplicates, merges the runs and encodes part files. The order of rows is a total order over their content and origin, and
//! files are cut by their content. So neither the number of threads nor the amount of memory changes a byte, as long as a
//! row group fits.

mod block;
mod budget;
pub(crate) mod checksum;
mod chunk;
mod clusters;
mod column_writer;
mod dedupe;
mod encode;
mod gather;
mod leg;
mod legs;
mod merge;
mod object;
mod outlook;
mod packed_file;
mod quarantine;
mod reject_stream;
mod run;
mod scatter;
mod scattered;
mod search;
pub(crate) mod shard_index;
mod shared_room;
mod staged;
mod staged_rows;
mod text_column;

pub use encode::PartFile;
pub(crate) use encode::{hexadecimal, part_path};
pub use gather::{Gathered, ObjectLedger, PartsTarget, gather};
pub use leg::{DayTarget, Leg, Reading};
pub use legs::DayLegs;
pub(crate) use object::{ObjectReader, Opened};
pub use quarantine::{CountedOnly, QuarantinedRow};
pub(crate) use reject_stream::MAX_LINE_BYTES;
pub use scatter::scatter;
pub use scattered::Scattered;
pub use search::{RawFound, RawQuery, RawRow, search_raw};
pub use staged::{Attempt, Staging};

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::budget::Budget;
use crate::cancel::Cancel;
use crate::dataset::DecodeLimits;
use crate::error::Error;

/// Options that decide how the work is done; the plan decides what is done.
#[derive(Debug, Clone)]
pub struct ConvertOptions {
    /// Workers.
    pub threads: usize,
    /// Bytes of memory that buffered rows and unfinished files may take.
    pub memory: usize,
    /// Maximum number of decompressed bytes that are read from one object.
    pub max_object_bytes: u64,
    /// Maximum number of bytes of rejected rows that are kept per table and day; others are only counted.
    pub max_quarantine_bytes: u64,
    /// Size at which a part file is closed, in bytes.
    pub target_file_bytes: u64,
    /// Encoded size at which a row group is closed, in bytes.
    pub row_group_bytes: usize,
    /// Limits on records.
    pub limits: DecodeLimits,
    /// Asks the work to stop.
    pub cancel: Cancel,
}

/// Encoded size of a row group, as AWS recommends for Athena.
const ROW_GROUP_BYTES: usize = 128 << 20;

impl ConvertOptions {
    /// Creates options with this number of workers and bytes of memory, and the command line's defaults for the rest.
    #[must_use]
    pub fn new(threads: usize, memory: usize) -> Self {
        Self {
            threads,
            memory,
            max_object_bytes: 4 << 30,
            max_quarantine_bytes: 256 << 20,
            target_file_bytes: 256 << 20,
            row_group_bytes: ROW_GROUP_BYTES,
            limits: DecodeLimits::ATHENA,
            cancel: Cancel::default(),
        }
    }

    /// The memory for buffered rows; rows beyond it are spilled.
    #[must_use]
    pub fn residency(&self) -> Residency {
        Residency { limit: Budget::of(self).waiting_bytes(), taken: AtomicUsize::new(0) }
    }
}

/// Memory for buffered rows, shared by all days that are being built.
#[derive(Debug)]
pub struct Residency {
    limit: usize,
    taken: AtomicUsize,
}

impl Residency {
    /// No memory: every row is spilled, for another process to read.
    #[must_use]
    pub fn none() -> Self {
        Self { limit: 0, taken: AtomicUsize::new(0) }
    }

    /// Takes memory for rows, if there is room.
    fn take(&self, bytes: usize) -> bool {
        let fits = self.taken.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.limit;
        if !fits {
            self.give_back(bytes);
        }
        fits
    }

    fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Resets the count between two walks: only `bytes` are still in use.
    pub fn settle(&self, bytes: usize) {
        self.taken.store(bytes, Ordering::Relaxed);
    }
}

/// Receives the progress of converting objects to part files; called from many threads. A caller that converts many days
/// also counts days, see [`road::Progress`](crate::road::Progress).
pub trait Progress: Sync {
    /// An object is done: its size as stored, and the rows read from it.
    fn object_done(&self, bytes: u64, rows: u64);
    /// Rows were written to part files.
    fn rows_written(&self, rows: u64);
}

/// Creates an error about writing staged rows, with the next step.
fn spill_failed(path: &Path, cause: std::io::Error) -> Error {
    crate::store::write_failed("cannot write to the staging folder", path, cause)
        .hint(crate::store::DAY_UNCHANGED)
}

//! The lake: where published days live, and how one day of a table is replaced as a whole.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::kst::KstDay;

/// One day of one table: the unit that is published whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Name of the table.
    pub table: String,
    /// The day.
    pub day: KstDay,
}

impl fmt::Display for Partition {
    /// `table/proc_ymd=20231101`, the path below the lake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/proc_ymd={}", self.table, self.day.proc_ymd())
    }
}

/// Name of the manifest in a partition; engines pass over names that begin with `_`.
pub const MANIFEST: &str = "_manifest.json";

/// A place with published days.
pub trait Lake: Send + Sync {
    /// The address of a path, for people.
    fn address(&self, path: &str) -> String;

    /// Takes the partition for one run; it is free again when the value is dropped, or when its process dies.
    ///
    /// Fails with [`Temporary`](crate::error::ErrorKind::Temporary), naming the holder, when another run has it.
    fn lock(&self, partition: &Partition, holder: &str) -> Result<Box<dyn Send>>;

    /// A folder on this machine for spilled rows and unfinished files of a run, below one for the partition.
    fn scratch(&self, partition: &Partition, run: &str) -> Result<super::Scratch>;

    /// Removes what killed runs of the partition left behind. The partition must be locked.
    fn sweep(&self, partition: &Partition) -> Result<()>;

    /// Reads a small file, or `None` when there is none.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>>;

    /// A published file as a file of this machine, for reading.
    fn local_path(&self, path: &str) -> PathBuf;

    /// Names in a folder; none when there is no such folder.
    fn names(&self, folder: &str) -> Result<Vec<String>>;

    /// Moves a finished file of this machine into the lake, replacing what is there in one step.
    fn put(&self, path: &str, file: &Path) -> Result<()>;

    /// Removes a file; one that is not there is no error.
    fn remove(&self, path: &str) -> Result<()>;

    /// Begins a new version of a partition, which nobody sees before it is committed.
    fn stage(&self, partition: &Partition, scratch: &super::Scratch) -> Result<Box<dyn StagedPartition>>;
}

/// A version of a partition that is being written. Dropped without a commit, it leaves nothing behind.
pub trait StagedPartition: Send {
    /// Starts a file at a path below the partition.
    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>>;

    /// Writes the manifest and makes this version the partition, in one step that readers see wholly or not at all.
    fn commit(self: Box<Self>, manifest: &[u8]) -> Result<()>;
}

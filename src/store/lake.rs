//! The lake: where published days live, and how one day of a table is replaced as a whole.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};

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

impl Partition {
    /// The folder with the rejected rows of its runs, below the lake: a file a run, named after it.
    #[must_use]
    pub fn quarantine(&self) -> String {
        format!("_quarantine/{self}")
    }

    /// The file with the rejected rows of a run, below the lake.
    #[must_use]
    pub fn quarantine_file(&self, run: &str) -> String {
        format!("{}/{run}.jsonl", self.quarantine())
    }

    /// The folder with what its runs did, below the lake: files named after the run. It is not in the partition, into which
    /// nothing is ever written while it is live, and which a failed first day must not make.
    #[must_use]
    pub fn history(&self) -> String {
        format!("_runs/{self}")
    }
}

/// Folder in a partition with the lists of raw objects of its runs: `run.jsonl.gz`.
pub const INPUTS: &str = "_inputs";

/// Bytes of a manifest, report or other small file at most: hundreds of times what the largest have.
pub const SMALL_FILE_BYTES: u64 = 64 << 20;

/// An error about a file that is larger than it may be.
pub(super) fn too_large(address: &str, most: u64) -> Error {
    Error::new(ErrorKind::Unusable, "the file is too large to be read")
        .with("path", address)
        .with("most", most)
        .hint("it is not as logmill wrote it: move it away")
}

/// Whether a file of `bytes` has a range.
pub(super) fn check_range(bytes: u64, offset: u64, length: usize) -> io::Result<()> {
    let end = offset.checked_add(length as u64);
    if end.is_some_and(|end| end <= bytes) { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Folder of a lake in a bucket with the locks of days: `_locks/table/proc_ymd=20231101.json`.
pub const LOCKS: &str = "_locks";

/// Who takes the lock of a day.
#[derive(Debug, Clone)]
pub struct LockTaker {
    /// The name of the run.
    pub run: String,
    /// Run, machine, process and time, as others are told of them: no two takers have the same.
    pub holder: String,
    /// Whether to take the lock also from a run that holds it.
    pub steals: bool,
}

/// The lock of a day, held: dropped, it is free again.
pub trait DayLock: Send {
    /// Makes sure, before a commit, that the day is still ours. As long as what it returns lives, nobody can take it away
    /// where a commit could not tell.
    ///
    /// Fails with [`Temporary`](crate::error::ErrorKind::Temporary), naming the new holder, when it was taken over.
    fn check(&self) -> Result<Box<dyn Send>>;

    /// Whether it was taken from a run of this machine that may still be at work among its unfinished files.
    fn was_stolen(&self) -> bool;
}

/// An error about a day whose lock somebody else has; `until` says how long, where it is not as long as he lives.
pub(super) fn held(partition: &Partition, holder: &str, until: Option<UtcInstant>) -> Error {
    let error = about_lock("another run is publishing this day", partition, holder);
    let error = match until {
        Some(until) => error.with("until", format!("{until}, unless it is renewed")),
        None => error,
    };
    error.hint("wait for it with --wait, or take the day from it with --steal, which makes its work lost")
}

/// An error about a lock that was ours.
pub(super) fn taken_over(partition: &Partition, holder: &str) -> Error {
    about_lock("the lock of the day was taken over: this run gives way", partition, holder)
        .hint("the day is the other run's now: run it again if its inputs have changed since")
}

fn about_lock(message: &str, partition: &Partition, holder: &str) -> Error {
    Error::new(ErrorKind::Temporary, message)
        .with("table", &partition.table)
        .with("day", partition.day)
        .with("holder", if holder.is_empty() { "unknown" } else { holder })
}

/// Whether an error says that another run has the day: waiting for it can help.
#[must_use]
pub fn is_held(error: &Error) -> bool {
    error.kind() == ErrorKind::Temporary && error.fact("holder").is_some()
}

/// A place with published days.
pub trait Lake: Send + Sync {
    /// The address of a path: what people and catalogs call it.
    fn address(&self, path: &str) -> String;

    /// Where a path is on this machine, if it is on it.
    fn local_path(&self, path: &str) -> Option<PathBuf>;

    /// Whether the files of several runs of a day can be there at once, so that readers of an old one can finish.
    fn keeps_runs(&self) -> bool;

    /// Takes the partition for one run. Of a process that dies the lock is free at once for others of its machine, and
    /// for other machines when it has expired.
    ///
    /// Fails with an error that [`is_held`] when another run has it.
    fn lock(&self, partition: &Partition, taker: &LockTaker) -> Result<Box<dyn DayLock>>;

    /// A folder on this machine for spilled rows and unfinished files of a run, below one for the partition.
    fn scratch(&self, partition: &Partition, run: &str) -> Result<super::Scratch>;

    /// Removes what killed runs of the partition left on this machine. The partition must be locked.
    fn sweep(&self, partition: &Partition) -> Result<()>;

    /// Removes, as far as it can be done, what killed runs of any partition left on this machine that no run has.
    fn sweep_others(&self, taker: &LockTaker);

    /// The partitions in which killed runs left something on this machine.
    fn left_here(&self) -> Vec<Partition>;

    /// Reads a small file, or `None` when there is none. One that is larger than such files ever are is refused.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.read_up_to(path, SMALL_FILE_BYTES)
    }

    /// Reads a file of at most so many bytes, or `None` when there is none. A larger one is refused, and so is a pipe or a
    /// device in its place, which may have no end.
    fn read_up_to(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>>;

    /// The time by the clock that dates the files of this lake; `None` where that is the clock of this machine, or no clock
    /// is known.
    fn now(&self) -> Result<Option<UtcInstant>> {
        Ok(None)
    }

    /// Opens a file for reading anywhere in it, or `None` when there is none.
    fn open(&self, path: &str) -> Result<Option<Box<dyn LakeFile>>>;

    /// Names in a folder; none when there is no such folder.
    fn names(&self, folder: &str) -> Result<Vec<String>>;

    /// What is in a folder, in the order of names, with the times at which files were written by the clock of the lake and
    /// not by that of a run; none when there is no such folder.
    fn entries(&self, folder: &str) -> Result<Vec<LakeEntry>>;

    /// Copies a finished file of this machine into the lake, replacing what is there in one step.
    fn put(&self, path: &str, file: &Path) -> Result<()>;

    /// Writes a small file, replacing what is there in one step.
    fn write(&self, path: &str, content: &[u8]) -> Result<()>;

    /// [`write`](Self::write) for a small file of another run, which stays what that run has given it beside its content:
    /// encryption, tags.
    fn rewrite(&self, path: &str, content: &[u8]) -> Result<()> {
        self.write(path, content)
    }

    /// Removes a file; one that is not there is no error.
    fn remove(&self, path: &str) -> Result<()>;

    /// Begins a new version of a partition, which nobody sees before it is committed.
    fn stage(&self, partition: &Partition, scratch: &super::Scratch) -> Result<Box<dyn StagedPartition>>;

    /// The files of all runs of a partition and of its quarantine, finished or not, where a lake
    /// [keeps](Self::keeps_runs) them.
    fn run_files(&self, partition: &Partition) -> Result<Vec<RunFile>>;

    /// Makes sure that no run which has begun a version of the partition before can still commit it: what such runs have
    /// written may then be removed. `false` where another manifest stands by now than the one that was `judged`. The partition
    /// must be locked, which is enough in a folder.
    fn fence(&self, _partition: &Partition, _judged: &[u8]) -> Result<bool> {
        Ok(true)
    }

    /// The partitions for which unfinished files are there, also where nothing else is.
    fn unfinished(&self) -> Result<Vec<Partition>>;

    /// Removes files of runs, and gives up those that are unfinished.
    fn remove_run_files(&self, files: &[RunFile]) -> Result<()>;
}

/// A file or folder in a folder of a lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeEntry {
    /// Its name.
    pub name: String,
    /// When it was written, by the clock of S3 or of the file system; the epoch for a folder of a bucket, which has no time.
    pub written_at: UtcInstant,
}

/// A published file.
pub trait LakeFile: Send + Sync {
    /// Its size.
    fn bytes(&self) -> u64;

    /// Reads exactly `length` bytes from `offset`. Fails before it takes memory where the file does not have them.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes>;
}

/// A file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFile {
    /// The run.
    pub run: String,
    /// Path below the lake.
    pub path: String,
    /// What the lake calls an unfinished upload; `None` for a finished file.
    pub upload: Option<String>,
    /// Size; 0 for an unfinished file.
    pub bytes: u64,
    /// When it was written, or begun.
    pub written_at: UtcInstant,
}

/// A version of a partition that is being written. Dropped without a commit, it leaves nothing behind.
pub trait StagedPartition: Send {
    /// The manifest that this version is to replace: what it was when this version was begun.
    fn replaces(&self) -> Option<&[u8]>;

    /// Starts a file at a path below the partition. Its last flush waits until the lake has it.
    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>>;

    /// Writes the manifest and makes this version the partition, in one step that readers see wholly or not at all.
    ///
    /// Fails with [`Temporary`](crate::error::ErrorKind::Temporary) when another run has replaced the day since this
    /// version was begun. What goes wrong once this version is public is no failure, but [trouble](Committed::trouble).
    fn commit(self: Box<Self>, manifest: &[u8]) -> std::result::Result<Committed, Uncommitted>;
}

/// A version that has become the partition.
#[derive(Debug, Default)]
pub struct Committed {
    /// What could not be done after it: a person should know of it, but the day stands.
    pub trouble: Vec<Error>,
}

/// Why a version of a partition was not committed.
#[derive(Debug)]
pub struct Uncommitted {
    /// What went wrong.
    pub error: Error,
    /// Whether it is certain that the old version stands. Where it is not, nothing that the manifest names may go.
    pub is_certain: bool,
}

/// Whether a folder has the name of a run: nothing else in a partition is ever removed.
#[must_use]
pub fn is_run_name(name: &str) -> bool {
    const PATTERN: &str = "ddddddddTddddddZ-xxxxxxxx";
    name.len() == PATTERN.len()
        && name.chars().zip(PATTERN.chars()).all(|(found, expected)| match expected {
            'd' => found.is_ascii_digit(),
            'x' => found.is_ascii_hexdigit(),
            literal => found == literal,
        })
}

/// The run whose folder a partition shows.
#[must_use]
pub fn run_of(location: &str) -> Option<String> {
    let last = location.trim_end_matches('/').rsplit('/').next()?;
    is_run_name(last).then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_runs_are_taken_for_runs() {
        for (name, expected) in [
            ("20261121T023837Z-668e6a1e", true),
            ("20261121T023837Z-668e6a1", false),
            ("20261121T023837Z-668e6a1e2", false),
            ("2026112xT023837Z-668e6a1e", false),
            ("_manifest.json", false),
            ("", false),
        ] {
            assert_eq!(is_run_name(name), expected, "{name}");
        }
    }
}

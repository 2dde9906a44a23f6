//! The lake: it stores published days, and replaces one day of a table as a whole.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

pub use super::partition::{
    INPUTS, INSIDE_MANIFEST, MANIFESTS, PARTITION_KEY, Partition, is_run_name, is_table_folder, run_of,
};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};

/// Returns the names of the folders of a lake that may be tables. A bucket has no folder for a table whose days are empty.
pub fn table_names(lake: &dyn Lake) -> Result<Vec<String>> {
    let names = [lake.names("")?, lake.names(MANIFESTS)?].concat();
    let tables: BTreeSet<String> = names.into_iter().filter(|name| is_table_folder(name)).collect();
    Ok(tables.into_iter().collect())
}

/// Returns the days for which a lake has a manifest or a folder of the table, in order. A killed run can leave a folder
/// without a manifest.
pub fn days_of(lake: &dyn Lake, table: &str) -> Result<BTreeSet<KstDay>> {
    let (folders, manifests) = (lake.names(table)?, lake.names(&format!("{MANIFESTS}/{table}"))?);
    let folders = folders.iter().filter_map(|name| Partition::day_of_folder(name));
    Ok(folders.chain(manifests.iter().filter_map(|name| Partition::day_of_file(name))).collect())
}

/// Returns the first of these days whose manifest has a property. Folders without a manifest are passed over.
pub fn first_day_with(
    lake: &dyn Lake,
    table: &str,
    days: impl Iterator<Item = KstDay>,
    fits: impl Fn(Vec<u8>) -> bool,
) -> Result<Option<KstDay>> {
    for day in days {
        let partition = Partition { table: table.to_owned(), day };
        if lake.manifest(&partition)?.is_some_and(|found| fits(found.json)) {
            return Ok(Some(day));
        }
    }
    Ok(None)
}

/// The manifest of a published day, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// Path below the lake.
    pub path: String,
    /// Its content.
    pub json: Vec<u8>,
    /// When it was written, by the clock of a lake that [keeps runs](Lake::keeps_runs).
    pub written_at: Option<UtcInstant>,
}

/// Maximum size of a manifest, run record or other small file, in bytes: hundreds of times that of the largest ones.
pub const SMALL_FILE_BYTES: u64 = 64 << 20;

/// Creates an error about a file that exceeds its size limit.
pub(super) fn too_large(address: &str, most: u64) -> Error {
    Error::new(ErrorKind::Unusable, "the file is too large to read")
        .with("path", address)
        .with("limit", most)
        .hint("move it elsewhere: logmill did not write it in this form")
}

/// Checks that a file of `bytes` contains a range.
pub(super) fn check_range(bytes: u64, offset: u64, length: usize) -> io::Result<()> {
    let end = offset.checked_add(length as u64);
    if end.is_some_and(|end| end <= bytes) { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Folder of a lake in a bucket with the locks of days: `_locks/table/proc_ymd=20231101.json`.
pub const LOCKS: &str = "_locks";

/// The run that takes the lock of a day.
#[derive(Debug, Clone)]
pub struct LockTaker {
    /// The name of the run.
    pub run: String,
    /// Run, machine, process and time, as other runs see them; unique for each taker.
    pub holder: String,
    /// Whether to take over the lock from a run that holds it.
    pub steals: bool,
}

/// The held lock of a day, which is released on drop.
pub trait DayLock: Send {
    /// Makes sure, before a commit, that this run still holds the day. While the returned value lives, no other run can take
    /// the day over without the commit noticing it.
    ///
    /// Fails with [`Temporary`](crate::error::ErrorKind::Temporary), naming the new holder, if the day was taken over.
    fn check(&self) -> Result<Box<dyn Send>>;

    /// Whether it was taken from a run of this machine that may still be working with its unfinished files.
    fn was_stolen(&self) -> bool;
}

/// Creates an error about a day that another run holds; `until` is the end of its lock, if the lock can end before the run.
pub(super) fn held(partition: &Partition, holder: &str, until: Option<UtcInstant>) -> Error {
    let error = about_lock("another run is publishing this day", partition, holder);
    let error = match until {
        Some(until) => error.with("until", format!("{until}, unless renewed")),
        None => error,
    };
    error.hint("wait with --wait, or take over with --steal (the other run's work is discarded)")
}

/// Creates an error about a lock that this run has lost.
pub(super) fn taken_over(partition: &Partition, holder: &str) -> Error {
    about_lock("the lock of the day was taken over: this run stops", partition, holder)
        .hint("let the other run publish the day, and run it again if its inputs have changed since")
}

fn about_lock(message: &str, partition: &Partition, holder: &str) -> Error {
    Error::new(ErrorKind::Temporary, message)
        .with("table", &partition.table)
        .with("day", partition.day)
        .with("holder", if holder.is_empty() { "unknown" } else { holder })
}

/// Whether an error means that another run holds the day, so that waiting can help.
#[must_use]
pub fn is_held(error: &Error) -> bool {
    error.kind() == ErrorKind::Temporary && error.fact("holder").is_some()
}

/// A place with published days.
///
/// ```
/// use logmill::cancel::Cancel;
/// use logmill::store::{ConnectionOptions, Connector, LakeAccess};
///
/// # let folder = tempfile::tempdir()?;
/// # let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
/// let connector = Connector::new(Cancel::default(), at("scratch").into(), ConnectionOptions::default());
/// let lake = connector.lake(&at("lake"), &LakeAccess::default())?;
///
/// lake.write("notes/today.txt", b"a small file")?;
/// assert_eq!(lake.read("notes/today.txt")?.as_deref(), Some(b"a small file".as_slice()));
/// assert_eq!(lake.names("notes")?, ["today.txt"]);
/// assert_eq!(lake.read("notes/tomorrow.txt")?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Lake: Send + Sync {
    /// The address of a path, as users and catalogs write it.
    fn address(&self, path: &str) -> String;

    /// The location of a path on this machine, if it is stored here.
    fn local_path(&self, path: &str) -> Option<PathBuf>;

    /// Whether files of several runs of a day can exist at once, so that readers of an old run can finish.
    fn keeps_runs(&self) -> bool;

    /// Locks the partition for one run. If its process dies, other runs of the same machine can take the lock at once, and
    /// other machines when it has expired.
    ///
    /// Fails with an error that [`is_held`] if another run holds the partition.
    fn lock(&self, partition: &Partition, taker: &LockTaker) -> Result<Box<dyn DayLock>>;

    /// Creates a folder on this machine for spilled rows and unfinished files of a run, below a folder of the partition.
    fn scratch(&self, partition: &Partition, run: &str) -> Result<super::Scratch>;

    /// Removes the files that killed runs of the partition left on this machine. The partition must be locked.
    fn sweep(&self, partition: &Partition) -> Result<()>;

    /// Removes, as far as possible, the files that killed runs left on this machine in partitions that no run holds.
    fn sweep_others(&self, taker: &LockTaker);

    /// The partitions in which killed runs left files on this machine.
    fn left_here(&self) -> Vec<Partition>;

    /// Reads a small file, or returns `None` if it does not exist. Refuses a file larger than small files ever are.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.read_up_to(path, SMALL_FILE_BYTES)
    }

    /// Reads a file of at most `most` bytes, or returns `None` if it does not exist. Refuses a larger file, and a pipe or
    /// device in its place, which may have no end.
    fn read_up_to(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>>;

    /// The current time of the clock that dates the files of this lake; `None` if that is the clock of this machine, or if no
    /// clock is known.
    fn now(&self) -> Result<Option<UtcInstant>> {
        Ok(None)
    }

    /// Reads the manifest of the live version of a partition; `None` if the day was never published. The day of an earlier
    /// version of logmill has it inside the partition.
    fn manifest(&self, partition: &Partition) -> Result<Option<StoredManifest>>;

    /// Opens a file for random access, or returns `None` if it does not exist.
    fn open(&self, path: &str) -> Result<Option<Box<dyn LakeFile>>>;

    /// Names in a folder; empty if the folder does not exist.
    fn names(&self, folder: &str) -> Result<Vec<String>>;

    /// The entries of a folder in the order of names, with their write times by the clock of the lake, not by that of a run;
    /// empty if the folder does not exist.
    fn entries(&self, folder: &str) -> Result<Vec<LakeEntry>>;

    /// Copies a finished file of this machine into the lake; replaces an existing file in one step.
    fn put(&self, path: &str, file: &Path) -> Result<()>;

    /// Writes a small file; replaces an existing file in one step.
    fn write(&self, path: &str, content: &[u8]) -> Result<()>;

    /// [`write`](Self::write) for a small file of another run, which keeps the attributes that the other run gave it:
    /// encryption, tags.
    fn rewrite(&self, path: &str, content: &[u8]) -> Result<()> {
        self.write(path, content)
    }

    /// Removes a file; succeeds if it does not exist.
    fn remove(&self, path: &str) -> Result<()>;

    /// Begins a new version of a partition, which is invisible until it is committed.
    fn stage(&self, partition: &Partition, scratch: &super::Scratch) -> Result<Box<dyn StagedPartition>>;

    /// The files of all runs of a partition, of its quarantine and of its lists of inputs, finished or not, if the lake
    /// [keeps](Self::keeps_runs) them.
    fn run_files(&self, partition: &Partition) -> Result<Vec<RunFile>>;

    /// Makes sure that runs which began a version of the partition earlier can no longer commit it, so that their files may
    /// be removed. Returns `false` if the current manifest is no longer the one that was `judged`. The partition must be
    /// locked, which is enough in a folder.
    fn fence(&self, _partition: &Partition, _judged: &[u8]) -> Result<bool> {
        Ok(true)
    }

    /// The partitions with unfinished files, including those that have no other files.
    fn unfinished(&self) -> Result<Vec<Partition>>;

    /// The unfinished files below a folder that belongs to no partition, if the lake keeps such files of killed processes.
    fn unfinished_below(&self, _folder: &str) -> Result<Vec<RunFile>> {
        Ok(Vec::new())
    }

    /// Removes files of runs, and aborts those that are unfinished.
    fn remove_run_files(&self, files: &[RunFile]) -> Result<()>;
}

/// A file or folder in a folder of a lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeEntry {
    /// Its name.
    pub name: String,
    /// When it was written, by the clock of S3 or of the file system; the epoch for a folder in a bucket, which has no time.
    pub written_at: UtcInstant,
}

/// A published file.
pub trait LakeFile: Send + Sync {
    /// Its size.
    fn bytes(&self) -> u64;

    /// Reads exactly `length` bytes from `offset`. Fails before it allocates memory if the file does not contain them.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes>;
}

/// A file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFile {
    /// The run; empty for a manifest inside the partition, which an earlier version of logmill put there.
    pub run: String,
    /// Path below the lake.
    pub path: String,
    /// The lake's id of an unfinished upload; `None` for a finished file.
    pub upload: Option<String>,
    /// Size; 0 for an unfinished file.
    pub bytes: u64,
    /// When it was written or begun.
    pub written_at: UtcInstant,
}

/// A version of a partition that is being written. If it is dropped without a commit, it leaves nothing behind.
pub trait StagedPartition: Send {
    /// The manifest that this version is to replace, as it was when this version was begun.
    fn replaces(&self) -> Option<&StoredManifest>;

    /// Creates a file at a path below the partition. Its final flush waits until the lake has stored the file.
    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>>;

    /// Writes the manifest and makes this version, whose files are below the folder of `run`, the partition, in one step that
    /// readers see completely or not at all.
    ///
    /// Fails with [`Temporary`](crate::error::ErrorKind::Temporary) if another run has replaced the day since this version
    /// was begun. A problem after this version is public is not a failure but [trouble](Committed::trouble).
    fn commit(self: Box<Self>, run: &str, manifest: &[u8]) -> std::result::Result<Committed, Uncommitted>;
}

/// A version that has become the partition.
#[derive(Debug, Default)]
pub struct Committed {
    /// Problems after the commit: they should be reported, but the day is published.
    pub trouble: Vec<Error>,
}

/// Why a version of a partition was not committed, or why this is uncertain.
#[derive(Debug)]
pub struct Uncommitted {
    /// What went wrong.
    pub error: Error,
    /// Whether the old version is certainly still published. If not, nothing may be removed that either version needs: readers
    /// may see the new one, and after a power cut the old one.
    pub is_certain: bool,
}

//! The lock of a day among the runs of one machine: a kernel lock on a file, which ends with its process.
//!
//! The file names its holder, and still does after the holder was killed: the next run that takes the lock then knows which
//! holder is dead. A run steals a lock by replacing its file; the lock belongs to the run whose file is in place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::{Errno, retry_on_intr};

use super::lake::{DayLock, LockTaker, Partition, held, taken_over};
use super::scratch::flags;
use super::work_folder::WorkFolder;
use super::write_failure::{DAY_UNCHANGED, write_failed};
use crate::error::{Error, Result};

/// How often a run that steals checks whether the current commit has ended, and the pause between two checks.
const STEAL_ATTEMPTS: u32 = 100;
const STEAL_PAUSE: Duration = Duration::from_millis(50);

/// The prefix of a holder that only clears up after a killed run, and how often a run checks whether it has finished.
const SWEEPER: &str = "clearing up: ";
const SWEEPER_ATTEMPTS: u32 = 200;
/// How often another holder is checked again: a sweeper that has just started has not written its name yet.
const HOLDER_ATTEMPTS: u32 = 1;
/// Maximum number of attempts to open the file while runs that end remove its folder.
const OPEN_ATTEMPTS: u32 = 10_000;

/// A lock file, locked by the kernel and removed at the end.
pub(super) struct FileLock {
    path: PathBuf,
    work: WorkFolder,
    file: File,
    partition: Partition,
    /// Holders that were killed, one per line.
    dead: String,
    was_stolen: bool,
    /// Whether the file is kept for runs that check which holders were killed.
    is_kept: bool,
}

impl FileLock {
    /// Takes the lock.
    pub(super) fn take(
        path: &Path,
        work: &WorkFolder,
        partition: &Partition,
        taker: &LockTaker,
    ) -> Result<Self> {
        let mut attempts = 0;
        loop {
            let lock = match Self::try_take(path, work, partition)? {
                Attempt::Taken(lock) => Some(lock),
                Attempt::Moved => None,
                Attempt::Held(holder) => {
                    let is_sweeper = holder.starts_with(SWEEPER);
                    attempts += 1;
                    if attempts <= if is_sweeper { SWEEPER_ATTEMPTS } else { HOLDER_ATTEMPTS } {
                        thread::sleep(STEAL_PAUSE);
                        None
                    } else if taker.steals {
                        Self::steal(path, work, partition, taker)?
                    } else {
                        return Err(held(partition, &holder, None));
                    }
                }
            };
            if let Some(mut lock) = lock {
                lock.add_holder(&taker.holder)?;
                return Ok(lock);
            }
        }
    }

    /// Takes the lock to clear up, unless another run holds it.
    pub(super) fn take_if_free(
        path: &Path,
        work: &WorkFolder,
        partition: &Partition,
        holder: &str,
    ) -> Result<Option<Self>> {
        let Attempt::Taken(mut lock) = Self::try_take(path, work, partition)? else { return Ok(None) };
        lock.add_holder(&format!("{SWEEPER}{holder}"))?;
        // The lock of a day in a bucket is taken over at once from a run that is known to be dead.
        lock.is_kept = work.is_private() && !lock.dead.is_empty();
        Ok(Some(lock))
    }

    /// Whether a run holds a lock.
    pub(super) fn is_held(path: &Path) -> bool {
        let opened = OpenOptions::new().read(true).custom_flags(flags(OFlags::NOFOLLOW)).open(path);
        let looked = opened.map(|file| flock(file, FlockOperation::NonBlockingLockShared));
        matches!(looked, Ok(Err(Errno::WOULDBLOCK)))
    }

    fn try_take(path: &Path, work: &WorkFolder, partition: &Partition) -> Result<Attempt> {
        let failed = |cause| locking_failed(path, cause);
        let mut file = open_lock_file(path, work).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                return Ok(Attempt::Held(last_holder(&read_holders(&mut file)).to_owned()));
            }
            result => result.map_err(|errno| failed(errno.into()))?,
        }
        if !is_at(path, &file) {
            return Ok(Attempt::Moved);
        }
        let (path, work, partition) = (path.to_owned(), work.clone(), partition.clone());
        let dead = read_holders(&mut file);
        Ok(Attempt::Taken(Self { path, work, file, partition, dead, was_stolen: false, is_kept: false }))
    }

    fn add_holder(&mut self, holder: &str) -> Result<()> {
        let written = self.file.write_all(format!("{holder}\n").as_bytes());
        written.map_err(|cause| locking_failed(&self.path, cause))
    }

    /// Replaces a locked file with one of this run; `None` if the folder was removed in the meantime.
    fn steal(
        path: &Path,
        work: &WorkFolder,
        partition: &Partition,
        taker: &LockTaker,
    ) -> Result<Option<Self>> {
        let ours = path.with_extension("").join(format!("{}.lock", taker.run));
        let Some(_gate) = close_gate(path, work, partition)? else { return Ok(None) };
        let replace = || {
            let file = open_lock_file(&ours, work)?;
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            fs::rename(&ours, path)?;
            Ok(file)
        };
        let file = replace().map_err(|cause| locking_failed(path, cause))?;
        let (path, work, partition) = (path.to_owned(), work.clone(), partition.clone());
        Ok(Some(Self { path, work, file, partition, dead: String::new(), was_stolen: true, is_kept: false }))
    }

    /// Whether a holder of the lock was killed.
    #[cfg(feature = "aws")]
    pub(super) fn is_known_dead(&self, holder: &str) -> bool {
        self.dead.lines().any(|dead| dead == holder)
    }

    /// Rewrites the file so that it names only the current holder.
    pub(super) fn forget_dead_holders(&self, taker: &LockTaker) -> Result<()> {
        let line = format!("{}\n", taker.holder);
        let written = self.file.write_all_at(line.as_bytes(), 0);
        let rewritten = written.and_then(|()| self.file.set_len(line.len() as u64));
        rewritten.map_err(|cause| locking_failed(&self.path, cause))
    }
}

/// The outcome of an attempt to take the lock.
enum Attempt {
    Taken(FileLock),
    /// A run that ended removed the file or its folder in between: try again.
    Moved,
    /// Held by this holder.
    Held(String),
}

impl DayLock for FileLock {
    fn check(&self) -> Result<Box<dyn Send>> {
        // Some file systems cannot lock folders. There, only a theft at the very moment of a commit goes unnoticed.
        let gate = gate(&self.path, FlockOperation::LockShared).ok();
        if is_at(&self.path, &self.file) {
            return Ok(Box::new(gate));
        }
        let holders = File::open(&self.path).map(|mut file| read_holders(&mut file)).unwrap_or_default();
        Err(taken_over(&self.partition, last_holder(&holders)))
    }

    fn was_stolen(&self) -> bool {
        self.was_stolen
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let _gate = gate(&self.path, FlockOperation::LockShared);
        if !self.is_kept && is_at(&self.path, &self.file) {
            let _ = fs::remove_file(&self.path);
            // The folder of a run that steals.
            let _ = fs::remove_dir(self.path.with_extension(""));
            self.work.remove_empty_above(&self.path);
        }
    }
}

/// The gate between commit and theft: a lock on the folder of the lock files, shared by runs that commit or end.
fn gate(path: &Path, operation: FlockOperation) -> io::Result<File> {
    let folder = File::open(path.parent().unwrap_or(Path::new(".")))?;
    retry_on_intr(|| flock(&folder, operation))?;
    Ok(folder)
}

/// Closes the gate for runs that commit; `None` if its folder was removed in the meantime.
fn close_gate(path: &Path, work: &WorkFolder, partition: &Partition) -> Result<Option<File>> {
    for _ in 0..STEAL_ATTEMPTS {
        // A folder is not removed while it has an entry.
        let kept = work.make(&path.with_extension(""));
        let closed = kept.and_then(|()| gate(path, FlockOperation::NonBlockingLockExclusive));
        match closed {
            Ok(folder) => {
                return Ok(path.parent().is_some_and(|there| is_at(there, &folder)).then_some(folder));
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => thread::sleep(STEAL_PAUSE),
            Err(cause) => return Err(locking_failed(path, cause)),
        }
    }
    Err(held(partition, "a run that is committing a day of the table", None))
}

fn open_lock_file(path: &Path, work: &WorkFolder) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(work.file_mode());
    options.custom_flags(flags(OFlags::NOFOLLOW));
    let mut attempt = 1;
    loop {
        work.make(path.parent().unwrap_or(work.top()))?;
        match options.open(path) {
            // A run that ended removed the folder in between.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && attempt < OPEN_ATTEMPTS => attempt += 1,
            opened => return opened,
        }
    }
}

/// Whether a path refers to an open file.
fn is_at(path: &Path, file: &File) -> bool {
    match (fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(ours)) => (there.dev(), there.ino()) == (ours.dev(), ours.ino()),
        _ => false,
    }
}

fn read_holders(file: &mut File) -> String {
    let mut holders = Vec::new();
    let _ = file.read_to_end(&mut holders);
    String::from_utf8_lossy(&holders).into_owned()
}

fn last_holder(holders: &str) -> &str {
    holders.lines().last().unwrap_or_default()
}

fn locking_failed(path: &Path, cause: io::Error) -> Error {
    write_failed("cannot lock the day", path, cause).hint(DAY_UNCHANGED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition() -> Partition {
        Partition { table: "t".to_owned(), day: "2023-11-01".parse().unwrap() }
    }

    fn taker(run: &str, steals: bool) -> LockTaker {
        LockTaker { run: run.to_owned(), holder: format!("run {run}"), steals }
    }

    fn path(root: &Path) -> PathBuf {
        WorkFolder::in_lake(root).top().join("t/day.lock")
    }

    fn take(root: &Path, taker: &LockTaker) -> Result<FileLock> {
        FileLock::take(&path(root), &WorkFolder::in_lake(root), &partition(), taker)
    }

    #[test]
    fn a_run_waits_for_a_sweeper_but_not_for_other_holders() {
        let root = tempfile::tempdir().unwrap();
        let work = WorkFolder::in_lake(root.path());
        let sweep = || FileLock::take_if_free(&path(root.path()), &work, &partition(), "run x").unwrap();
        let sweeper = sweep().unwrap();
        assert!(FileLock::is_held(&path(root.path())));
        let one = taker("one", false);
        let lock = thread::scope(|scope| {
            let waiting = scope.spawn(|| take(root.path(), &one));
            // It gets the lock whether or not it is already waiting for it.
            drop(sweeper);
            waiting.join().unwrap().unwrap()
        });
        assert!(sweep().is_none());
        assert!(take(root.path(), &taker("two", false)).is_err());
        drop(lock);
        assert!(!FileLock::is_held(&path(root.path())));
    }

    #[test]
    fn a_lock_file_that_is_a_link_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("target");
        fs::write(&target, "content").unwrap();
        fs::create_dir_all(path(root.path()).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&target, path(root.path())).unwrap();
        assert!(take(root.path(), &taker("one", false)).is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "content");
    }

    #[test]
    fn killed_holders_are_known_until_another_run_has_taken_their_place() {
        let root = tempfile::tempdir().unwrap();
        let path = path(root.path());
        // The file as a killed holder leaves it, and as the next holder leaves it if it is killed right away.
        let one = taker("one", false);
        let lock = take(root.path(), &one).unwrap();
        lock.forget_dead_holders(&one).unwrap();
        let holders = fs::read(&path).unwrap();
        drop(lock);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, holders).unwrap();
        let two = fs::read(&take(root.path(), &taker("two", false)).unwrap().path).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, two).unwrap();
        let three = taker("three", false);
        let lock = take(root.path(), &three).unwrap();
        for (holder, expected) in
            [("run one", true), ("run two", true), ("run three", false), ("run", false), ("", false)]
        {
            assert_eq!(lock.dead.lines().any(|dead| dead == holder), expected, "{holder}");
        }
        lock.forget_dead_holders(&three).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "run three\n");
        drop(lock);
        assert!(!path.exists() && !path.parent().unwrap().exists());
    }

    #[test]
    fn a_lock_belongs_to_the_last_run_that_stole_it() {
        let root = tempfile::tempdir().unwrap();
        let first = take(root.path(), &taker("first", false)).unwrap();
        first.check().unwrap();
        assert!(!first.was_stolen());
        let second = take(root.path(), &taker("second", true)).unwrap();
        assert!(second.was_stolen());
        second.check().unwrap();
        for refused in [first.check().map(drop), take(root.path(), &taker("third", false)).map(drop)] {
            let error = refused.unwrap_err();
            assert!(error.is_retryable());
            assert_eq!(error.fact("holder"), Some("run second"));
        }
        drop(first);
        second.check().unwrap();
        drop(second);
        take(root.path(), &taker("third", false)).unwrap().check().unwrap();
    }

    #[test]
    fn a_day_cannot_be_stolen_during_its_commit() {
        let root = tempfile::tempdir().unwrap();
        let lock = take(root.path(), &taker("first", false)).unwrap();
        let committing = lock.check().unwrap();
        let closing =
            || gate(&lock.path, FlockOperation::NonBlockingLockExclusive).map_err(|cause| cause.kind());
        assert_eq!(closing().unwrap_err(), io::ErrorKind::WouldBlock);
        drop(committing);
        closing().unwrap();
    }
}

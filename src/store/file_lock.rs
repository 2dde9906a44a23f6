//! The lock of a day among the runs of one machine: one of the kernel's on a file, which dies with its process.
//!
//! The file says who holds it, and keeps saying so when he was killed: whoever takes the lock then can tell which holder
//! is dead. A lock is stolen by putting another file in its place; the lock is his whose file is there.

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
use super::write_failure::{STANDS, write_failed};
use crate::error::{Error, Result};

/// How often a thief looks whether the commit that is under way has ended, and how long he waits between two looks.
const STEAL_LOOKS: u32 = 100;
const STEAL_PAUSE: Duration = Duration::from_millis(50);

/// What the line of a holder begins with who only clears up what a killed run has left, and how long he is waited for.
const SWEEPER: &str = "clearing up: ";
const SWEEPER_LOOKS: u32 = 200;
/// How often another holder is looked at again: a sweeper that has just come has not yet said who he is.
const HOLDER_LOOKS: u32 = 1;
/// How often the file is opened at most while runs that end remove its folder.
const OPEN_ATTEMPTS: u32 = 10_000;

/// A lock file, locked by the kernel and removed at the end.
pub(super) struct FileLock {
    path: PathBuf,
    work: WorkFolder,
    file: File,
    partition: Partition,
    /// Who held it and was killed, a line each.
    dead: String,
    was_stolen: bool,
    /// Whether the file stays for those who ask who was killed.
    stays: bool,
}

impl FileLock {
    /// Takes the lock.
    pub(super) fn take(
        path: &Path,
        work: &WorkFolder,
        partition: &Partition,
        taker: &LockTaker,
    ) -> Result<Self> {
        let mut looks = 0;
        loop {
            let lock = match Self::try_take(path, work, partition)? {
                Attempt::Taken(lock) => Some(lock),
                Attempt::Moved => None,
                Attempt::Held(holder) => {
                    let is_sweeper = holder.starts_with(SWEEPER);
                    looks += 1;
                    if looks <= if is_sweeper { SWEEPER_LOOKS } else { HOLDER_LOOKS } {
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

    /// Takes the lock to clear up, unless somebody has it.
    pub(super) fn take_if_free(
        path: &Path,
        work: &WorkFolder,
        partition: &Partition,
        holder: &str,
    ) -> Result<Option<Self>> {
        let Attempt::Taken(mut lock) = Self::try_take(path, work, partition)? else { return Ok(None) };
        lock.add_holder(&format!("{SWEEPER}{holder}"))?;
        // The lock of a bucket's day is taken over at once from a run that is known to be dead.
        lock.stays = work.is_private() && !lock.dead.is_empty();
        Ok(Some(lock))
    }

    /// Whether somebody has a lock.
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
                return Ok(Attempt::Held(newest_holder(&said_in(&mut file)).to_owned()));
            }
            result => result.map_err(|errno| failed(errno.into()))?,
        }
        if !is_at(path, &file) {
            return Ok(Attempt::Moved);
        }
        let (path, work, partition) = (path.to_owned(), work.clone(), partition.clone());
        let dead = said_in(&mut file);
        Ok(Attempt::Taken(Self { path, work, file, partition, dead, was_stolen: false, stays: false }))
    }

    fn add_holder(&mut self, holder: &str) -> Result<()> {
        let written = self.file.write_all(format!("{holder}\n").as_bytes());
        written.map_err(|cause| locking_failed(&self.path, cause))
    }

    /// Puts a file of ours in the place of one that is locked; `None` when the folder went away meanwhile.
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
        Ok(Some(Self { path, work, file, partition, dead: String::new(), was_stolen: true, stays: false }))
    }

    /// Whether a holder of the lock was killed.
    #[cfg(feature = "aws")]
    pub(super) fn knows_as_dead(&self, holder: &str) -> bool {
        self.dead.lines().any(|dead| dead == holder)
    }

    /// Says from now on only who holds the lock.
    pub(super) fn forget_the_dead(&self, taker: &LockTaker) -> Result<()> {
        let line = format!("{}\n", taker.holder);
        let written = self.file.write_all_at(line.as_bytes(), 0);
        let rewritten = written.and_then(|()| self.file.set_len(line.len() as u64));
        rewritten.map_err(|cause| locking_failed(&self.path, cause))
    }
}

/// What an attempt to take the lock has come to.
enum Attempt {
    Taken(FileLock),
    /// A run that ended removed file or folder in between: to be tried again.
    Moved,
    /// By whom.
    Held(String),
}

impl DayLock for FileLock {
    fn check(&self) -> Result<Box<dyn Send>> {
        // Some file systems know no locks on folders: there only a theft in the very moment of a commit goes unseen.
        let gate = gate(&self.path, FlockOperation::LockShared).ok();
        if is_at(&self.path, &self.file) {
            return Ok(Box::new(gate));
        }
        let said = File::open(&self.path).map(|mut file| said_in(&mut file)).unwrap_or_default();
        Err(taken_over(&self.partition, newest_holder(&said)))
    }

    fn was_stolen(&self) -> bool {
        self.was_stolen
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let _gate = gate(&self.path, FlockOperation::LockShared);
        if !self.stays && is_at(&self.path, &self.file) {
            let _ = fs::remove_file(&self.path);
            // Of a theft.
            let _ = fs::remove_dir(self.path.with_extension(""));
            self.work.remove_empty_above(&self.path);
        }
    }
}

/// The gate between commit and theft: a lock on the folder of the lock files, shared by those who commit or end.
fn gate(path: &Path, operation: FlockOperation) -> io::Result<File> {
    let folder = File::open(path.parent().unwrap_or(Path::new(".")))?;
    retry_on_intr(|| flock(&folder, operation))?;
    Ok(folder)
}

/// Closes the gate for those who commit; `None` when its folder went away meanwhile.
fn close_gate(path: &Path, work: &WorkFolder, partition: &Partition) -> Result<Option<File>> {
    for _ in 0..STEAL_LOOKS {
        // With something in it, the folder stays.
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
    Err(held(partition, "a run that is just committing a day of the table", None))
}

fn open_lock_file(path: &Path, work: &WorkFolder) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(work.file_mode());
    options.custom_flags(flags(OFlags::NOFOLLOW));
    let mut attempt = 1;
    loop {
        work.make(path.parent().unwrap_or(work.top()))?;
        match options.open(path) {
            // A run that ended has removed the folder in between.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && attempt < OPEN_ATTEMPTS => attempt += 1,
            opened => return opened,
        }
    }
}

/// Whether a path leads to an open file.
fn is_at(path: &Path, file: &File) -> bool {
    match (fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(ours)) => (there.dev(), there.ino()) == (ours.dev(), ours.ino()),
        _ => false,
    }
}

fn said_in(file: &mut File) -> String {
    let mut said = Vec::new();
    let _ = file.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

fn newest_holder(said: &str) -> &str {
    said.lines().last().unwrap_or_default()
}

fn locking_failed(path: &Path, cause: io::Error) -> Error {
    write_failed("cannot lock the day", path, cause).hint(STANDS)
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
    fn a_sweeper_is_waited_for_and_others_are_not() {
        let root = tempfile::tempdir().unwrap();
        let work = WorkFolder::in_lake(root.path());
        let sweep = || FileLock::take_if_free(&path(root.path()), &work, &partition(), "run x").unwrap();
        let sweeper = sweep().unwrap();
        assert!(FileLock::is_held(&path(root.path())));
        let one = taker("one", false);
        let lock = thread::scope(|scope| {
            let waiting = scope.spawn(|| take(root.path(), &one));
            // Whether it has come to the lock by then or not, it gets it.
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
    fn those_who_were_killed_are_known_until_somebody_has_taken_their_place() {
        let root = tempfile::tempdir().unwrap();
        let path = path(root.path());
        // What a holder that is killed leaves, and one that is killed after him, before he has done anything.
        let one = taker("one", false);
        let lock = take(root.path(), &one).unwrap();
        lock.forget_the_dead(&one).unwrap();
        let said = fs::read(&path).unwrap();
        drop(lock);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, said).unwrap();
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
        lock.forget_the_dead(&three).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "run three\n");
        drop(lock);
        assert!(!path.exists() && !path.parent().unwrap().exists());
    }

    #[test]
    fn a_lock_is_his_who_stole_it_last() {
        let root = tempfile::tempdir().unwrap();
        let first = take(root.path(), &taker("first", false)).unwrap();
        first.check().unwrap();
        assert!(!first.was_stolen());
        let second = take(root.path(), &taker("second", true)).unwrap();
        assert!(second.was_stolen());
        second.check().unwrap();
        for robbed in [first.check().map(drop), take(root.path(), &taker("third", false)).map(drop)] {
            let error = robbed.unwrap_err();
            assert!(error.is_retryable());
            assert_eq!(error.fact("holder"), Some("run second"));
        }
        drop(first);
        second.check().unwrap();
        drop(second);
        take(root.path(), &taker("third", false)).unwrap().check().unwrap();
    }

    #[test]
    fn nobody_steals_a_day_that_is_being_committed() {
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

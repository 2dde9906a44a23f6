//! The lock of a day among the runs of one machine: one of the kernel's on a file, which dies with its process.
//!
//! The file says who holds it, and keeps saying so when he was killed: whoever takes the lock then can tell which holder
//! is dead. A lock is stolen by putting another file in its place; the lock is his whose file is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};

use super::lake::{DayLock, LockTaker, Partition, held, taken_over};
use super::local_lake::write_failed;
use super::scratch::remove_empty_parents;
use crate::error::{Error, Result};

/// How often a thief looks whether the commit that is under way has ended, and how long he waits between two looks.
const STEAL_LOOKS: u32 = 100;
const STEAL_PAUSE: Duration = Duration::from_millis(50);

/// A lock file, locked by the kernel and removed at the end.
pub(super) struct FileLock {
    path: PathBuf,
    root: PathBuf,
    file: File,
    partition: Partition,
    /// Who held it and was killed, a line each.
    #[cfg_attr(
        not(any(feature = "aws", test)),
        expect(dead_code, reason = "only locks across machines outlive a process")
    )]
    dead: String,
    was_stolen: bool,
}

impl FileLock {
    /// Takes the lock.
    pub(super) fn take(path: &Path, root: &Path, partition: &Partition, taker: &LockTaker) -> Result<Self> {
        loop {
            let mut lock = match Self::try_take(path, root, partition, taker.steals)? {
                Attempt::Taken(lock) => lock,
                Attempt::Moved => continue,
                Attempt::Held => match Self::steal(path, root, partition, taker)? {
                    Some(lock) => lock,
                    None => continue,
                },
            };
            let line = format!("{}\n", taker.holder);
            lock.file.write_all(line.as_bytes()).map_err(|cause| locking_failed(path, cause))?;
            return Ok(lock);
        }
    }

    fn try_take(path: &Path, root: &Path, partition: &Partition, steals: bool) -> Result<Attempt> {
        let failed = |cause| locking_failed(path, cause);
        let mut file = match open_lock_file(path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && root_can_be_made(root) => {
                return Ok(Attempt::Moved);
            }
            opened => opened.map_err(failed)?,
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) if steals => return Ok(Attempt::Held),
            Err(Errno::WOULDBLOCK) => return Err(held(partition, newest_holder(&said_in(&mut file)), None)),
            result => result.map_err(|errno| failed(errno.into()))?,
        }
        if !is_at(path, &file) {
            return Ok(Attempt::Moved);
        }
        let (path, root, partition) = (path.to_owned(), root.to_owned(), partition.clone());
        let dead = said_in(&mut file);
        Ok(Attempt::Taken(Self { path, root, file, partition, dead, was_stolen: false }))
    }

    /// Puts a file of ours in the place of one that is locked; `None` when the folder went away meanwhile.
    fn steal(path: &Path, root: &Path, partition: &Partition, taker: &LockTaker) -> Result<Option<Self>> {
        let ours = path.with_extension("").join(format!("{}.lock", taker.run));
        let Some(_gate) = close_gate(path, partition)? else { return Ok(None) };
        let replace = || {
            let file = open_lock_file(&ours)?;
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            fs::rename(&ours, path)?;
            Ok(file)
        };
        let file = replace().map_err(|cause| locking_failed(path, cause))?;
        let (path, root, partition) = (path.to_owned(), root.to_owned(), partition.clone());
        Ok(Some(Self { path, root, file, partition, dead: String::new(), was_stolen: true }))
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
    Held,
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
        if is_at(&self.path, &self.file) {
            let _ = fs::remove_file(&self.path);
            remove_empty_parents(&self.path, &self.root);
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
fn close_gate(path: &Path, partition: &Partition) -> Result<Option<File>> {
    for _ in 0..STEAL_LOOKS {
        // With something in it, the folder stays.
        let kept = fs::create_dir_all(path.with_extension(""));
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

fn open_lock_file(path: &Path) -> io::Result<File> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Whether it was not the root of the lake that is missing.
fn root_can_be_made(root: &Path) -> bool {
    fs::create_dir_all(root).is_ok()
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
    write_failed("cannot lock the day", path, cause)
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

    fn take(root: &Path, taker: &LockTaker) -> Result<FileLock> {
        FileLock::take(&root.join("t/day.lock"), root, &partition(), taker)
    }

    #[test]
    fn those_who_were_killed_are_known_until_somebody_has_taken_their_place() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("t/day.lock");
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

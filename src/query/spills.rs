//! A folder for rows that do not fit into memory. Each engine has its own and removes it at the end.
//!
//! The folder is in the private folder of this user, next to a lock file. The kernel releases the lock when the process
//! dies. A folder with a free lock belongs to a killed query, and the next query removes it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::retry_on_intr;

use crate::error::Result;
use crate::store::private_folder;

/// Attempts to remove the folder while a thread still writes to it.
const REMOVE_ATTEMPTS: u32 = 20;
/// Attempts to create a folder while other queries remove its parent.
const CREATE_ATTEMPTS: u32 = 20;
/// Attempts to find a name that no other query uses, with a lock that no other query removes as abandoned.
const NAME_ATTEMPTS: u32 = 20;
/// The folder for all queries, in the private folder.
const QUERIES: &str = "queries";
const LOCK: &str = "lock";

/// A folder for spilled rows. Dropping the value removes the folder and its contents.
#[derive(Debug)]
pub(super) struct SpillFolder {
    /// `None` if no folder can be created. A statement then fails only if it needs to spill rows.
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    path: PathBuf,
    /// Locked until the query ends.
    lock: File,
}

impl SpillFolder {
    /// Creates a folder below `scratch`. Failing to create it is not an error until rows are spilled, but a folder that is
    /// not private to this user is refused.
    pub(super) fn below(scratch: &Path) -> Result<Self> {
        let mut attempt = 1;
        loop {
            let queries = match private_folder(scratch) {
                Ok(private) => private.join(QUERIES),
                Err(error) if error.fact("why").is_some() => return Err(error),
                // Leave a folder alone that other users may have created.
                Err(_) => return Ok(Self { place: None }),
            };
            match create_in(&queries) {
                Ok(place) => return Ok(Self { place: Some(place) }),
                // Another query has just ended and removed the empty parent folders.
                Err(cause) if cause.kind() == io::ErrorKind::NotFound && attempt < CREATE_ATTEMPTS => {
                    attempt += 1;
                }
                Err(_) => return Ok(Self { place: None }),
            }
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.place.as_ref().map(|place| place.path.as_path())
    }
}

fn create_in(queries: &Path) -> io::Result<Place> {
    match DirBuilder::new().mode(0o700).create(queries) {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => return Err(cause),
        _ => remove_abandoned(queries),
    }
    for _ in 0..NAME_ATTEMPTS {
        let path = queries.join(format!("{:016x}", getrandom::u64().map_err(io::Error::other)?));
        if let Some(lock) = take_new(&path.with_extension(LOCK))? {
            DirBuilder::new().mode(0o700).create(&path)?;
            return Ok(Place { path, lock });
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Creates a lock file and takes the lock; `None` if another query was faster.
fn take_new(path: &Path) -> io::Result<Option<File>> {
    let file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        file => file?,
    };
    // On a file system without locks, no query removes the folder as abandoned, because none can take its lock.
    let _ = retry_on_intr(|| flock(&file, FlockOperation::LockExclusive));
    Ok(is_at(path, &file).then_some(file))
}

fn is_at(path: &Path, file: &File) -> bool {
    let place = |meta: fs::Metadata| (meta.dev(), meta.ino());
    matches!((fs::symlink_metadata(path).map(place), file.metadata().map(place)), (Ok(a), Ok(b)) if a == b)
}

/// Removes the folders of killed queries. Errors are ignored, because this query does not need the removal.
fn remove_abandoned(queries: &Path) {
    let entries = fs::read_dir(queries).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    for lock in paths.filter(|path| path.extension().is_some_and(|extension| extension == LOCK)) {
        let Ok(file) = File::open(&lock) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() || !is_at(&lock, &file) {
            continue;
        }
        // Remove the lock last, because a folder without a lock would never be removed.
        let folder = lock.with_extension("");
        if fs::remove_dir_all(&folder).is_ok() || !folder.exists() {
            let _ = fs::remove_file(&lock);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A thread that is still running may create one more file.
        let mut attempts = REMOVE_ATTEMPTS;
        while attempts > 0 && fs::remove_dir_all(&self.path).is_err() && self.path.exists() {
            attempts -= 1;
        }
        if !self.path.exists() {
            let _ = fs::remove_file(self.path.with_extension(LOCK));
        }
        let _ = flock(&self.lock, FlockOperation::Unlock);
        for parent in self.path.ancestors().skip(1).take(2) {
            // Fails unless the folder is empty.
            let _ = fs::remove_dir(parent);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn below(scratch: &Path) -> Place {
        SpillFolder::below(scratch).unwrap().place.unwrap()
    }

    #[test]
    fn each_engine_has_a_private_folder_and_removes_it() {
        let scratch = tempfile::tempdir().unwrap();
        let folders = [below(scratch.path()), below(scratch.path())];
        assert_ne!(folders[0].path, folders[1].path);
        let queries = folders[0].path.parent().unwrap().to_owned();
        assert_eq!(
            (mode(&folders[0].path), mode(&queries), mode(queries.parent().unwrap())),
            (0o700, 0o700, 0o700)
        );
        fs::write(folders[0].path.join("spilled"), "rows").unwrap();
        drop(folders);
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_next_query_removes_the_folder_of_a_killed_one_and_keeps_that_of_a_running_one() {
        let scratch = tempfile::tempdir().unwrap();
        let killed = below(scratch.path());
        let living = below(scratch.path());
        let (left, kept) = (killed.path.join("spilled"), living.path.join("spilled"));
        fs::write(&left, "rows").unwrap();
        fs::write(&kept, "rows").unwrap();
        // The kernel does this when a process dies.
        flock(&killed.lock, FlockOperation::Unlock).unwrap();
        std::mem::forget(killed);
        let next = below(scratch.path());
        assert!(!left.parent().unwrap().exists() && kept.exists());
        drop((living, next));
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_created_is_ignored_but_a_foreign_one_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(SpillFolder::below(&file).unwrap().path().is_none());
        let private = private_folder(scratch.path()).unwrap();
        fs::set_permissions(&private, fs::Permissions::from_mode(0o755)).unwrap();
        let error = SpillFolder::below(scratch.path()).unwrap_err();
        assert!(error.to_string().contains("not private"), "{error}");
    }
}

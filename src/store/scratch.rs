//! A temporary folder that is removed when it goes out of scope.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock, getxattr};
use rustix::io::{Errno, retry_on_intr};

use super::work_folder::WorkFolder;
use super::write_failure::write_failed;
use crate::error::Result;

/// Attributes that hold access lists beyond owner, group and others.
const ACCESS_LISTS: [&str; 2] = ["system.posix_acl_access", "system.posix_acl_default"];
/// The kernel's limit for the size of an attribute.
const MAX_LIST_BYTES: usize = 64 << 10;

/// A folder that is removed with its contents when the value is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    work: WorkFolder,
    /// Locked while the folder is in use: an unlocked folder belongs to a run that was killed. `None` on a file system that
    /// cannot lock folders.
    _in_use: Option<File>,
    /// Whether the folder remains when the value is dropped.
    is_left: bool,
}

impl Scratch {
    /// Creates the folder, which must be new, and its parents. Parents that are empty are removed with it.
    pub(super) fn create(work: &WorkFolder, path: PathBuf) -> Result<Self> {
        work.make_new(&path).map_err(|cause| {
            write_failed("cannot create the staging folder", &path, cause)
                .hint("check that the output exists and that this user may write to it")
        })?;
        let in_use = File::open(&path).ok();
        let in_use =
            in_use.filter(|folder| retry_on_intr(|| flock(folder, FlockOperation::LockExclusive)).is_ok());
        Ok(Self { path, work: work.clone(), _in_use: in_use, is_left: false })
    }

    /// Whether folders created here are like those created in `other` and can be moved there: the same group, permissions and
    /// access lists, on the same file system, without a quota or mount in between.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let (ours, twin) = (self.path.join("probe"), other.path.join("twin"));
        let is_like = || {
            fs::create_dir(&ours)?;
            fs::create_dir(&twin)?;
            let is_like = Inherited::of(&ours)? == Inherited::of(&twin)?;
            fs::rename(&ours, other.path.join("probe"))?;
            Ok::<_, io::Error>(is_like)
        };
        let answer = is_like().unwrap_or(false);
        for probe in [&ours, &twin, &other.path.join("probe")] {
            let _ = fs::remove_dir(probe);
        }
        answer
    }

    /// Path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder to the next run, as if this one had been killed.
    pub fn leave(mut self) {
        self.is_left = true;
    }

    /// Removes the folder; fails if something in it cannot be removed.
    pub fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.path)
            .map_err(|cause| write_failed("cannot remove unfinished work", &self.path, cause))
    }
}

/// The properties that a new folder inherits from its parent.
#[derive(PartialEq, Eq)]
struct Inherited {
    group: u32,
    mode: u32,
    access_lists: [Option<Vec<u8>>; 2],
}

impl Inherited {
    fn of(folder: &Path) -> io::Result<Self> {
        let meta = fs::metadata(folder)?;
        let access_lists = ACCESS_LISTS.map(|name| {
            let mut list = vec![0; MAX_LIST_BYTES];
            let length = getxattr(folder, name, list.as_mut_slice()).ok()?;
            list.truncate(length);
            Some(list)
        });
        Ok(Self { group: meta.gid(), mode: meta.mode(), access_lists })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.is_left {
            return;
        }
        // Best effort: the next run removes the rest.
        let _ = fs::remove_dir_all(&self.path);
        self.work.remove_empty_above(&self.path);
    }
}

/// Whether a run is working in a folder; `None` if this is unknown.
pub(super) fn is_in_use(folder: &Path) -> Option<bool> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags(OFlags::DIRECTORY | OFlags::NOFOLLOW))
        .open(folder)
        .ok()?;
    match flock(&opened, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Some(false),
        Err(Errno::WOULDBLOCK) => Some(true),
        Err(_) => None,
    }
}

/// Creates a file for rows that other users may not read; links are not followed.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.custom_flags(flags(OFlags::NOFOLLOW)).open(path)
}

/// Opens a file made by [`private_file`] for appending.
pub fn private_file_end(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).custom_flags(flags(OFlags::NOFOLLOW)).open(path)
}

/// Converts flags to the type that the standard library takes.
pub(super) fn flags(flags: OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn a_private_file_is_private_to_its_owner_and_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("rows"), folder.path().join("link"));
        private_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::write(&path, "rows").unwrap();
        symlink(&path, &link).unwrap();
        assert!(private_file(&link).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "rows");
    }

    #[test]
    fn a_scratch_folder_is_new_and_in_use_until_it_is_dropped() {
        let root = tempfile::tempdir().unwrap();
        let work = WorkFolder::in_lake(root.path());
        let path = work.top().join("t/day/run");
        let scratch = Scratch::create(&work, path.clone()).unwrap();
        assert_eq!(is_in_use(&path), Some(true));
        assert!(Scratch::create(&work, path.clone()).is_err());
        scratch.remove().unwrap();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
        Scratch::create(&work, path.clone()).unwrap().leave();
        assert_eq!(is_in_use(&path), Some(false), "left, as by a run that was killed");
    }
}

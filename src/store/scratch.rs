//! A folder for what must not stay: removed when it goes out of scope.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock, getxattr};
use rustix::io::{Errno, retry_on_intr};

use super::work_folder::WorkFolder;
use super::write_failure::write_failed;
use crate::error::Result;

/// Attributes with access lists beyond owner, group and others.
const ACCESS_LISTS: [&str; 2] = ["system.posix_acl_access", "system.posix_acl_default"];
/// The kernel allows no longer attribute.
const MOST_LIST_BYTES: usize = 64 << 10;

/// A folder that is removed with all it holds when the value is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    work: WorkFolder,
    /// Locked as long as it is in use: what the kernel knows to be free is of a run that was killed. `None` on a file
    /// system that knows no locks on folders.
    _in_use: Option<File>,
}

impl Scratch {
    /// Makes the folder, which must be new, and those above it; of these the ones that are empty go with it.
    pub(super) fn create(work: &WorkFolder, path: PathBuf) -> Result<Self> {
        work.make_new(&path).map_err(|cause| {
            write_failed("cannot make the staging folder", &path, cause)
                .hint("check that the output exists and that this user may write there")
        })?;
        let in_use = File::open(&path).ok();
        let in_use =
            in_use.filter(|folder| retry_on_intr(|| flock(folder, FlockOperation::LockExclusive)).is_ok());
        Ok(Self { path, work: work.clone(), _in_use: in_use })
    }

    /// Whether what is made here is as if it were made in the other one, and can be moved there: the same group, permissions
    /// and access lists, on the same file system, without a quota or mount in between.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let (ours, twin) = (self.path.join("probe"), other.path.join("twin"));
        let is_like = || {
            fs::create_dir(&ours)?;
            fs::create_dir(&twin)?;
            let is_like = Nature::of(&ours)? == Nature::of(&twin)?;
            fs::rename(&ours, other.path.join("probe"))?;
            Ok::<_, io::Error>(is_like)
        };
        let answer = is_like().unwrap_or(false);
        for probe in [&ours, &twin, &other.path.join("probe")] {
            let _ = fs::remove_dir(probe);
        }
        answer
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, and says what cannot be removed.
    pub fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.path)
            .map_err(|cause| write_failed("cannot remove unfinished work", &self.path, cause))
    }
}

/// What a new folder has from the folder in which it is made.
#[derive(PartialEq, Eq)]
struct Nature {
    group: u32,
    mode: u32,
    access_lists: [Option<Vec<u8>>; 2],
}

impl Nature {
    fn of(folder: &Path) -> io::Result<Self> {
        let meta = fs::metadata(folder)?;
        let access_lists = ACCESS_LISTS.map(|name| {
            let mut list = vec![0; MOST_LIST_BYTES];
            let length = getxattr(folder, name, list.as_mut_slice()).ok()?;
            list.truncate(length);
            Some(list)
        });
        Ok(Self { group: meta.gid(), mode: meta.mode(), access_lists })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Best effort: the next run removes what stays.
        let _ = fs::remove_dir_all(&self.path);
        self.work.remove_empty_above(&self.path);
    }
}

/// Whether a run works in a folder; `None` where the file system does not say.
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

/// Makes a file for rows that others may not read; no link is followed.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.custom_flags(flags(OFlags::NOFOLLOW)).open(path)
}

/// Opens a file made by [`private_file`] to write behind its end.
pub fn private_file_end(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).custom_flags(flags(OFlags::NOFOLLOW)).open(path)
}

/// Flags as the standard library takes them.
pub(super) fn flags(flags: OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn a_private_file_is_for_its_owner_alone_and_is_not_behind_a_link() {
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
    fn a_scratch_folder_is_new_and_in_use_as_long_as_it_lives() {
        let root = tempfile::tempdir().unwrap();
        let work = WorkFolder::in_lake(root.path());
        let path = work.top().join("t/day/run");
        let scratch = Scratch::create(&work, path.clone()).unwrap();
        assert_eq!(is_in_use(&path), Some(true));
        assert!(Scratch::create(&work, path.clone()).is_err());
        scratch.remove().unwrap();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
        fs::create_dir_all(&path).unwrap();
        assert_eq!(is_in_use(&path), Some(false), "left by a run that was killed");
    }
}

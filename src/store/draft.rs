//! A draft of a file, next to its target: readers find the old file or the complete new one.
//!
//! Until it is kept, the draft has a random name, is created exclusively, and is open to its owner alone. If it is dropped
//! before that, it leaves nothing behind.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

const WORLD_WRITABLE_AND_STICKY: u32 = 0o1002;

/// A new version of a file.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    target: PathBuf,
}

impl Draft {
    /// Begins a new version of `target`; the draft's name begins with `front` and the name of the target.
    pub fn of(target: &Path, front: &str) -> io::Result<Self> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let begin: OsString = [OsStr::new(front), name, OsStr::new(".")].into_iter().collect();
        let file = Builder::new().prefix(&begin).suffix(".new").tempfile_in(folder_of(target))?;
        Ok(Self { file, target: target.to_owned() })
    }

    /// The file to write to.
    #[must_use]
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Moves the draft to its target once its content is on disk: its name must not take effect earlier. It gets the
    /// permissions of the file that it replaces, or those of the user's new files.
    pub fn keep(self) -> io::Result<()> {
        let permissions = match fs::metadata(&self.target) {
            Ok(found) => found.permissions(),
            Err(_) => usual_permissions(&self.target)?,
        };
        self.finish(permissions)?;
        self.file.persist(&self.target).map(drop).map_err(|failed| failed.error)
    }

    /// Does the same as [`keep`](Self::keep) for a file that must not exist yet. Fails with
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if it does.
    pub fn keep_new(self) -> io::Result<()> {
        self.finish(usual_permissions(&self.target)?)?;
        self.file.persist_noclobber(&self.target).map(drop).map_err(|failed| failed.error)
    }

    /// Sets the permissions, and waits until the content is on disk.
    fn finish(&self, permissions: Permissions) -> io::Result<()> {
        self.file().set_permissions(permissions)?;
        self.file().sync_all()
    }
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Waits until the names in a folder are on disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Creates a folder and those above it, and waits until the names of the new ones are on disk.
pub(super) fn make_folders(folder: &Path) -> io::Result<()> {
    let is_missing = |level: &&Path| !level.as_os_str().is_empty() && !level.exists();
    let new: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(folder)?;
    new.into_iter().rev().try_for_each(|level| sync_folder(folder_of(level)))
}

/// Waits until the names of these folders below `root` are on disk, and those of the folders in between: a folder is lost
/// with its name, even if its own entries are on disk. Folders that this user cannot read are passed over.
pub(super) fn sync_names_below<'p>(root: &Path, folders: impl Iterator<Item = &'p Path>) -> io::Result<()> {
    let up_to_root =
        |folder: &'p Path| folder.ancestors().skip(1).take_while(|level| level.starts_with(root));
    let levels: BTreeSet<&Path> = folders.flat_map(up_to_root).collect();
    levels.into_iter().try_for_each(|level| match sync_folder(level) {
        Err(cause) if cause.kind() != io::ErrorKind::PermissionDenied => Err(cause),
        _ => Ok(()),
    })
}

/// Whether no such file or folder exists. As in a bucket, a file holds no entries, so a path through a file leads to
/// nothing; users may have put a file next to the tables.
pub(super) fn is_missing(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The permissions that a new file of this user gets in the place of `target`: read and write access, as limited by umask and
/// folder. To find out, this creates a file. Its name begins with the target's, so that both are removed together if this
/// process is killed.
pub(super) fn usual_permissions(target: &Path) -> io::Result<Permissions> {
    let name = target.file_name().unwrap_or_default();
    let begin: OsString = [name, OsStr::new(".")].into_iter().collect();
    let mut probe = Builder::new();
    probe.prefix(&begin).suffix(".new").permissions(Permissions::from_mode(0o666));
    let probe = probe.tempfile_in(folder_of(target))?;
    Ok(probe.as_file().metadata()?.permissions())
}

/// Returns the file that a path refers to: the target if the path is a link.
///
/// Fails for a link that another user put into a folder shared by all users, for example `/tmp`, as the system itself does
/// when such a link is opened. Also fails for a dangling link, because a file in its place is not what was meant:
/// `/dev/stdout` is such a link once standard output is closed or its file is deleted.
pub fn resolve_link(path: &Path) -> io::Result<PathBuf> {
    let is_link = |path: &Path| fs::symlink_metadata(path).ok().filter(|meta| meta.file_type().is_symlink());
    let Some(link) = is_link(path) else { return Ok(path.to_owned()) };
    let folder = fs::metadata(folder_of(path))?;
    let is_for_all = folder.mode() & WORLD_WRITABLE_AND_STICKY == WORLD_WRITABLE_AND_STICKY;
    let is_own = link.uid() == rustix::process::geteuid().as_raw() || link.uid() == folder.uid();
    if is_for_all && !is_own {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it is a link that another user created",
        ));
    }
    fs::canonicalize(path)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_dangling_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("file"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(resolve_link(&link).unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::write(&target, "").unwrap();
        assert_eq!(resolve_link(&link).unwrap(), fs::canonicalize(&target).unwrap());
    }

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_draft_is_private_until_it_is_kept_and_then_has_the_usual_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let (target, usual) = (folder.path().join("file"), folder.path().join("usual"));
        File::create(&usual).unwrap();
        let draft = Draft::of(&target, ".").unwrap();
        draft.file().write_all(b"new").unwrap();
        let made = names(folder.path()).into_iter().find(|name| name.starts_with(".file.")).unwrap();
        assert_eq!(Path::new(&made).extension(), Some(OsStr::new("new")));
        assert_eq!(mode(&folder.path().join(made)), 0o600);
        draft.keep().unwrap();
        assert_eq!((fs::read(&target).unwrap().as_slice(), mode(&target)), (&b"new"[..], mode(&usual)));
        fs::set_permissions(&target, Permissions::from_mode(0o640)).unwrap();
        Draft::of(&target, "").unwrap().keep().unwrap();
        assert_eq!((fs::read(&target).unwrap().len(), mode(&target)), (0, 0o640));
        drop(Draft::of(&target, "").unwrap());
        assert_eq!(names(folder.path()).len(), 2);
        let refused = Draft::of(&target, "").unwrap().keep_new().unwrap_err();
        assert_eq!((refused.kind(), names(folder.path()).len()), (io::ErrorKind::AlreadyExists, 2));
        let new = folder.path().join("new");
        Draft::of(&new, "").unwrap().keep_new().unwrap();
        assert_eq!((mode(&new), names(folder.path()).len()), (mode(&usual), 3));
    }

    #[test]
    fn a_link_of_another_user_in_a_shared_folder_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(resolve_link(&link).unwrap(), fs::canonicalize(&target).unwrap());
        // Only root can create files of other users.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::lchown(&link, Some(65534), None).unwrap();
            assert!(resolve_link(&link).is_ok(), "the folder is not shared");
            fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
            assert_eq!(resolve_link(&link).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        }
    }
}

//! A folder for the temporary files of runs: locks, spilled rows, the next version of a day.
//!
//! There are three kinds. `_staging` in a lake is shared by everyone who writes to it. The folder next to a lake is out of
//! the way of tools that read the lake by path, and has the lake's owner and permissions. The private folder of a user
//! serves lakes that are stored elsewhere. All of them create folders level by level and refuse a level that is a link.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::draft::make_folders;
use super::private_folder::private_folder;

/// Maximum number of attempts to create a folder while other runs remove its parents.
const MAKE_ATTEMPTS: u32 = 10_000;
const STAGING: &str = "_staging";
const OTHERS_MAY_WRITE: u32 = 0o002;

/// A work folder of one of these kinds.
#[derive(Debug, Clone)]
pub(super) struct WorkFolder {
    /// The folder that remains when everything below is removed: the lake, the folder that contains the lake, or a private
    /// one.
    base: PathBuf,
    /// The work folder itself, which is removed once it is empty.
    top: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    InLake,
    /// Next to this lake.
    Beside(PathBuf),
    /// In this user's private folder below a scratch folder.
    Private(PathBuf),
}

impl WorkFolder {
    /// `_staging` of a lake.
    pub(super) fn in_lake(root: &Path) -> Self {
        Self { base: root.to_owned(), top: root.join(STAGING), kind: Kind::InLake }
    }

    /// `_staging` of a folder in the private folder of `scratch`.
    pub(super) fn private(root: &Path, scratch: &Path) -> Self {
        Self { kind: Kind::Private(scratch.to_owned()), ..Self::in_lake(root) }
    }

    /// The folder next to an existing lake, `.lake.logmill`, whether or not it exists yet. `None` for a lake that cannot
    /// have one, for example a mount point.
    pub(super) fn beside(root: &Path) -> Option<Self> {
        let lake = fs::canonicalize(root).ok()?;
        let (base, name) = (lake.parent()?.to_owned(), lake.file_name()?.to_str()?);
        let is_mount_point = device(&base)? != device(&lake)?;
        let top = base.join(format!(".{name}.logmill"));
        (!is_mount_point).then_some(Self { base, top, kind: Kind::Beside(lake) })
    }

    /// Whether the folder exists and is safe to use. A folder that belongs neither to this user nor to the lake's owner is
    /// left alone.
    pub(super) fn is_usable(&self) -> bool {
        let Kind::Beside(lake) = &self.kind else { return true };
        let (Ok(found), Ok(lake)) = (fs::symlink_metadata(&self.top), fs::metadata(lake)) else {
            return false;
        };
        let is_ours = found.uid() == geteuid().as_raw() || found.uid() == lake.uid();
        found.is_dir() && found.dev() == lake.dev() && is_ours && found.mode() & OTHERS_MAY_WRITE == 0
    }

    /// Whether this folder is next to a lake.
    pub(super) fn is_beside(&self) -> bool {
        matches!(self.kind, Kind::Beside(_))
    }

    /// Path of the work folder.
    pub(super) fn top(&self) -> &Path {
        &self.top
    }

    /// Creates a folder below, and its parents.
    pub(super) fn make(&self, path: &Path) -> io::Result<()> {
        retry_if_removed(|| self.try_make(path))
    }

    /// Creates a folder that must not exist yet, and its parents.
    pub(super) fn make_new(&self, path: &Path) -> io::Result<()> {
        retry_if_removed(|| {
            self.try_make(path.parent().unwrap_or(&self.top))?;
            DirBuilder::new().mode(self.folder_mode()).create(path)
        })
    }

    fn try_make(&self, path: &Path) -> io::Result<()> {
        self.make_base()?;
        for level in self.levels(path) {
            match DirBuilder::new().mode(self.folder_mode()).create(level) {
                Ok(()) if level == self.top => self.adapt()?,
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => refuse_link(level)?,
                made => made?,
            }
        }
        if self.is_usable() { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    fn make_base(&self) -> io::Result<()> {
        match &self.kind {
            Kind::InLake => make_folders(&self.base),
            Kind::Beside(_) => Ok(()),
            Kind::Private(scratch) => {
                private_folder(scratch).map_err(io::Error::other)?;
                match DirBuilder::new().mode(0o700).create(&self.base) {
                    Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => refuse_link(&self.base),
                    made => made,
                }
            }
        }
    }

    /// Gives everyone who may write to the lake access to the new folder next to it.
    fn adapt(&self) -> io::Result<()> {
        let Kind::Beside(lake) = &self.kind else { return Ok(()) };
        let lake = fs::metadata(lake)?;
        let mode = lake.mode() & 0o7777;
        let ours = fs::metadata(&self.top)?;
        // Only root can change the owner.
        let owner = geteuid().is_root().then_some(lake.uid());
        let group = (ours.gid() != lake.gid()).then(|| lake.gid());
        let is_given = chown(&self.top, owner, group).is_ok();
        let is_private = mode & OTHERS_MAY_WRITE != 0 || !is_given;
        fs::set_permissions(&self.top, fs::Permissions::from_mode(if is_private { 0o700 } else { mode }))
    }

    /// Mode of new folders, before the umask.
    fn folder_mode(&self) -> u32 {
        if self.is_private() { 0o700 } else { 0o777 }
    }

    /// Mode of new lock files, before the umask.
    pub(super) fn file_mode(&self) -> u32 {
        if self.is_private() { 0o600 } else { 0o666 }
    }

    /// Whether this folder serves a lake that is stored elsewhere.
    pub(super) fn is_private(&self) -> bool {
        matches!(self.kind, Kind::Private(_))
    }

    /// Fails if `path`, or a level between the base and `path`, exists and is not a folder.
    pub(super) fn refuse_links(&self, path: &Path) -> io::Result<()> {
        for level in self.levels(path) {
            match refuse_link(level) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
                found => found?,
            }
        }
        Ok(())
    }

    /// The folders below the base, outermost first, down to `path`.
    fn levels<'p>(&self, path: &'p Path) -> Vec<&'p Path> {
        let mut levels: Vec<&Path> = path.ancestors().take_while(|level| *level != self.base).collect();
        levels.reverse();
        levels
    }

    /// Removes empty folders above `path`, innermost first.
    pub(super) fn remove_empty_above(&self, path: &Path) {
        remove_empty_parents(path, &self.base);
    }
}

/// Retries while other runs that end remove the parent folders, which they do when these are empty.
fn retry_if_removed(attempt: impl Fn() -> io::Result<()>) -> io::Result<()> {
    for _ in 1..MAKE_ATTEMPTS {
        match attempt() {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            made => return made,
        }
    }
    attempt()
}

/// Removes empty folders above `path` and below `root`, innermost first.
pub(super) fn remove_empty_parents(path: &Path, root: &Path) {
    for parent in path.ancestors().skip(1).take_while(|parent| *parent != root) {
        if fs::remove_dir(parent).is_err() {
            return;
        }
    }
}

fn device(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|meta| meta.dev())
}

fn refuse_link(level: &Path) -> io::Result<()> {
    if fs::symlink_metadata(level)?.is_dir() {
        return Ok(());
    }
    let text =
        format!("'{}' is a link or a file where a folder of unfinished work is expected", level.display());
    Err(io::Error::new(io::ErrorKind::NotADirectory, text))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn links_are_refused_at_every_level() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for linked in ["_staging", "_staging/t", "_staging/t/day"] {
            let lake = root.path().join(linked.replace('/', "-"));
            let link = lake.join(linked);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(elsewhere.path(), &link).unwrap();
            for work in [WorkFolder::in_lake(&lake), WorkFolder::private(&lake, &root.path().join("scratch"))]
            {
                let path = work.top().join("t/day");
                assert!(work.refuse_links(&path).is_err(), "{linked}");
                assert!(work.make(&path).unwrap_err().to_string().contains("is a link"), "{linked}");
            }
        }
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_private_folder_is_private_at_every_level() {
        let scratch = tempfile::tempdir().unwrap();
        let private = private_folder(scratch.path()).unwrap();
        let work = WorkFolder::private(&private.join("lake"), scratch.path());
        let path = work.top().join("t/day");
        work.make(&path).unwrap();
        for level in path.ancestors().take_while(|level| *level != scratch.path()) {
            assert_eq!(mode(level), 0o700, "{}", level.display());
        }
        assert_eq!(work.file_mode(), 0o600);
    }

    #[test]
    fn the_folder_next_to_a_lake_follows_the_permissions_of_the_lake() {
        for (lake_mode, expected) in [(0o750, 0o750), (0o2775, 0o2775), (0o1777, 0o700)] {
            let parent = tempfile::tempdir().unwrap();
            let lake = parent.path().join("lake");
            fs::create_dir(&lake).unwrap();
            fs::set_permissions(&lake, fs::Permissions::from_mode(lake_mode)).unwrap();
            let beside = WorkFolder::beside(&lake).unwrap();
            assert!(!beside.is_usable());
            beside.make(&beside.top().join("t/day")).unwrap();
            assert!(beside.is_usable());
            assert_eq!(mode(beside.top()), expected);
            beside.remove_empty_above(&beside.top().join("t/day/run"));
            assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_foreign_folder_next_to_a_lake_is_left_alone() {
        let (parent, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let lake = parent.path().join("lake");
        fs::create_dir(&lake).unwrap();
        let beside = WorkFolder::beside(&lake).unwrap();
        let path = beside.top().join("t/day");
        symlink(elsewhere.path(), beside.top()).unwrap();
        assert!(!beside.is_usable() && beside.make(&path).is_err());
        fs::remove_file(beside.top()).unwrap();
        fs::create_dir(beside.top()).unwrap();
        fs::set_permissions(beside.top(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(!beside.is_usable() && beside.make(&path).is_err());
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        assert!(WorkFolder::beside(Path::new("/")).is_none());
        assert!(WorkFolder::beside(Path::new("/proc")).is_none(), "a mount point");
    }
}

//! A small file that is replaced as a whole. Readers see the old file, no file or the new file, but never a part of one.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::store::{Draft, resolve_link};

/// Paths of the open descriptors of a process. They are written to and not replaced, because a new file would not be the
/// open one.
const DESCRIPTORS: [&str; 5] = ["/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/proc"];

/// The path of a file that exists or will be written.
pub(super) struct WholeFile {
    target: PathBuf,
    /// Whether a new file replaces it. A pipe, socket, device or descriptor is only written to.
    is_replaced: bool,
}

impl WholeFile {
    /// Resolves a path. Follows links.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path).ok();
        if found.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let is_file = found.is_none_or(|found| found.is_file());
        if !is_file || DESCRIPTORS.iter().any(|descriptors| path.starts_with(descriptors)) {
            return Ok(Self { target: path.to_owned(), is_replaced: false });
        }
        let target = resolve_link(path)?;
        target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        Ok(Self { target, is_replaced: true })
    }

    /// Creates the unfinished file. Its name begins with a dot, so that collectors and directory listings skip it.
    fn draft(&self) -> io::Result<Draft> {
        Draft::of(&self.target, ".")
    }

    /// Fails if the file cannot be written. Does not change an existing file.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.is_replaced { self.draft().map(drop) } else { Ok(()) }
    }

    /// Removes the file, if it exists.
    pub(super) fn remove(&self) -> io::Result<()> {
        if !self.is_replaced {
            return Ok(());
        }
        match fs::remove_file(&self.target) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
            _ => Ok(()),
        }
    }

    /// Writes the file, atomically replacing an earlier one.
    pub(super) fn replace(&self, content: &str) -> io::Result<()> {
        if !self.is_replaced {
            return fs::write(&self.target, content);
        }
        let draft = self.draft()?;
        draft.file().write_all(content.as_bytes())?;
        draft.keep()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn readers_of_the_old_file_never_see_part_of_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        fs::hard_link(&path, folder.path().join("reader")).unwrap();
        let file = WholeFile::at(&path).unwrap();
        file.check().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        file.replace("new").unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("reader")).unwrap(), "old");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        file.remove().unwrap();
        file.remove().unwrap();
        assert_eq!(names(folder.path()), ["reader"]);
    }

    #[test]
    fn a_link_is_kept_and_its_target_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("below")).unwrap();
        let (target, link) = (folder.path().join("below/file"), folder.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        WholeFile::at(&link).unwrap().replace("new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(
            (fs::read_to_string(&target).unwrap().as_str(), names(folder.path())),
            ("new", vec!["below".to_owned(), "link".to_owned()])
        );
    }

    #[test]
    fn the_file_type_decides_and_not_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        std::os::unix::fs::symlink("/dev/null", folder.path().join("link")).unwrap();
        for (path, is_replaced) in [
            (Path::new("/dev/shm/logmill-summary.json"), true),
            (Path::new("/devices/summary.json"), true),
            (Path::new("/dev/null"), false),
            (&folder.path().join("link"), false),
            (&socket, false),
            // The file behind an open descriptor is also written to elsewhere.
            (Path::new("/dev/stdout"), false),
            (Path::new("/dev/fd/1"), false),
            (Path::new("/proc/self/fd/1"), false),
        ] {
            assert_eq!(WholeFile::at(path).unwrap().is_replaced, is_replaced, "{}", path.display());
        }
    }

    #[test]
    fn a_path_that_cannot_hold_a_file_is_refused_and_a_device_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        assert!(WholeFile::at(folder.path()).is_err());
        let missing = WholeFile::at(&folder.path().join("missing/file")).unwrap();
        assert!(missing.check().is_err() && missing.replace("x").is_err());
        let null = WholeFile::at(Path::new("/dev/null")).unwrap();
        assert!(!null.is_replaced);
        null.check().unwrap();
        null.replace("x").unwrap();
        null.remove().unwrap();
        assert!(Path::new("/dev/null").exists());
    }
}

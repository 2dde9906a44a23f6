//! Where rows wait on disk that do not fit into memory: a folder of the engine's own, which goes with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How often the folder is removed while something still writes to it.
const REMOVE_ATTEMPTS: u32 = 20;

/// A folder for spilled rows, removed with all that it holds when the value is dropped.
#[derive(Debug)]
pub(super) struct SpillFolder {
    path: PathBuf,
    /// Not where it could not be made: then the spill says what is wrong with the place, if there is one.
    is_ours: bool,
}

impl SpillFolder {
    pub(super) fn below(scratch: &Path) -> Self {
        /// Two engines of a process have two folders.
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = scratch.join(format!("logmill-query-{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Self { path, is_ours: true },
                // Of a process with the same number on another machine, or of one that was killed.
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(_) => return Self { path: scratch.to_owned(), is_ours: false },
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SpillFolder {
    fn drop(&mut self) {
        // A thread that was not waited for may make one more file.
        let mut attempts = if self.is_ours { REMOVE_ATTEMPTS } else { 0 };
        while attempts > 0 && fs::remove_dir_all(&self.path).is_err() && self.path.exists() {
            attempts -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_has_a_folder_that_goes_with_it() {
        let scratch = tempfile::tempdir().unwrap();
        let folders = [SpillFolder::below(scratch.path()), SpillFolder::below(scratch.path())];
        assert_ne!(folders[0].path(), folders[1].path());
        fs::write(folders[0].path().join("spilled"), "rows").unwrap();
        drop(folders);
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
        let nowhere = scratch.path().join("nowhere");
        assert_eq!(SpillFolder::below(&nowhere).path(), nowhere);
    }
}

//! A folder for what must not stay: removed when it goes out of scope.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// How often a folder is made of which another run removes a parent at that moment.
const MAKE_ATTEMPTS: u32 = 20;

/// A folder that is removed with all it holds when the value is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    root: PathBuf,
}

impl Scratch {
    /// Makes the folder, and those above it; of these the ones below `root` go with it, once they are empty.
    pub fn create(path: impl Into<PathBuf>, root: impl Into<PathBuf>) -> Result<Self> {
        let (path, root) = (path.into(), root.into());
        make(&path).map_err(|cause| {
            Error::unusable("cannot make the staging folder", cause)
                .with("folder", path.display())
                .hint("check that the output exists and that this user may write there")
        })?;
        Ok(Self { path, root })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Best effort: the next run of the day removes what stays.
        let _ = fs::remove_dir_all(&self.path);
        remove_empty_parents(&self.path, &self.root);
    }
}

/// Makes a folder and those above it, which others that end may remove as long as they are empty.
fn make(path: &Path) -> io::Result<()> {
    let mut attempt = 1;
    loop {
        match fs::create_dir_all(path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && attempt < MAKE_ATTEMPTS => attempt += 1,
            made => return made,
        }
    }
}

/// Removes the folders above `path` and below `root`, from the inside out, as long as they are empty.
pub(super) fn remove_empty_parents(path: &Path, root: &Path) {
    for parent in path.ancestors().skip(1).take_while(|parent| *parent != root) {
        if fs::remove_dir(parent).is_err() {
            return;
        }
    }
}

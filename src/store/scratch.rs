//! A folder for what must not stay: removed when it goes out of scope.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A folder that is removed with all it holds when the value is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes the folder, and those above it.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        fs::create_dir_all(&path).map_err(|cause| {
            Error::unusable("cannot make the staging folder", cause)
                .with("folder", path.display())
                .hint("check that the output exists and that this user may write there")
        })?;
        Ok(Self { path })
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
        remove_empty_parents(&self.path);
    }
}

/// Removes the folders above `path` as long as they are empty, up to and including one that begins with `_`.
pub(super) fn remove_empty_parents(path: &Path) {
    for parent in path.ancestors().skip(1) {
        let is_ours =
            |folder: &Path| folder.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'_');
        if !parent.ancestors().any(is_ours) || fs::remove_dir(parent).is_err() {
            return;
        }
    }
}

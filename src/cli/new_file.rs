//! A file of results that is written as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::store::{Draft, resolve_link, write_failed};

/// An unfinished file, next to its final path. If it is dropped before `keep`, nothing is left behind.
pub(super) struct NewFile {
    draft: Draft,
    target: PathBuf,
}

impl NewFile {
    /// Creates an unfinished file. Follows links. Refuses an existing path that is not a regular file, such as a pipe.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let refused = |message: &str| Error::new(ErrorKind::Usage, message).with("to-file", path.display());
        if path.to_string_lossy().starts_with("s3://") {
            return Err(refused("only local files can be written")
                .hint("write a local file, then copy it with 'aws s3 cp'"));
        }
        let target = resolve_link(path).map_err(|cause| failed(path, cause))?;
        if target.file_name().is_none() {
            return Err(refused("the path has no file name"));
        }
        if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
            return Err(
                refused("the path is not a regular file").hint("pass another path, or use standard output")
            );
        }
        let draft = Draft::of(&target, ".").map_err(|cause| failed(&target, cause))?;
        Ok(Self { draft, target })
    }

    pub(super) fn writer(&self) -> Result<BufWriter<File>> {
        Ok(BufWriter::new(self.draft.file().try_clone().map_err(|cause| failed(&self.target, cause))?))
    }

    /// Moves the file to its final path.
    pub(super) fn keep(self) -> Result<()> {
        self.draft.keep().map_err(|cause| failed(&self.target, cause))
    }
}

fn failed(target: &Path, cause: io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            write_failed("cannot write the file", target, cause)
        }
        _ => Error::unusable("cannot write the file", cause)
            .with("to-file", target.display())
            .hint("pass a path in an existing, writable folder"),
    }
}

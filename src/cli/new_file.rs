//! A file of results that is there as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::store::{Draft, file_behind, write_failed};

/// A file in the making, beside the place that it is for. Dropped before it is kept, it leaves nothing behind.
pub(super) struct NewFile {
    draft: Draft,
    target: PathBuf,
}

impl NewFile {
    /// Begins a file. Of a link the file behind it is meant; what is there and no file, such as a pipe, is refused.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let refused = |message: &str| Error::new(ErrorKind::Usage, message).with("to-file", path.display());
        if path.to_string_lossy().starts_with("s3://") {
            return Err(refused("only files of this machine are written")
                .hint("write it here, and copy it with 'aws s3 cp'"));
        }
        let target = file_behind(path).map_err(|cause| failed(path, cause))?;
        if target.file_name().is_none() {
            return Err(refused("the name of a file is expected"));
        }
        if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
            return Err(refused("what is there is no file").hint("name a file, or use standard output"));
        }
        let draft = Draft::of(&target, ".").map_err(|cause| failed(&target, cause))?;
        Ok(Self { draft, target })
    }

    pub(super) fn writer(&self) -> Result<BufWriter<File>> {
        Ok(BufWriter::new(self.draft.file().try_clone().map_err(|cause| failed(&self.target, cause))?))
    }

    /// Puts it in its place.
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
            .hint("its folder must be there, and may be written to"),
    }
}

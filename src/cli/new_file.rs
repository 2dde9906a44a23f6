//! A file that is there as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// A file in the making, beside the place that it is for. Dropped before it is kept, it leaves nothing behind.
pub(super) struct NewFile {
    file: File,
    new: PathBuf,
    target: PathBuf,
}

impl NewFile {
    pub(super) fn create(target: &Path) -> Result<Self> {
        let name = target.file_name().filter(|_| !target.is_dir()).ok_or_else(|| {
            Error::new(ErrorKind::Usage, "the name of a file is expected").with("to-file", target.display())
        })?;
        if target.to_string_lossy().starts_with("s3://") {
            return Err(Error::new(ErrorKind::Usage, "rows are written to a file of this machine")
                .with("to-file", target.display())
                .hint("write it here, and copy it with 'aws s3 cp'"));
        }
        let new = target.with_file_name(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
        let file = File::create(&new).map_err(|cause| failed(target, cause))?;
        Ok(Self { file, new, target: target.to_owned() })
    }

    pub(super) fn writer(&self) -> Result<BufWriter<File>> {
        Ok(BufWriter::new(self.file.try_clone().map_err(|cause| failed(&self.target, cause))?))
    }

    /// Puts it in its place.
    pub(super) fn keep(self) -> Result<()> {
        let kept = self.file.sync_all().and_then(|()| fs::rename(&self.new, &self.target));
        kept.map_err(|cause| failed(&self.target, cause))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // It is gone from there once it is kept.
        let _ = fs::remove_file(&self.new);
    }
}

fn failed(target: &Path, cause: io::Error) -> Error {
    Error::unusable("cannot write the file", cause).with("to-file", target.display())
}

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
    /// Begins a file. Of a link the file behind it is meant; what is there and no file, such as a pipe, is refused.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let refused = |message: &str| Error::new(ErrorKind::Usage, message).with("to-file", path.display());
        if path.to_string_lossy().starts_with("s3://") {
            return Err(refused("only files of this machine are written")
                .hint("write it here, and copy it with 'aws s3 cp'"));
        }
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = target.file_name().ok_or_else(|| refused("the name of a file is expected"))?;
        if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
            return Err(refused("what is there is no file").hint("name a file, or use standard output"));
        }
        let new = target.with_file_name(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
        let file = File::create(&new).map_err(|cause| {
            failed(&target, cause).hint("its folder must be there, and may be written to")
        })?;
        Ok(Self { file, new, target })
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

//! Size and SHA-256 of files, as manifests store them.

use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::convert::{checksum, hexadecimal};
use crate::error::{Error, Result};
use crate::store::LakeFile;

/// How many bytes of a published file one request reads.
const RANGE_BYTES: u64 = 8 << 20;

/// Returns the size and checksum of a file.
pub(crate) fn of_file(path: &Path) -> Result<(u64, String)> {
    checksum::of_file(path)
        .map_err(|cause| Error::unusable("cannot read the file", cause).with("path", path.display()))
}

/// Returns the checksum of a published file.
pub(crate) fn of_lake_file(file: &dyn LakeFile) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut at = 0;
    while at < file.bytes() {
        let length = RANGE_BYTES.min(file.bytes() - at);
        digest.update(file.read_at(at, usize::try_from(length).unwrap_or(usize::MAX))?);
        at += length;
    }
    Ok(hexadecimal(&digest.finalize()))
}

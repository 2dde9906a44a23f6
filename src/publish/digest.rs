//! Size and SHA-256 of files, as manifests keep them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::convert::hexadecimal;
use crate::error::{Error, Result};

/// Size and checksum of a file.
pub(super) fn of_file(path: &Path) -> Result<(u64, String)> {
    try_of_file(path).map_err(|cause| unreadable(path, cause))
}

/// Size and checksum of a file, or `None` when there is none.
pub(super) fn of_file_if_any(path: &Path) -> Result<Option<(u64, String)>> {
    match try_of_file(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some).map_err(|cause| unreadable(path, cause)),
    }
}

fn try_of_file(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((bytes, hexadecimal(&digest.finalize()))),
            count => {
                digest.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
}

/// An error about a published file that is there but cannot be read.
pub(super) fn unreadable(path: &Path, cause: io::Error) -> Error {
    Error::unusable("cannot read the file", cause).with("path", path.display())
}

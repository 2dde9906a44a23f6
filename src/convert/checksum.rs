//! Size and SHA-256 of a file of this machine.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 20;

/// Size and checksum of a file, in hexadecimal.
pub(crate) fn of_file(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; PIECE_BYTES];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((bytes, super::hexadecimal(&digest.finalize()))),
            count => {
                digest.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
}

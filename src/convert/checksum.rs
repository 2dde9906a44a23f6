//! Sizes and checksums of local files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use highway::{HighwayHash, HighwayHasher, Key};
use sha2::{Digest, Sha256};

use super::hexadecimal;

/// Bytes per read.
const PIECE_BYTES: usize = 256 << 10;

/// Returns the size of a file and its SHA-256, in hexadecimal.
pub(crate) fn of_file(path: &Path) -> io::Result<(u64, String)> {
    let mut digest = Sha256::new();
    let bytes = each_piece(path, |piece| digest.update(piece))?;
    Ok((bytes, hexadecimal(&digest.finalize())))
}

/// The key for the hashes of files that are staged for a plan.
pub(super) fn plan_key(plan: &str) -> Key {
    let digest = Sha256::digest(plan);
    let word = |number: usize| u64::from_le_bytes(std::array::from_fn(|byte| digest[8 * number + byte]));
    Key(std::array::from_fn(word))
}

/// Returns the size of a file and a keyed hash of 256 bits, in hexadecimal. Staged rows are many times larger than the files
/// published from them, and SHA-256 takes five times as long, or more on a processor without instructions for it.
pub(super) fn of_staged(path: &Path, key: Key) -> io::Result<(u64, String)> {
    let mut hasher = HighwayHasher::new(key);
    let bytes = each_piece(path, |piece| hasher.append(piece))?;
    let hash = hasher.finalize256().map(|word| format!("{word:016x}"));
    Ok((bytes, hash.concat()))
}

/// Calls `call` with each piece of a file; returns the size of the file.
fn each_piece(path: &Path, mut call: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; PIECE_BYTES];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(bytes),
            count => {
                call(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
}

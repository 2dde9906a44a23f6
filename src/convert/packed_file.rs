//! Compresses staged files with a checksum for their way through a bucket, one after the other.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::store::LakeFile;
use crate::store::scratch::private_file;

/// The extension of a compressed file.
pub(super) const PACKED: &str = ".zst";
/// Spilled rows shrink to a fifth at this level, faster than a network takes them.
const LEVEL: i32 = 1;
/// Bytes per fetch.
const FETCH_BYTES: usize = 8 << 20;

/// Replaces a file with a compressed file next to it; returns its path.
pub(super) fn pack(path: &Path) -> io::Result<PathBuf> {
    let packed = path.with_added_extension(PACKED.trim_start_matches('.'));
    let mut encoder = zstd::Encoder::new(BufWriter::new(private_file(&packed)?), LEVEL)?;
    encoder.include_checksum(true)?;
    io::copy(&mut File::open(path)?, &mut encoder)?;
    encoder.finish()?.flush()?;
    fs::remove_file(path)?;
    Ok(packed)
}

/// Fetches and unpacks a compressed file. Fails if it unpacks to more than `most` bytes.
pub(super) fn unpack(packed: &dyn LakeFile, most: u64, target: &Path) -> io::Result<()> {
    let target = Bounded { file: BufWriter::new(private_file(target)?), left: most };
    let mut decoder = zstd::stream::write::Decoder::new(target)?;
    let mut offset = 0;
    while offset < packed.bytes() {
        let left = usize::try_from(packed.bytes() - offset).unwrap_or(usize::MAX);
        let piece = packed.read_at(offset, left.min(FETCH_BYTES))?;
        if piece.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        decoder.write_all(&piece)?;
        offset += piece.len() as u64;
    }
    decoder.flush()
}

/// A file with a size limit: a few compressed bytes can unpack to any number of bytes.
struct Bounded<W> {
    file: W,
    left: u64,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.ok_or_else(|| io::Error::other("it unpacks to more bytes than were packed"))?;
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    struct Fetched(Vec<u8>);

    impl LakeFile for Fetched {
        fn bytes(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
            let start = usize::try_from(offset).unwrap();
            Ok(Bytes::copy_from_slice(&self.0[start..start + length]))
        }
    }

    #[test]
    fn a_file_is_restored_exactly_unless_it_was_truncated_or_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, target) = (folder.path().join("rows-0"), folder.path().join("back"));
        let content: Vec<u8> = (0..20_000_u32).flat_map(|number| (number * number).to_le_bytes()).collect();
        for content in [&[][..], b"a", &content] {
            fs::write(&file, content).unwrap();
            let packed = fs::read(pack(&file).unwrap()).unwrap();
            assert!(!file.exists());
            let most = content.len() as u64;
            unpack(&Fetched(packed.clone()), most, &target).unwrap();
            assert_eq!(fs::read(&target).unwrap(), content);
            if let Some(less) = most.checked_sub(1) {
                assert!(unpack(&Fetched(packed.clone()), less, &target).is_err());
            }
            let cut = unpack(&Fetched(packed[..packed.len() / 2].to_vec()), most, &target);
            assert!(cut.is_err() || content.is_empty() || fs::read(&target).unwrap() != content);
        }
        fs::write(&file, &content).unwrap();
        let mut packed = fs::read(pack(&file).unwrap()).unwrap();
        let middle = packed.len() / 2;
        packed[middle] ^= 1;
        assert!(unpack(&Fetched(packed), u64::MAX, &target).is_err());
    }
}

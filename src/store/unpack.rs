//! Objects as they were before they were packed: gzip with any number of members, or plain, told by the first bytes.
//!
//! [`Unpacked`] reads anything. [`WholeGunzip`] is twice as fast where it can work: on one member, in memory, of a size
//! that is known.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use libdeflater::Decompressor;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The magic and deflate, the only method that there is.
const MEMBER_START: [u8; 3] = [0x1f, 0x8b, 8];
const READ_BYTES: usize = 64 << 10;

/// Reads the content of an object, unpacked.
pub enum Unpacked<R: Read> {
    /// Not packed.
    Plain(BufReader<R>),
    /// gzip.
    Gzip(Box<MultiGzDecoder<BufReader<R>>>),
}

impl<R: Read> Unpacked<R> {
    /// Looks at the first bytes; fails only when they cannot be read.
    pub fn new(object: R) -> io::Result<Self> {
        let mut object = BufReader::with_capacity(READ_BYTES, object);
        let is_gzip = is_gzip(object.fill_buf()?);
        Ok(if is_gzip { Self::Gzip(Box::new(MultiGzDecoder::new(object))) } else { Self::Plain(object) })
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(content) => content.read(buffer),
            Self::Gzip(content) => content.read(buffer),
        }
    }
}

/// Whether bytes are the front of a gzip member.
#[must_use]
pub fn is_gzip(front: &[u8]) -> bool {
    front.starts_with(&GZIP_MAGIC)
}

/// Unpacks gzip in one go, into memory that is used again.
pub struct WholeGunzip {
    inflater: Decompressor,
    content: Vec<u8>,
}

impl Default for WholeGunzip {
    fn default() -> Self {
        Self { inflater: Decompressor::new(), content: Vec::new() }
    }
}

impl WholeGunzip {
    /// The content of one whole, undamaged member of at most `max_bytes` and nothing behind it. `None` says nothing: the
    /// object may be sound, and is read by [`Unpacked`].
    pub fn unpack(&mut self, packed: &[u8], max_bytes: usize) -> Option<&[u8]> {
        // A second member begins like the first. A chance hit inside the first costs a little time.
        let (_, behind) = packed.split_at_checked(GZIP_MAGIC.len())?;
        if memchr::memmem::find(behind, &MEMBER_START).is_some() {
            return None;
        }
        let bytes = u32::from_le_bytes(*packed.last_chunk()?) as usize;
        // Zeros behind a member look like the end of an empty one.
        if bytes == 0 || bytes > max_bytes {
            return None;
        }
        self.content.resize(bytes.max(self.content.len()), 0);
        let content = &mut self.content[..bytes];
        let written = self.inflater.gzip_decompress(packed, content).ok()?;
        // What is behind a member is passed over, and may end like it: only the member's own end has its checksum.
        let checksum = libdeflater::crc32(content).to_le_bytes();
        let is_end = packed[..packed.len() - 4].ends_with(&checksum);
        (written == bytes && is_end).then_some(content)
    }
}

/// Whether an error of [`Unpacked`] says that the packing is broken, not that the bytes cannot be had.
#[must_use]
pub fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn member(content: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(content).unwrap();
        packed.finish().unwrap()
    }

    proptest! {
        /// The slow twin reads piece by piece.
        #[test]
        fn unpacking_at_once_gives_what_reading_gives_or_nothing(
            members in prop::collection::vec(prop::collection::vec(0_u8..4, 0..300), 1..3),
            behind in prop::sample::select(vec![&b""[..], b"\0\0\0\0", b"x"]),
            cut in 0..40_usize,
            flip in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let mut packed = members.iter().flat_map(|content| member(content)).collect::<Vec<_>>();
            packed.extend_from_slice(behind);
            packed.truncate(packed.len() - cut.saturating_sub(20).min(packed.len()));
            if let (Some(place), false) = (flip, packed.is_empty()) {
                let place = place.index(packed.len());
                packed[place] ^= 0x10;
            }
            let mut read = Vec::new();
            let end = Unpacked::new(packed.as_slice()).unwrap().read_to_end(&mut read);
            let mut gunzip = WholeGunzip::default();
            if let Some(content) = gunzip.unpack(&packed, 1 << 20) {
                prop_assert!(end.is_ok(), "{:?}", end);
                prop_assert_eq!(content, read.as_slice());
            }
        }
    }

    #[test]
    fn one_member_is_unpacked_at_once_and_two_are_not() {
        let (first, second) = (member(b"equal in length"), member(b"EQUAL IN LENGTH"));
        let mut gunzip = WholeGunzip::default();
        assert_eq!(gunzip.unpack(&first, 100), Some(&b"equal in length"[..]));
        assert_eq!(gunzip.unpack(&second, 14), None);
        assert_eq!(gunzip.unpack(&[first, second].concat(), 100), None);
        assert_eq!(gunzip.unpack(b"", 100), None);
        assert_eq!(gunzip.unpack(&[&member(b"")[..], &[0; 8]].concat(), 100), None);
        let damaged = [&member(b"equal in length")[..], &member(b"EQUAL IN LENGTH")[1..]].concat();
        assert_eq!(gunzip.unpack(&damaged, 100), None);
    }
}

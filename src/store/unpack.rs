//! Unpacks objects: gzip with any number of members, or plain, detected by the first bytes.
//!
//! Zeros after a member are padding, as tapes and block devices leave it. Other bytes after a member are damage. A byte order
//! mark at the very front of the content is skipped here, for every log type.
//!
//! [`Unpacked`] reads anything. [`WholeGunzip`] is twice as fast, but works only on a single member, in memory, whose size
//! is known.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;
use libdeflater::Decompressor;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The magic bytes, and deflate as the only compression method that exists.
const MEMBER_START: [u8; 3] = [0x1f, 0x8b, 8];
const READ_BYTES: usize = 64 << 10;

/// The mark that some editors put before text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads the content of an object, unpacked and without a byte order mark at its front.
pub struct Unpacked<R: Read> {
    content: Content<R>,
    front: Front,
}

enum Content<R: Read> {
    Plain(BufReader<R>),
    Gzip(Box<Members<BufReader<R>>>),
}

/// The first bytes of the content, which may be a mark.
#[derive(Default)]
struct Front {
    is_read: bool,
    bytes: Vec<u8>,
    /// An error that occurred after them.
    failed: Option<io::Error>,
}

impl<R: Read> Unpacked<R> {
    /// Checks the first bytes; fails only if they cannot be read.
    pub fn new(object: R) -> io::Result<Self> {
        let mut object = BufReader::with_capacity(READ_BYTES, object);
        let content = if is_gzip(object.fill_buf()?) {
            Content::Gzip(Box::new(Members { current: Some(GzDecoder::new(object)) }))
        } else {
            Content::Plain(object)
        };
        Ok(Self { content, front: Front::default() })
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.front.is_read {
            self.front.read(&mut self.content);
        }
        if !self.front.bytes.is_empty() {
            let count = self.front.bytes.as_slice().read(buffer)?;
            self.front.bytes.drain(..count);
            return Ok(count);
        }
        self.front.failed.take().map_or_else(|| self.content.read(buffer), Err)
    }
}

impl Front {
    fn read(&mut self, content: &mut impl Read) {
        let wanted = BYTE_ORDER_MARK.len() as u64;
        self.is_read = true;
        self.failed = content.take(wanted).read_to_end(&mut self.bytes).err();
        self.bytes.drain(..self.bytes.len() - without_byte_order_mark(&self.bytes).len());
    }
}

impl<R: Read> Read for Content<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(content) => content.read(buffer),
            Self::Gzip(content) => content.read(buffer),
        }
    }
}

/// The content of consecutive gzip members, each of which may be followed by zeros.
struct Members<R> {
    current: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.current {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(mut packed) = self.current.take().map(GzDecoder::into_inner) else { break };
            self.current = more_follows_zeros(&mut packed)?.then(|| GzDecoder::new(packed));
        }
        Ok(0)
    }
}

/// Skips zeros; returns whether other bytes follow.
fn more_follows_zeros(packed: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = match packed.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        let (zeros, all) = (bytes.iter().take_while(|byte| **byte == 0).count(), bytes.len());
        packed.consume(zeros);
        if zeros < all || all == 0 {
            return Ok(all > 0);
        }
    }
}

/// Returns content without the byte order mark at its front.
#[must_use]
pub fn without_byte_order_mark(content: &[u8]) -> &[u8] {
    content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content)
}

/// Whether bytes are the start of a gzip member.
#[must_use]
pub fn is_gzip(front: &[u8]) -> bool {
    front.starts_with(&GZIP_MAGIC)
}

/// Unpacks gzip in one call, into memory that is reused.
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
    /// Returns the content of a single, whole, undamaged member of at most `max_bytes` with nothing after it, without a byte
    /// order mark. `None` does not mean damage: the object may be sound, and [`Unpacked`] reads it.
    pub fn unpack(&mut self, packed: &[u8], max_bytes: usize) -> Option<&[u8]> {
        // A second member begins like the first. A chance match inside the first costs only a little time.
        let (_, behind) = packed.split_at_checked(GZIP_MAGIC.len())?;
        if memchr::memmem::find(behind, &MEMBER_START).is_some() {
            return None;
        }
        let bytes = u32::from_le_bytes(*packed.last_chunk()?) as usize;
        // Many zeros after a member look like the end of an empty one.
        if bytes == 0 || bytes > max_bytes {
            return None;
        }
        self.content.resize(bytes.max(self.content.len()), 0);
        let content = &mut self.content[..bytes];
        let written = self.inflater.gzip_decompress(packed, content).ok()?;
        // The decompressor ignores bytes after a member, and they may end like it: only the member's own end has its checksum.
        let checksum = libdeflater::crc32(content).to_le_bytes();
        let is_end = packed[..packed.len() - 4].ends_with(&checksum);
        (written == bytes && is_end).then(|| without_byte_order_mark(content))
    }
}

/// Whether an error of [`Unpacked`] means that the packed data is damaged, and not that the bytes cannot be read.
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
        fn whole_unpacking_gives_the_same_content_as_reading_or_nothing(
            members in prop::collection::vec(("(\u{feff})?", prop::collection::vec(0_u8..4, 0..300), 0..9_usize), 1..3),
            behind in prop::sample::select(vec![&b""[..], b"x", b"\0x", b"\x1f\x8b"]),
            cut in 0..40_usize,
            flip in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let mut packed = Vec::new();
            for (mark, content, zeros) in &members {
                packed.extend(member(&[mark.as_bytes(), content].concat()));
                packed.resize(packed.len() + zeros, 0);
            }
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

    /// Reads an object piece by piece: its content, or whether it is damaged and how many bytes came before the error.
    fn read(packed: &[u8]) -> Result<Vec<u8>, (bool, usize)> {
        let mut read = Vec::new();
        let end = Unpacked::new(packed).unwrap().read_to_end(&mut read);
        end.map_err(|error| (is_damage(&error), read.len())).map(|_| read)
    }

    #[test]
    fn zeros_after_a_member_are_padding_and_other_bytes_are_damage() {
        let (one, two) = (member(b"one"), member(b"two"));
        for zeros in [0, 1, 3, 4, 7, 8, 511, 512, READ_BYTES, 3 * READ_BYTES + 1] {
            let padding = vec![0; zeros];
            assert_eq!(read(&[&one[..], &padding].concat()), Ok(b"one".to_vec()), "{zeros}");
            assert_eq!(read(&[&one[..], &two, &padding].concat()), Ok(b"onetwo".to_vec()), "{zeros}");
            assert_eq!(
                read(&[&one[..], &padding, &two, &padding].concat()),
                Ok(b"onetwo".to_vec()),
                "{zeros}"
            );
            for rest in [&b"x"[..], b"\x1f", b"\x1f\x8b\x08", b"\n"] {
                assert_eq!(read(&[&one[..], &padding, rest].concat()), Err((true, 3)), "{zeros} {rest:?}");
            }
            let mut whole = WholeGunzip::default();
            let padded = [&one[..], &padding].concat();
            let content = whole.unpack(&padded, 100);
            assert!(content.is_none_or(|content| content == b"one"), "{zeros}");
            assert!(content.is_some() || zeros > 0, "nothing follows the member");
        }
        assert_eq!(
            read(&[&one[..one.len() - 1], &[0]].concat()),
            Ok(b"one".to_vec()),
            "its size field ends in a zero byte"
        );
        assert_eq!(read(&[&one[..one.len() - 6], &[0; 9]].concat()), Err((true, 3)), "a truncated checksum");
    }

    #[test]
    fn a_byte_order_mark_is_skipped_once_and_only_at_the_front() {
        for (content, expected) in [
            ("\u{feff}text", "text"),
            ("\u{feff}", ""),
            ("\u{feff}\u{feff}a", "\u{feff}a"),
            ("a\u{feff}", "a\u{feff}"),
            ("", ""),
            ("ab", "ab"),
        ] {
            let packed = member(content.as_bytes());
            for object in [content.as_bytes(), &packed, &[&packed[..], &member(b"")].concat()] {
                assert_eq!(read(object), Ok(expected.as_bytes().to_vec()), "{content:?}");
            }
            let whole = WholeGunzip::default().unpack(&packed, 100).map(<[u8]>::to_vec);
            let is_known = !content.is_empty();
            assert_eq!(whole.as_deref(), is_known.then_some(expected.as_bytes()), "{content:?}");
        }
        assert_eq!(read(b"\xef\xbb"), Ok(b"\xef\xbb".to_vec()), "half a mark is not a mark");
    }

    /// Returns some bytes, then an error that is not damage.
    struct Failing<'a>(&'a [u8]);

    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("gone")),
                count => Ok(count),
            }
        }
    }

    #[test]
    fn a_read_error_comes_after_the_bytes_read_and_is_not_damage() {
        for object in [&b"\xef\xbb\xbfab"[..], b"ab", &member(b"ab"), &[&member(b"ab")[..], &[0; 9]].concat()]
        {
            let mut read = Vec::new();
            let error = Unpacked::new(Failing(object)).unwrap().read_to_end(&mut read).unwrap_err();
            assert_eq!((read.as_slice(), is_damage(&error)), (&b"ab"[..], false), "{error}");
        }
    }

    #[test]
    fn one_member_is_unpacked_in_one_call_and_two_are_not() {
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

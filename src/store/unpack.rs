//! Objects as they were before they were packed: gzip with any number of members, or plain, told by the first bytes.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const READ_BYTES: usize = 64 << 10;

/// Reads the content of an object, unpacked.
pub enum Unpacked {
    /// Not packed.
    Plain(BufReader<Box<dyn Read + Send>>),
    /// gzip.
    Gzip(Box<MultiGzDecoder<BufReader<Box<dyn Read + Send>>>>),
}

impl Unpacked {
    /// Looks at the first bytes; fails only when they cannot be read.
    pub fn new(object: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut object = BufReader::with_capacity(READ_BYTES, object);
        let is_gzip = object.fill_buf()?.starts_with(&GZIP_MAGIC);
        Ok(if is_gzip { Self::Gzip(Box::new(MultiGzDecoder::new(object))) } else { Self::Plain(object) })
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(content) => content.read(buffer),
            Self::Gzip(content) => content.read(buffer),
        }
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

//! Gives the Parquet reader access to any byte range of a published part file.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::store::LakeFile;

/// How many bytes one request fetches if the reader does not give a length.
const READ_BYTES: u64 = 1 << 20;

/// A part file of a lake.
pub(crate) struct PartReader {
    file: Arc<dyn LakeFile>,
}

impl PartReader {
    pub(crate) fn new(file: Arc<dyn LakeFile>) -> Self {
        Self { file }
    }
}

impl Length for PartReader {
    fn len(&self) -> u64 {
        self.file.bytes()
    }
}

impl ChunkReader for PartReader {
    type T = io::BufReader<Tail>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let tail = Tail { file: Arc::clone(&self.file), at: start };
        Ok(io::BufReader::with_capacity(usize::try_from(READ_BYTES).unwrap_or(usize::MAX), tail))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        Ok(self.file.read_at(start, length)?)
    }
}

/// The rest of a file from an offset.
pub(crate) struct Tail {
    file: Arc<dyn LakeFile>,
    at: u64,
}

impl Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.file.bytes().saturating_sub(self.at);
        let count = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        buffer[..count].copy_from_slice(&self.file.read_at(self.at, count)?);
        self.at += count as u64;
        Ok(count)
    }
}

//! How `--memory` is shared out.
//!
//! A day is scattered first, then gathered; rows that wait in memory are there in both. Scattering holds, beside them, the
//! rows that workers collect, objects that are read ahead and those that are being unpacked; gathering holds spilled rows
//! that are merged, chunks of rows and their columns, and the encoded row group. Each of the two fits into `--memory`.
//! `ARCHITECTURE.md` says what is outside it, and how much that is.

use super::ConvertOptions;

/// A column of text counts its bytes in 31 bits.
const MAX_OPEN_ROWS_BYTES: usize = 512 << 20;

/// Fewer workers are set to work where one would have less than this to unpack an object in: what it takes beside that
/// would be more.
const MIN_UNPACK_BYTES: usize = 3 << 20;

/// Chunks of rows that are encoded, their gathered columns, pages and dictionaries: what no setting changes.
const ENCODER_BYTES: usize = 64 << 20;

/// The shares of a machine's settings.
pub(super) struct Budget {
    memory: usize,
    threads: usize,
    row_group_bytes: usize,
}

impl Budget {
    pub(super) fn of(options: &ConvertOptions) -> Self {
        let ConvertOptions { memory, threads, row_group_bytes, .. } = *options;
        Self { memory, threads, row_group_bytes }
    }

    /// Workers that decode objects: all threads, or as many as have the memory that one needs.
    pub(super) fn workers(&self) -> usize {
        self.threads.min(self.memory / 4 / MIN_UNPACK_BYTES).max(1)
    }

    /// Bytes of rows that one worker may collect before it hands them over.
    pub(super) fn open_rows_bytes(&self) -> usize {
        (self.memory / 8 / self.workers()).min(MAX_OPEN_ROWS_BYTES)
    }

    /// Bytes that one worker may take for an object that is unpacked as a whole, packed and unpacked together.
    pub(super) fn unpack_bytes(&self) -> usize {
        self.memory / 4 / self.workers()
    }

    /// Bytes of raw objects that may be fetched before they are read.
    pub(super) fn read_ahead_bytes(&self) -> usize {
        self.memory / 8
    }

    /// The encoded size of a row group that fits into memory. Where row groups end shows in the bytes of a file: this
    /// share must depend on nothing but `--memory`, and stay what it is.
    pub(super) fn group_bytes(&self) -> usize {
        self.row_group_bytes.min(self.memory / 4)
    }

    /// Bytes of rows that may wait in memory.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.row_bytes() / 3 * 2
    }

    /// Bytes of spilled rows that a merge may hold.
    pub(super) fn merge_bytes(&self) -> usize {
        self.row_bytes() / 3
    }

    /// What gathering has for rows that are not encoded yet.
    fn row_bytes(&self) -> usize {
        self.memory - self.memory / 4 - self.encoder_bytes()
    }

    /// What encoding is given beside the row group: in little memory the rest of what it takes is outside.
    fn encoder_bytes(&self) -> usize {
        ENCODER_BYTES.min(self.memory / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn each_of_the_two_stages_fits_into_memory_whatever_the_number_of_threads() {
        for memory in [64 * MIB, 100 * MIB, 256 * MIB, 512 * MIB, 1024 * MIB, 64 * 1024 * MIB] {
            for threads in [1, 2, 8, 32, 1024] {
                let budget = Budget { memory, threads, row_group_bytes: 128 * MIB };
                let workers = budget.workers();
                let of_worker = budget.open_rows_bytes() + budget.unpack_bytes();
                let scatter = budget.waiting_bytes() + budget.read_ahead_bytes() + workers * of_worker;
                let encoder = ENCODER_BYTES.min(memory / 4);
                let gather = budget.waiting_bytes() + budget.merge_bytes() + budget.group_bytes() + encoder;
                assert!((1..=threads).contains(&workers));
                assert!(scatter <= memory, "{scatter} of {memory} with {threads} threads");
                assert!(gather <= memory, "{gather} of {memory} with {threads} threads");
                assert!(budget.unpack_bytes() >= MIN_UNPACK_BYTES);
            }
        }
    }
}

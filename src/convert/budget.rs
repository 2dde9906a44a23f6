//! Divides `--memory` among its users.
//!
//! A day is scattered first and then gathered; buffered rows are in memory during both. In addition, scattering holds the rows
//! that workers collect, objects that are read ahead and objects that are being unpacked. Gathering holds spilled rows that
//! are being merged, chunks of rows with their columns, and the encoded row group. Each of the two stages fits into `--memory`.
//! `ARCHITECTURE.md` lists the memory outside it, with its size.

use super::ConvertOptions;

/// A text column counts its bytes in 31 bits.
const MAX_OPEN_ROWS_BYTES: usize = 512 << 20;

/// The minimum share of a worker for unpacking an object. With less, fewer workers run, because the other memory of a worker
/// would exceed this share.
const MIN_UNPACK_BYTES: usize = 3 << 20;

/// Chunks of rows that are being encoded, with their gathered columns, pages and dictionaries: no setting changes their size.
const ENCODER_BYTES: usize = 64 << 20;

/// Divides the memory that the options set.
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

    /// Number of workers that decode objects: all threads, or as many as have the memory that one needs.
    pub(super) fn workers(&self) -> usize {
        self.threads.min(self.memory / 4 / MIN_UNPACK_BYTES).max(1)
    }

    /// Bytes of rows that one worker may collect before it hands them over.
    pub(super) fn open_rows_bytes(&self) -> usize {
        (self.memory / 8 / self.workers()).min(MAX_OPEN_ROWS_BYTES)
    }

    /// Bytes that one worker may use for an object that is unpacked as a whole, for its packed and unpacked content together.
    pub(super) fn unpack_bytes(&self) -> usize {
        self.memory / 4 / self.workers()
    }

    /// Bytes of raw objects that may be fetched before they are read.
    pub(super) fn read_ahead_bytes(&self) -> usize {
        self.memory / 8
    }

    /// The encoded size of a row group that fits into memory. The ends of row groups show in the bytes of a file, so this
    /// share must depend on nothing but `--memory`, and must not change.
    pub(super) fn group_bytes(&self) -> usize {
        self.row_group_bytes.min(self.memory / 4)
    }

    /// Bytes of rows that may be buffered in memory.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.row_bytes() / 3 * 2
    }

    /// Bytes of spilled rows that a merge may hold.
    pub(super) fn merge_bytes(&self) -> usize {
        self.row_bytes() / 3
    }

    /// The share of gathering for rows that are not encoded yet.
    fn row_bytes(&self) -> usize {
        self.memory - self.memory / 4 - self.encoder_bytes()
    }

    /// The share of encoding besides the row group. If memory is small, the rest of what encoding takes is outside it.
    fn encoder_bytes(&self) -> usize {
        ENCODER_BYTES.min(self.memory / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn each_stage_fits_into_memory_with_any_number_of_threads() {
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

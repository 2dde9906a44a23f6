//! Merges sorted runs into one sequence of rows without duplicates, chunk by chunk.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;
use arrow::error::ArrowError;

use super::dedupe::Duplicates;
use super::run::{Block, BlockKey, Cluster, Run, RunReader};
use crate::dataset::Position;
use crate::error::Result;

/// Rows of a chunk, and raw bytes after which it ends earlier. No setting may change them: where chunks end shows in the
/// pages of the file.
const CHUNK_ROWS: usize = 8192;
const CHUNK_BYTES: usize = 8 << 20;

/// Rows in their final order, as references into blocks.
pub(super) struct Chunk {
    blocks: Vec<Arc<Block>>,
    picks: Vec<(usize, usize)>,
    /// Event times, milliseconds UTC.
    pub(super) times: Vec<i64>,
    /// Where the rows come from.
    pub(super) positions: Vec<Position>,
}

impl Chunk {
    pub(super) fn len(&self) -> usize {
        self.picks.len()
    }

    /// The cells of one decoded column, in order.
    pub(super) fn cells(&self, column: usize) -> std::result::Result<ArrayRef, ArrowError> {
        let arrays: Vec<&dyn Array> = self.blocks.iter().map(|block| block.cells[column].as_ref()).collect();
        interleave(&arrays, &self.picks)
    }
}

/// A merge under way.
pub(super) struct Merge<'a> {
    readers: Vec<RunReader>,
    heads: BinaryHeap<Reverse<(BlockKey, usize)>>,
    duplicates: &'a Duplicates,
}

impl<'a> Merge<'a> {
    pub(super) fn new(runs: &[Run], duplicates: &'a Duplicates) -> Result<Self> {
        let all: BTreeSet<&Cluster> = runs.iter().flat_map(|run| &run.clusters).collect();
        let rank: HashMap<&Cluster, u32> = all.into_iter().zip(0..).collect();
        let reader = |run: &Run| run.reader(run.clusters.iter().map(|cluster| rank[cluster]).collect());
        let readers = runs.iter().map(reader).collect::<Result<Vec<_>>>()?;
        let heads =
            readers.iter().enumerate().filter_map(|(number, reader)| Some(Reverse((reader.head()?, number))));
        let heads = heads.collect();
        Ok(Self { readers, heads, duplicates })
    }

    /// The next rows, or `None` at the end. Where a chunk ends depends on its rows alone.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        let mut chunk =
            Chunk { blocks: Vec::new(), picks: Vec::new(), times: Vec::new(), positions: Vec::new() };
        let mut place_of: Vec<Option<usize>> = vec![None; self.readers.len()];
        let mut bytes = 0;
        while chunk.len() < CHUNK_ROWS && bytes < CHUNK_BYTES {
            let Some(mut head) = self.heads.peek_mut() else { break };
            let Reverse((key, number)) = *head;
            let reader = &mut self.readers[number];
            if !self.duplicates.contains(key.position) {
                let place = *place_of[number].get_or_insert_with(|| {
                    chunk.blocks.push(Arc::clone(reader.block()));
                    chunk.blocks.len() - 1
                });
                chunk.picks.push((place, key.row as usize));
                chunk.times.push(key.at);
                chunk.positions.push(key.position);
                bytes += key.bytes as usize;
            }
            let block = Arc::as_ptr(reader.block());
            reader.advance()?;
            if !std::ptr::eq(block, Arc::as_ptr(reader.block())) {
                place_of[number] = None;
            }
            match reader.head() {
                Some(next) => *head = Reverse((next, number)),
                None => {
                    std::collections::binary_heap::PeekMut::pop(head);
                }
            }
        }
        Ok((chunk.len() > 0).then_some(chunk))
    }
}

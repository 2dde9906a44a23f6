//! Merges sorted runs into one sequence of rows without duplicates, chunk by chunk.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use std::sync::Arc;

use super::block::BlockKey;
use super::chunk::Chunk;
use super::clusters::{self, ClusterFile};
use super::dedupe::Duplicates;
use super::run::{MERGE_BYTES_PER_RUN, Run, RunReader, SpillFile};
use crate::error::Result;
use crate::table::{Cluster, ColumnType};

/// Number of rows of a chunk, and raw bytes at which it ends earlier. No setting may change them, because the ends of chunks
/// show in the pages of the file.
const CHUNK_ROWS: usize = 8192;
const CHUNK_BYTES: usize = 8 << 20;
/// Number of chunks that are encoded together, column by column, and raw bytes at which there are fewer. No setting may change
/// them, because row groups end with them.
const CHUNKS_AT_ONCE: usize = 4;
const BYTES_AT_ONCE: usize = 16 << 20;
/// Raw bytes of a chunk that is written to another run.
const SPILL_CHUNK_BYTES: usize = 256 << 10;

/// A merge in progress.
pub(super) struct Merge<'a> {
    readers: Vec<RunReader>,
    heads: BinaryHeap<Reverse<(BlockKey, usize)>>,
    duplicates: &'a Duplicates,
}

impl<'a> Merge<'a> {
    pub(super) fn new(runs: &[Run], duplicates: &'a Duplicates) -> Result<Self> {
        Self::with_clusters(runs, duplicates, |_| Ok(()))
    }

    /// Creates a merge that first calls `call` for each cluster of its runs, in their order.
    fn with_clusters(
        runs: &[Run],
        duplicates: &'a Duplicates,
        call: impl FnMut(&Cluster) -> Result<()>,
    ) -> Result<Self> {
        let ranks = clusters::rank(runs.iter().map(Run::sorted_clusters).collect::<Result<_>>()?, call)?;
        let readers =
            runs.iter().zip(ranks).map(|(run, ranks)| run.reader(ranks)).collect::<Result<Vec<_>>>()?;
        let heads =
            readers.iter().enumerate().filter_map(|(number, reader)| Some(Reverse((reader.head()?, number))));
        let heads = heads.collect();
        Ok(Self { readers, heads, duplicates })
    }

    /// Returns the next rows in some chunks, or no chunk at the end. The ends of chunks depend only on their rows.
    pub(super) fn next_chunks(&mut self) -> Result<Vec<Chunk>> {
        let (mut chunks, mut bytes) = (Vec::new(), 0);
        while chunks.len() < CHUNKS_AT_ONCE && bytes < BYTES_AT_ONCE {
            let Some(chunk) = self.next_chunk_of(CHUNK_BYTES)? else { break };
            bytes += chunk.keys.iter().map(|key| key.bytes as usize).sum::<usize>();
            chunks.push(chunk);
        }
        Ok(chunks)
    }

    fn next_chunk_of(&mut self, max_bytes: usize) -> Result<Option<Chunk>> {
        let mut chunk = Chunk::default();
        let mut place_of: Vec<Option<usize>> = vec![None; self.readers.len()];
        let mut bytes = 0;
        while chunk.len() < CHUNK_ROWS && bytes < max_bytes {
            let Some(mut head) = self.heads.peek_mut() else { break };
            let Reverse((key, number)) = *head;
            let reader = &mut self.readers[number];
            if !self.duplicates.contains(key.position) {
                let place = *place_of[number].get_or_insert_with(|| {
                    chunk.blocks.push(Arc::clone(reader.block()));
                    chunk.blocks.len() - 1
                });
                chunk.picks.push((place, key.row as usize));
                chunk.keys.push(key);
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

/// Merges runs into fewer runs until a merge of all fits into `memory` bytes. New runs are written to `scratch`.
pub(super) fn reduce(
    mut runs: Vec<Run>,
    types: &[ColumnType],
    duplicates: &Duplicates,
    memory: usize,
    scratch: &Path,
) -> Result<Vec<Run>> {
    let mut made = 0;
    while let Some(several) = take_mergeable(&mut runs, memory) {
        let path = scratch.join(format!("merged-{made}"));
        made += 1;
        runs.push(merge_to_file(&several, types, duplicates, &path)?);
        for run in several {
            run.discard(scratch);
        }
    }
    Ok(runs)
}

/// Takes the runs to merge first, from the front: as many as are needed for a merge of the rest and their own result to fit
/// into `memory` bytes, or as many as fit themselves, but at least two. `None` if all runs can be merged at once.
fn take_mergeable(runs: &mut Vec<Run>, memory: usize) -> Option<Vec<Run>> {
    let mut left: usize = runs.iter().map(Run::merge_bytes).sum();
    if left <= memory || runs.len() <= 2 {
        return None;
    }
    let mut taken = 0;
    let is_taken = |run: &&Run| {
        taken += run.merge_bytes();
        let is_included = left + MERGE_BYTES_PER_RUN > memory && taken <= memory;
        left -= run.merge_bytes();
        is_included
    };
    let count = runs.iter().take_while(is_taken).count().max(2);
    Some(runs.drain(..count).collect())
}

fn merge_to_file(runs: &[Run], types: &[ColumnType], duplicates: &Duplicates, path: &Path) -> Result<Run> {
    let mut clusters = ClusterFile::create(path)?;
    let mut merge = Merge::with_clusters(runs, duplicates, |cluster| clusters.write(cluster))?;
    clusters.finish()?;
    let mut file = SpillFile::new(path);
    while let Some(chunk) = merge.next_chunk_of(SPILL_CHUNK_BYTES)? {
        let cells = types.iter().enumerate().map(|(column, kind)| chunk.cells(column, *kind)).collect();
        file.write(Ok(cells), &chunk.keys)?;
    }
    let data = file.finish()?;
    let cluster_width = runs.first().map_or(0, |run| run.cluster_width);
    Ok(Run { clusters: Vec::new(), cluster_width, data, numbers: None, dictionary_bytes: 0 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::block::Block;
    use super::super::run::RunData;
    use super::*;

    fn run_with(dictionary_bytes: usize) -> Run {
        let data = RunData::Resident(Arc::new(Block { cells: Vec::new(), keys: Vec::new() }));
        Run { clusters: Vec::new(), cluster_width: 2, data, numbers: None, dictionary_bytes }
    }

    fn needed(runs: &[Run]) -> usize {
        runs.iter().map(Run::merge_bytes).sum()
    }

    proptest! {
        #[test]
        fn only_as_many_runs_are_merged_first_as_the_others_need(
            dictionaries in prop::collection::vec(0_usize..4 << 20, 0..40),
            memory in 1_usize..40 << 20,
        ) {
            let mut runs: Vec<Run> = dictionaries.into_iter().map(run_with).collect();
            while let Some(taken) = take_mergeable(&mut runs, memory) {
                prop_assert!(taken.len() >= 2);
                prop_assert!(taken.len() == 2 || needed(&taken) <= memory, "what is merged fits");
                if let [before @ .., last] = taken.as_slice() {
                    let left = needed(&runs) + last.merge_bytes() + MERGE_BYTES_PER_RUN;
                    prop_assert!(before.len() == 1 || left > memory, "one run less would not be enough");
                }
                runs.push(run_with(0));
            }
            prop_assert!(runs.len() <= 2 || needed(&runs) <= memory);
        }
    }
}

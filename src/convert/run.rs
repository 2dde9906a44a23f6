//! A sorted run of rows, in memory or in a file, and the reader that walks over it.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use super::block::{Block, BlockKey, as_u32};
use super::clusters::{self, ClusterFile, Clusters, Ranks};
use super::dedupe::Entry;
use super::spill_failed;
use super::staged_rows::{CONVERT_AGAIN, StagedRows};
use crate::error::{Error, Result};
use crate::store::scratch::private_file;
use crate::table::{Cluster, RowBatch};

/// Number of rows of a spilled batch, and raw bytes at which it ends earlier: a merge holds one batch of each run.
const SPILL_ROWS: usize = 4096;
const SPILL_BYTES: usize = 256 << 10;

/// Buffer for reading a spilled run.
const READ_BYTES: usize = 64 << 10;

/// Memory that a merge needs for each spilled run: a batch, which exists twice while the next one is read, the overhead of its
/// cells besides their text, and its keys.
pub(super) const MERGE_BYTES_PER_RUN: usize = 4 * SPILL_BYTES;

/// A sorted run.
#[derive(Debug)]
pub(super) struct Run {
    /// Sorted; keys refer to them. The clusters of a spilled run are in a file next to its rows.
    pub(super) clusters: Vec<Cluster>,
    /// Texts of each cluster.
    pub(super) cluster_width: usize,
    pub(super) data: RunData,
    /// The number of each object in the day's plan, if it differs from that in the keys.
    pub(super) numbers: Option<Arc<[u32]>>,
    /// Size of the dictionaries; a reader holds each of them as a whole.
    pub(super) dictionary_bytes: usize,
}

/// Where the rows of a run are stored.
#[derive(Debug)]
pub(super) enum RunData {
    Resident(Arc<Block>),
    Spilled(PathBuf),
    /// Spilled by another process; this process must not remove its files.
    Staged(Arc<StagedRows>),
}

impl Run {
    /// Sorts a batch, and returns its identities for the search for duplicates.
    pub(super) fn sort(batch: RowBatch) -> (Self, Vec<Entry>) {
        let mut order: Vec<u32> = (0..as_u32(batch.clusters.len())).collect();
        order.sort_by(|a, b| batch.clusters[*a as usize].cmp(&batch.clusters[*b as usize]));
        let mut rank = vec![0; order.len()];
        for (place, cluster) in (0_u32..).zip(&order) {
            rank[*cluster as usize] = place;
        }
        let key = |(row, key): (u32, &crate::table::RowKey)| BlockKey {
            cluster: rank[key.cluster as usize],
            at: key.at.0,
            position: key.position,
            bytes: key.bytes,
            row,
        };
        let mut keys: Vec<BlockKey> = (0_u32..).zip(&batch.keys).map(key).collect();
        keys.sort_unstable();
        let identities =
            batch.keys.iter().map(|key| Entry { identity: key.identity, position: key.position }).collect();
        let clusters = order.iter().map(|cluster| batch.clusters[*cluster as usize].clone()).collect();
        let cluster_width = batch.clusters.first().map_or(0, |cluster| cluster.len());
        let dictionary_bytes = batch.cells.iter().map(dictionary_bytes).sum();
        let data = RunData::Resident(Arc::new(Block { cells: batch.cells, keys }));
        (Self { clusters, cluster_width, data, numbers: None, dictionary_bytes }, identities)
    }

    /// Returns the clusters in order.
    pub(super) fn sorted_clusters(&self) -> Result<Clusters<'_>> {
        match &self.data {
            RunData::Resident(_) => Ok(Clusters::resident(&self.clusters)),
            RunData::Spilled(rows) => Clusters::open(rows, self.cluster_width),
            RunData::Staged(rows) => Clusters::open(&rows.path, self.cluster_width),
        }
    }

    /// Memory that a merge needs for this run if its rows are in a file.
    pub(super) fn merge_bytes(&self) -> usize {
        MERGE_BYTES_PER_RUN + self.dictionary_bytes
    }

    /// The same rows with other numbers of objects, in the same order.
    pub(super) fn renumbered(self, numbers: &Arc<[u32]>) -> Self {
        Self { numbers: Some(Arc::clone(numbers)), ..self }
    }

    /// Writes the rows to a file, in order, and frees their memory.
    pub(super) fn spill(self, path: &Path) -> Result<Self> {
        let RunData::Resident(block) = &self.data else { return Ok(self) };
        let data = write_block(block, path)?;
        let mut file = ClusterFile::create(path)?;
        self.clusters.iter().try_for_each(|cluster| file.write(cluster))?;
        file.finish()?;
        Ok(Self { data, clusters: Vec::new(), ..self })
    }

    /// Removes the files of a spilled run if they are in `scratch`.
    pub(super) fn discard(self, scratch: &Path) {
        if let RunData::Spilled(path) = self.data
            && path.starts_with(scratch)
        {
            // Best effort: in the end the folder is removed as a whole.
            let _ = std::fs::remove_file(clusters::path_beside(&path));
            let _ = std::fs::remove_file(path);
        }
    }

    /// Walks over the rows in order; `ranks` ranks each of the run's clusters among those of all runs.
    pub(super) fn reader(&self, ranks: Ranks) -> Result<RunReader> {
        let (numbers, at, head) = (self.numbers.clone(), 0, None);
        let mut reader = match &self.data {
            RunData::Resident(block) => {
                RunReader { ranks, numbers, block: Arc::clone(block), at, head, more: None }
            }
            RunData::Spilled(path) => {
                let more = Some(Spilled::open(path, None)?);
                RunReader { ranks, numbers, block: Arc::new(Block::none()), at, head, more }
            }
            RunData::Staged(rows) => {
                let more = Some(Spilled::open(&rows.path, Some(Arc::clone(rows)))?);
                RunReader { ranks, numbers, block: Arc::new(Block::none()), at, head, more }
            }
        };
        reader.settle()?;
        Ok(reader)
    }
}

/// The memory of the dictionary of a column, with the keys that the dictionary of a row group gives its texts.
fn dictionary_bytes(cells: &ArrayRef) -> usize {
    let Some(dictionary) = cells.as_any_dictionary_opt() else { return 0 };
    dictionary.values().get_array_memory_size() + dictionary.values().len() * size_of::<u32>()
}

fn unreadable(path: &Path, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unusable("cannot read staged rows", cause).with("path", path.display())
}

/// Writes the rows of a block in the order of their keys.
fn write_block(block: &Block, path: &Path) -> Result<RunData> {
    let mut file = SpillFile::new(path);
    let mut keys = block.keys.as_slice();
    while !keys.is_empty() {
        let (batch, rest) = keys.split_at(spill_rows(keys));
        let rows: UInt32Array = batch.iter().map(|key| key.row).collect();
        let cells = block.cells.iter().map(|cells| take(cells, &rows, None));
        file.write(cells.collect::<std::result::Result<_, _>>(), batch)?;
        keys = rest;
    }
    file.finish()
}

/// Number of rows at the front of `keys` that form a batch.
fn spill_rows(keys: &[BlockKey]) -> usize {
    let mut bytes = 0;
    let fits = |key: &&BlockKey| {
        bytes += key.bytes as usize;
        bytes <= SPILL_BYTES
    };
    keys.iter().take(SPILL_ROWS).take_while(fits).count().max(1)
}

/// A spilled run being written.
pub(super) struct SpillFile {
    path: PathBuf,
    writer: Option<StreamWriter<BufWriter<File>>>,
}

impl SpillFile {
    /// Creates a file when the first rows are written.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), writer: None }
    }

    /// Adds rows, whose keys come in the same order. The `row` of the keys is ignored.
    pub(super) fn write(
        &mut self,
        cells: std::result::Result<Vec<ArrayRef>, ArrowError>,
        keys: &[BlockKey],
    ) -> Result<()> {
        self.try_write(cells, keys).map_err(|cause| self.failed(cause))
    }

    fn try_write(
        &mut self,
        cells: std::result::Result<Vec<ArrayRef>, ArrowError>,
        keys: &[BlockKey],
    ) -> std::result::Result<(), ArrowError> {
        let mut columns = cells?;
        let schema = Arc::new(spill_schema(&columns));
        columns.extend(key_columns(keys));
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        if self.writer.is_none() {
            let file = BufWriter::with_capacity(SPILL_BYTES, private_file(&self.path)?);
            self.writer = Some(StreamWriter::try_new(file, &schema)?);
        }
        self.writer.as_mut().map_or(Ok(()), |writer| writer.write(&batch))
    }

    /// Completes the file. Without rows no file exists, and an empty block takes its place.
    pub(super) fn finish(mut self) -> Result<RunData> {
        let Some(writer) = &mut self.writer else {
            return Ok(RunData::Resident(Arc::new(Block::none())));
        };
        match writer.finish() {
            Ok(()) => Ok(RunData::Spilled(self.path)),
            Err(cause) => Err(self.failed(cause)),
        }
    }

    fn failed(&self, cause: ArrowError) -> Error {
        match cause {
            ArrowError::IoError(_, cause) => spill_failed(&self.path, cause),
            other => Error::bug("cannot stage rows").caused_by(other),
        }
    }
}

fn spill_schema(cells: &[ArrayRef]) -> Schema {
    let cells = cells.iter().map(|cells| Field::new("cell", cells.data_type().clone(), true));
    let at = Field::new("at", DataType::Int64, false);
    let keys = ["cluster", "object", "record", "bytes"].map(|name| Field::new(name, DataType::UInt32, false));
    Schema::new(cells.chain([at]).chain(keys).collect::<Vec<_>>())
}

fn key_columns(keys: &[BlockKey]) -> [ArrayRef; 5] {
    let numbers =
        |of: fn(&BlockKey) -> u32| Arc::new(keys.iter().map(of).collect::<UInt32Array>()) as ArrayRef;
    [
        Arc::new(keys.iter().map(|key| key.at).collect::<Int64Array>()),
        numbers(|key| key.cluster),
        numbers(|key| key.position.object),
        numbers(|key| key.position.record),
        numbers(|key| key.bytes),
    ]
}

/// The unread part of a run in a file.
struct Spilled {
    batches: StreamReader<BufReader<File>>,
    path: PathBuf,
    /// The form that the rows must have if another process wrote them.
    expected: Option<Arc<StagedRows>>,
}

impl Spilled {
    fn open(path: &Path, expected: Option<Arc<StagedRows>>) -> Result<Self> {
        let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
        let batches = StreamReader::try_new(BufReader::with_capacity(READ_BYTES, file), None)
            .map_err(|cause| unreadable(path, cause))?;
        Ok(Self { batches, path: path.to_owned(), expected })
    }

    /// Returns the next rows, which follow `last`; `None` at the end.
    fn next(&mut self, last: Option<&BlockKey>) -> Result<Option<Block>> {
        let Some(batch) = self.batches.next() else { return Ok(None) };
        let batch = batch.map_err(|cause| unreadable(&self.path, cause))?;
        let refused = |what| unreadable(&self.path, std::io::Error::other(what)).hint(CONVERT_AGAIN);
        let block = Block::read(&batch).ok_or_else(|| refused("its rows have no keys"))?;
        match self.expected.as_ref().and_then(|expected| expected.objection(&block, last)) {
            Some(objection) => Err(refused(objection)),
            None => Ok(Some(block)),
        }
    }
}

/// The position of a merge in one run.
pub(super) struct RunReader {
    ranks: Ranks,
    numbers: Option<Arc<[u32]>>,
    block: Arc<Block>,
    at: usize,
    head: Option<BlockKey>,
    more: Option<Spilled>,
}

impl RunReader {
    /// The current row, with its cluster's rank among all runs and the day's number of its object; `None` at the end.
    pub(super) fn head(&self) -> Option<BlockKey> {
        self.head
    }

    /// The block of the current row.
    pub(super) fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Moves to the next row.
    pub(super) fn advance(&mut self) -> Result<()> {
        self.at += 1;
        self.settle()
    }

    /// Reads the next block if this one is used up, and looks at its first row.
    fn settle(&mut self) -> Result<()> {
        self.head = None;
        while self.at >= self.block.keys.len() {
            let Some(more) = &mut self.more else { return Ok(()) };
            let Some(next) = more.next(self.block.keys.last())? else { return Ok(()) };
            self.block = Arc::new(next);
            self.at = 0;
        }
        let key = self.block.keys[self.at];
        let position = key.position.renumbered(self.numbers.as_deref());
        self.head = Some(BlockKey { cluster: self.ranks.of(key.cluster)?, position, ..key });
        Ok(())
    }
}

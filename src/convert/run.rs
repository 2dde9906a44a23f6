//! A sorted run of rows, in memory or in a file, and the reader that walks over it.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, UInt32Type};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use super::dedupe::Entry;
use super::staged::spill_failed;
use crate::dataset::{Position, RowBatch};
use crate::error::{Error, Result};

/// The two values by which rows are clustered.
pub(super) type Cluster = [Arc<str>; 2];

/// Rows of a spilled batch.
const SPILL_ROWS: usize = 4096;

/// A row's key in a block; the order of the fields is the order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BlockKey {
    /// Index into the run's clusters, which are sorted.
    pub(super) cluster: u32,
    /// Event time, milliseconds UTC.
    pub(super) at: i64,
    pub(super) position: Position,
    /// Size of the raw row.
    pub(super) bytes: u32,
    /// Its row in the cells.
    pub(super) row: u32,
}

/// Rows with their keys in order; the cells need not be.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) cells: Vec<ArrayRef>,
    pub(super) keys: Vec<BlockKey>,
}

/// A sorted run.
#[derive(Debug)]
pub(super) struct Run {
    /// Sorted; keys point here.
    pub(super) clusters: Vec<Cluster>,
    pub(super) data: RunData,
}

/// Where a run's rows are.
#[derive(Debug)]
pub(super) enum RunData {
    Resident(Arc<Block>),
    Spilled(PathBuf),
}

impl Run {
    /// Sorts a batch, and gives its identities back for the search of duplicates.
    pub(super) fn sort(batch: RowBatch) -> (Self, Vec<Entry>) {
        let mut order: Vec<u32> = (0..as_u32(batch.clusters.len())).collect();
        order.sort_by(|a, b| batch.clusters[*a as usize].cmp(&batch.clusters[*b as usize]));
        let mut rank = vec![0; order.len()];
        for (place, cluster) in (0_u32..).zip(&order) {
            rank[*cluster as usize] = place;
        }
        let key = |(row, key): (u32, &crate::dataset::RowKey)| BlockKey {
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
        let data = RunData::Resident(Arc::new(Block { cells: batch.cells, keys }));
        (Self { clusters, data }, identities)
    }

    /// Writes the rows to a file, in order, and lets go of the memory.
    pub(super) fn spill(self, path: &Path) -> Result<Self> {
        let RunData::Resident(block) = &self.data else { return Ok(self) };
        block.write(path).map_err(|cause| match cause {
            ArrowError::IoError(_, cause) => spill_failed(path, cause),
            other => Error::bug("cannot stage rows").caused_by(other),
        })?;
        Ok(Self { clusters: self.clusters, data: RunData::Spilled(path.to_owned()) })
    }

    /// Walks over the rows in order; `rank` gives the place of each of the run's clusters among those of all runs.
    pub(super) fn reader(&self, rank: Vec<u32>) -> Result<RunReader> {
        let mut reader = match &self.data {
            RunData::Resident(block) => {
                RunReader { rank, block: Arc::clone(block), at: 0, more: None, path: PathBuf::new() }
            }
            RunData::Spilled(path) => {
                let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
                let more = StreamReader::try_new(BufReader::with_capacity(256 << 10, file), None)
                    .map_err(|cause| unreadable(path, cause))?;
                let block = Arc::new(Block { cells: Vec::new(), keys: Vec::new() });
                RunReader { rank, block, at: 0, more: Some(more), path: path.clone() }
            }
        };
        reader.settle()?;
        Ok(reader)
    }
}

fn unreadable(path: &Path, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unusable("cannot read staged rows", cause).with("path", path.display())
}

impl Block {
    /// Rows of this block, in the order of `keys`.
    fn write(&self, path: &Path) -> std::result::Result<(), ArrowError> {
        let schema = Arc::new(self.schema());
        let mut writer =
            StreamWriter::try_new(BufWriter::with_capacity(256 << 10, File::create(path)?), &schema)?;
        for keys in self.keys.chunks(SPILL_ROWS) {
            let picks: Vec<(usize, usize)> = keys.iter().map(|key| (0, key.row as usize)).collect();
            let mut columns = self
                .cells
                .iter()
                .map(|cells| interleave(&[cells.as_ref()], &picks))
                .collect::<std::result::Result<Vec<_>, _>>()?;
            columns.extend(key_columns(keys));
            writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
        }
        writer.finish()
    }

    fn schema(&self) -> Schema {
        let cells = self.cells.iter().map(|cells| Field::new("cell", cells.data_type().clone(), true));
        let at = Field::new("at", DataType::Int64, false);
        let keys =
            ["cluster", "object", "record", "bytes"].map(|name| Field::new(name, DataType::UInt32, false));
        Schema::new(cells.chain([at]).chain(keys).collect::<Vec<_>>())
    }

    fn read(batch: &RecordBatch) -> Self {
        let (cells, keys) = batch.columns().split_at(batch.num_columns() - 5);
        let at = keys[0].as_primitive::<Int64Type>();
        let [cluster, object, record, bytes] =
            [1, 2, 3, 4].map(|place: usize| keys[place].as_primitive::<UInt32Type>());
        let key = |row: usize| BlockKey {
            cluster: cluster.value(row),
            at: at.value(row),
            position: Position { object: object.value(row), record: record.value(row) },
            bytes: bytes.value(row),
            row: as_u32(row),
        };
        Self { cells: cells.to_vec(), keys: (0..batch.num_rows()).map(key).collect() }
    }
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

fn as_u32(number: usize) -> u32 {
    u32::try_from(number).expect("a run is handed over long before it has 2^32 rows")
}

/// Where a merge stands in one run.
pub(super) struct RunReader {
    rank: Vec<u32>,
    block: Arc<Block>,
    at: usize,
    more: Option<StreamReader<BufReader<File>>>,
    path: PathBuf,
}

impl RunReader {
    /// The current row with its cluster ranked among all runs; `None` at the end.
    pub(super) fn head(&self) -> Option<BlockKey> {
        let key = self.block.keys.get(self.at)?;
        Some(BlockKey { cluster: self.rank[key.cluster as usize], ..*key })
    }

    /// The block of the current row.
    pub(super) fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Goes on to the next row.
    pub(super) fn advance(&mut self) -> Result<()> {
        self.at += 1;
        self.settle()
    }

    /// Reads the next block when this one is used up.
    fn settle(&mut self) -> Result<()> {
        while self.at >= self.block.keys.len() {
            let Some(batch) = self.more.as_mut().and_then(Iterator::next) else { return Ok(()) };
            let batch = batch.map_err(|cause| unreadable(&self.path, cause))?;
            self.block = Arc::new(Block::read(&batch));
            self.at = 0;
        }
        Ok(())
    }
}

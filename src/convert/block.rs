//! A block of rows with sorted keys: the unit in which runs hold, write and read their rows.

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt32Type};

use crate::table::Position;

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
    /// Its row among the cells.
    pub(super) row: u32,
}

/// Rows with sorted keys; the cells need not be sorted.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) cells: Vec<ArrayRef>,
    pub(super) keys: Vec<BlockKey>,
}

impl Block {
    /// A block without rows.
    pub(super) fn none() -> Self {
        Self { cells: Vec::new(), keys: Vec::new() }
    }

    /// Reads the rows of a batch, if its last columns are keys.
    pub(super) fn read(batch: &RecordBatch) -> Option<Self> {
        let (cells, keys) = batch.columns().split_at_checked(batch.num_columns().checked_sub(5)?)?;
        let at = keys[0].as_primitive_opt::<Int64Type>()?;
        let number = |place: usize| keys[place].as_primitive_opt::<UInt32Type>();
        let (cluster, object, record, bytes) = (number(1)?, number(2)?, number(3)?, number(4)?);
        let key = |row: usize| BlockKey {
            cluster: cluster.value(row),
            at: at.value(row),
            position: Position { object: object.value(row), record: record.value(row) },
            bytes: bytes.value(row),
            row: as_u32(row),
        };
        Some(Self { cells: cells.to_vec(), keys: (0..batch.num_rows()).map(key).collect() })
    }
}

/// Returns a number of rows or clusters as the keys store it.
pub(super) fn as_u32(number: usize) -> u32 {
    u32::try_from(number).expect("a run is handed over long before it has 2^32 rows")
}

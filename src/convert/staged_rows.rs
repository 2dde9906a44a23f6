//! Checks the rows that another process has staged before any of them are used.
//!
//! The checksum shows that a file is what its shard wrote. This check shows that the shard wrote rows of this table and plan:
//! indexes in them are followed, and cells are used as their columns promise, without another check.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;

use super::block::{Block, BlockKey};

/// The next step if the files of a shard cannot be used.
pub(super) const CONVERT_AGAIN: &str = "convert the shard again";

/// The rows of a shard in a file.
#[derive(Debug)]
pub(super) struct StagedRows {
    pub(super) path: PathBuf,
    /// Number of objects of the plan.
    pub(super) objects: usize,
    /// The types of the decoded columns.
    pub(super) types: Arc<[DataType]>,
}

impl StagedRows {
    /// Returns what is wrong with a block that follows the row `last`, if anything.
    pub(super) fn objection(&self, block: &Block, last: Option<&BlockKey>) -> Option<&'static str> {
        let follows = |a: &BlockKey, b: &BlockKey| place(a) < place(b);
        let is_sorted = block.keys.is_sorted_by(follows)
            && last.zip(block.keys.first()).is_none_or(|(last, first)| follows(last, first));
        if block.cells.len() != self.types.len() || !block.cells.iter().zip(&*self.types).all(holds) {
            Some("its columns do not match the table")
        } else if !block.keys.iter().all(|key| self.knows(key)) {
            Some("a row names an unknown object")
        } else if !is_sorted {
            Some("its rows are not in order")
        } else {
            None
        }
    }

    fn knows(&self, key: &BlockKey) -> bool {
        (key.position.object as usize) < self.objects
    }
}

fn place(key: &BlockKey) -> (u32, i64, u32, u32) {
    (key.cluster, key.at, key.position.object, key.position.record)
}

/// Whether cells have a form in which a column of this type is staged.
fn holds((cells, kind): (&ArrayRef, &DataType)) -> bool {
    match (kind, cells.data_type()) {
        (DataType::Utf8, DataType::Utf8 | DataType::Null) => true,
        (DataType::Utf8, DataType::Dictionary(key, value)) => {
            **key == DataType::UInt32 && **value == DataType::Utf8
        }
        (DataType::List(_), DataType::List(_)) => {
            *cells.as_list::<i32>().values().data_type() == DataType::Utf8
        }
        (kind, found) => kind == found,
    }
}

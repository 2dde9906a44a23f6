//! Rules for decoded rows: filters leave rows out, masks hide secrets in the remaining rows, and columns that are not written
//! are emptied.

pub mod filter;
pub mod redact;

pub use redact::RedactRules;

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, NullArray, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter;
use arrow::datatypes::DataType;

use self::filter::RowFilter;
use self::redact::Redaction;
use crate::error::{Error, Result};
use crate::table::{Column, Rejection, RowBatch, TableSchema};

/// The rules of a table.
#[derive(Debug)]
pub struct RowRules {
    filter: RowFilter,
    redaction: Redaction,
    /// Positions of the dropped columns among the decoded ones.
    dropped: Vec<usize>,
}

/// Objects of the plan, each with the number of its rows that a filter left out.
pub type Filtered = Vec<(u32, u64)>;

impl RowRules {
    /// Parses the rules for a table, or returns an error for an invalid rule.
    pub fn new(schema: &TableSchema, filter: &[String], redact: &RedactRules) -> Result<Self> {
        let (filter, redaction) = (RowFilter::new(schema, filter)?, Redaction::new(schema, redact)?);
        Ok(Self { filter, redaction, dropped: Vec::new() })
    }

    /// Empties columns of the rows that are kept, by their `snake_case` names.
    #[must_use]
    pub fn dropping(self, schema: &TableSchema, names: &[String]) -> Self {
        let is_dropped = |column: &&Column| names.iter().any(|name| *name == column.name);
        let numbered = schema.decoded().enumerate();
        let dropped = numbered.filter(|(_, column)| is_dropped(column)).map(|(place, _)| place).collect();
        Self { dropped, ..self }
    }

    /// Filters rows, then masks the remaining ones. Filters see the values as they were logged. Dropped columns become nulls,
    /// which take no room until the files are written without them.
    pub fn apply(&self, batch: RowBatch) -> Result<(RowBatch, Filtered)> {
        let (mut batch, filtered) = self.leave_out(batch)?;
        for place in &self.dropped {
            batch.cells[*place] = emptied(&batch.cells[*place]);
        }
        self.redaction.apply_to(&mut batch);
        Ok((batch, filtered))
    }

    /// Returns the rows that are left out; `None` if all are kept.
    pub fn left_out(&self, batch: &RowBatch) -> Result<Option<BooleanBuffer>> {
        self.filter.matches(&batch.cells)
    }

    /// Masks a rejected row.
    #[must_use]
    pub fn mask(&self, rejection: Rejection) -> Rejection {
        self.redaction.rejection(rejection)
    }

    fn leave_out(&self, batch: RowBatch) -> Result<(RowBatch, Filtered)> {
        let Some(left_out) = self.left_out(&batch)? else { return Ok((batch, Filtered::new())) };
        let mut filtered = Filtered::new();
        for row in left_out.set_indices() {
            let object = batch.keys[row].position.object;
            match filtered.last_mut() {
                Some((last, rows)) if *last == object => *rows += 1,
                _ => filtered.push((object, 1)),
            }
        }
        let kept = BooleanArray::new(!&left_out, None);
        let cells =
            batch.cells.into_iter().map(|cells| filter(&cells, &kept)).collect::<std::result::Result<_, _>>();
        let cells = cells.map_err(|cause| Error::bug("cannot filter rows").caused_by(cause))?;
        let keys =
            batch.keys.into_iter().zip(kept.values()).filter(|(_, kept)| *kept).map(|(key, _)| key).collect();
        Ok((RowBatch { cells, keys, clusters: batch.clusters }, filtered))
    }
}

/// Returns as many nulls, in a form in which a decoder fills the column.
fn emptied(cells: &ArrayRef) -> ArrayRef {
    match cells.data_type() {
        DataType::Utf8 | DataType::Dictionary(..) => Arc::new(NullArray::new(cells.len())),
        kind => new_null_array(kind, cells.len()),
    }
}

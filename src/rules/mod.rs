//! Rules for decoded rows: filters leave rows out, and masks hide secrets in the remaining rows.

pub mod filter;
pub mod redact;

pub use redact::RedactRules;

use arrow::array::BooleanArray;
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter;

use self::filter::RowFilter;
use self::redact::Redaction;
use crate::error::{Error, Result};
use crate::table::{Rejection, RowBatch, TableSchema};

/// The rules of a table.
#[derive(Debug)]
pub struct RowRules {
    filter: RowFilter,
    redaction: Redaction,
}

/// Objects of the plan, each with the number of its rows that a filter left out.
pub type Filtered = Vec<(u32, u64)>;

impl RowRules {
    /// Parses the rules for a table, or returns an error for an invalid rule.
    pub fn new(schema: &TableSchema, filter: &[String], redact: &RedactRules) -> Result<Self> {
        Ok(Self { filter: RowFilter::new(schema, filter)?, redaction: Redaction::new(schema, redact)? })
    }

    /// Filters rows, then masks the remaining ones. Filters see the values as they were logged.
    pub fn apply(&self, batch: RowBatch) -> Result<(RowBatch, Filtered)> {
        let (mut batch, filtered) = self.leave_out(batch)?;
        self.redaction.apply(&mut batch.cells);
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

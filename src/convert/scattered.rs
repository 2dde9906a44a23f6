//! What reading the objects of a table and day found.

use super::dedupe::IdentityRun;
use super::quarantine::Quarantine;
use super::run::Run;
use crate::error::{Error, Result};
use crate::ledger::RowLedger;
use crate::table::Damage;

/// The results of one object for one day; duplicates still count as written.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectCount {
    /// Its number.
    pub(super) object: u32,
    pub(super) ledger: RowLedger,
    /// The damage of the object.
    pub(super) damage: Damage,
    /// Rows of any day with events that are newer than the object's name allows.
    pub(super) newer_than_name: u64,
}

/// The sorted runs of rows of a table and day, and the counts of all other rows.
#[derive(Debug, Default)]
pub struct Scattered {
    pub(super) runs: Vec<Run>,
    pub(super) identities: Vec<IdentityRun>,
    pub(super) counts: Vec<ObjectCount>,
    pub(super) quarantines: Vec<Quarantine>,
    /// Bytes of rows that are buffered in memory.
    pub(super) resident_bytes: usize,
    /// Whether reading was stopped because the day could no longer be published.
    pub(super) is_cut_short: bool,
    /// Objects with rows excluded by a filter. These rows count as written until all objects are read.
    pub(super) filtered: Vec<(u32, u64)>,
}

impl Scattered {
    /// Number of records and lines that were found.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        self.counts.iter().map(|count| count.ledger.read).sum()
    }

    /// Bytes of rows that are buffered in memory.
    #[must_use]
    pub fn resident_bytes(&self) -> usize {
        self.resident_bytes
    }

    /// Sorts the counts by object, and moves excluded rows from the written ones to the filtered ones.
    pub(super) fn settle_counts(mut self) -> Result<Self> {
        self.counts.sort_by_key(|count| count.object);
        for (object, rows) in std::mem::take(&mut self.filtered) {
            let place = self.counts.binary_search_by_key(&object, |count| count.object);
            let place =
                place.map_err(|_| Error::bug("a filtered row belongs to an object that was not read"))?;
            self.counts[place].ledger.written -= rows;
            self.counts[place].ledger.filtered += rows;
        }
        Ok(self)
    }
}

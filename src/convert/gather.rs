//! Turns sorted runs into part files and accounts for every row.

use std::collections::BTreeMap;
use std::path::Path;

use super::budget::Budget;
use super::dedupe::Duplicates;
use super::encode::{PartFile, PartWriter};
use super::merge::{Merge, reduce};
use super::quarantine::{CountedOnly, Quarantine};
use super::scattered::Scattered;
use super::{ConvertOptions, Progress};
use crate::digest::{DayProof, ReadText};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::RowLedger;
use crate::plan::{PlannedObject, TablePlan};
use crate::store::StagedPartition;
use crate::table::{ColumnType, Damage, TableSchema};

/// The final counts of one object.
#[derive(Debug, Clone)]
pub struct ObjectLedger<'a> {
    /// The object.
    pub object: &'a PlannedObject,
    /// Its rows.
    pub ledger: RowLedger,
    /// The damage of the object.
    pub damage: Damage,
    /// Rows of any day with events that are newer than the object's name allows.
    pub newer_than_name: u64,
    /// The text of the object, if a digest names it.
    pub text: Option<ReadText>,
    /// Rejected rows that do not fit into the quarantine, by reason; known once it is written.
    pub counted_only: BTreeMap<String, u64>,
}

/// A table and day before it is written. The ledger is final.
pub struct Gathered<'a> {
    scattered: Scattered,
    duplicates: Duplicates,
    /// One entry per object, in the order of the plan.
    pub objects: Vec<ObjectLedger<'a>>,
    /// The sum over all objects.
    pub ledger: RowLedger,
}

/// The target of part files.
pub struct PartsTarget<'a> {
    /// The partition that is being written.
    pub partition: &'a mut dyn StagedPartition,
    /// The folder in the partition.
    pub folder: &'a str,
    /// A folder for temporary files.
    pub scratch: &'a Path,
}

/// Finds the duplicates and closes the ledger. Fails if the ledger does not balance.
pub fn gather<'p>(mut scattered: Scattered, plan: &'p TablePlan, scratch: &Path) -> Result<Gathered<'p>> {
    let duplicates = Duplicates::find(std::mem::take(&mut scattered.identities), scratch)?;
    let mut objects: Vec<ObjectLedger<'_>> = scattered
        .counts
        .iter()
        .map(|count| ObjectLedger {
            object: &plan.objects[count.object as usize],
            ledger: count.ledger,
            damage: count.damage,
            newer_than_name: count.newer_than_name,
            text: count.text,
            counted_only: BTreeMap::new(),
        })
        .collect();
    for object in duplicates.objects() {
        let place = scattered
            .counts
            .binary_search_by_key(&object, |count| count.object)
            .map_err(|_| Error::bug("a duplicate comes from an object that was not read"))?;
        // Identities staged by another process may be wrong in any way.
        let written = objects[place].ledger.written.checked_sub(1);
        objects[place].ledger.written =
            written.ok_or_else(|| Error::bug("there are more duplicates than rows"))?;
        objects[place].ledger.duplicate += 1;
    }
    let mut ledger = RowLedger::default();
    for object in &objects {
        ledger += object.ledger;
    }
    let is_complete = objects.len() == plan.objects.len() || scattered.is_cut_short;
    if !objects.iter().all(|object| object.ledger.balances()) || !is_complete {
        return Err(Error::bug("the row ledger does not balance").with("table", &plan.spec.table));
    }
    Ok(Gathered { scattered, duplicates, objects, ledger })
}

impl Gathered<'_> {
    /// Merges the runs, consuming them, and writes part files.
    pub fn write_parts(
        &mut self,
        plan: &TablePlan,
        schema: &TableSchema,
        target: PartsTarget<'_>,
        options: &ConvertOptions,
        progress: &dyn Progress,
    ) -> Result<Vec<PartFile>> {
        let addresses = plan.objects.iter().map(|object| object.address.as_str()).collect();
        let PartsTarget { partition, folder, scratch } = target;
        let runs = std::mem::take(&mut self.scattered.runs);
        let types: Vec<ColumnType> = schema.decoded().map(|column| column.column_type).collect();
        let runs = reduce(runs, &types, &self.duplicates, Budget::of(options).merge_bytes(), scratch)?;
        let mut merge = Merge::new(&runs, &self.duplicates)?;
        let published = plan.spec.shape().schema();
        let mut writer = PartWriter::new(partition, folder, schema, &published, addresses, options);
        loop {
            let chunks = merge.next_chunks()?;
            if chunks.is_empty() {
                break;
            }
            options.cancel.check()?;
            writer.write(&chunks)?;
            progress.rows_written(chunks.iter().map(|chunk| chunk.len() as u64).sum());
        }
        let parts = writer.finish()?;
        let rows: u64 = parts.iter().map(|part| part.rows).sum();
        if rows != self.ledger.written {
            return Err(Error::bug("the part files do not hold the rows of the ledger").with("rows", rows));
        }
        Ok(parts)
    }

    /// Whether reading was stopped because the day could no longer be published.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.scattered.is_cut_short
    }

    /// Returns what digests prove about the day; `None` if it has none. Fails if the file ledger does not balance.
    pub fn proof(&self, plan: &TablePlan) -> Result<Option<DayProof>> {
        let Some(planned) = &plan.proof else { return Ok(None) };
        let objects: Vec<_> =
            self.objects.iter().map(|object| (object.object.address.as_str(), object.text)).collect();
        let proof = planned.close(&objects);
        if !proof.balances() {
            return Err(Error::bug("the file ledger does not balance").with("table", &plan.spec.table));
        }
        Ok(Some(proof))
    }

    /// Writes the rejected rows that fit into `max_bytes` to one file, in order; returns their number.
    pub fn write_quarantine(&mut self, target: &Path, max_bytes: u64) -> Result<u64> {
        let kept = Quarantine::write_sorted(&self.scattered.quarantines, max_bytes, target)?;
        let mut rows = kept.rows;
        for tally in kept.counted_only {
            rows = rows.saturating_add(tally.rows);
            let place = self.scattered.counts.binary_search_by_key(&tally.object, |count| count.object);
            let place = place.map_err(|_| not_as_counted())?;
            self.objects[place].counted_only.insert(tally.reason.into_owned(), tally.rows);
        }
        if rows == self.ledger.quarantined { Ok(kept.rows) } else { Err(not_as_counted()) }
    }

    /// The rejected rows that do not fit into the quarantine, by reason; known once it is written.
    #[must_use]
    pub fn counted_only(&self) -> Vec<CountedOnly> {
        let mut by_reason: BTreeMap<&str, CountedOnly> = BTreeMap::new();
        for object in &self.objects {
            for (reason, rows) in &object.counted_only {
                let group = by_reason.entry(reason).or_insert_with(|| CountedOnly {
                    reason: reason.clone(),
                    rows: 0,
                    objects: 0,
                    first: object.object.address.clone(),
                });
                group.rows += rows;
                group.objects += 1;
            }
        }
        by_reason.into_values().collect()
    }
}

/// Rejected rows that were read back do not match the ledger.
fn not_as_counted() -> Error {
    Error::new(ErrorKind::Unusable, "the rejected rows do not match their counts")
        .hint("run the day again: the files of rejected rows were changed while it was built")
}

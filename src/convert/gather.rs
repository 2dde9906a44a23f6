//! From sorted runs to part files, with every row accounted for.

use std::path::Path;

use arrow::datatypes::DataType;

use super::budget::Budget;
use super::dedupe::Duplicates;
use super::encode::{PartFile, PartWriter};
use super::merge::{Merge, reduce};
use super::quarantine::Quarantine;
use super::scatter::Scattered;
use super::{ConvertOptions, Observer};
use crate::dataset::{Damage, TableSchema};
use crate::error::{Error, Result};
use crate::ledger::RowLedger;
use crate::plan::{PlannedObject, TablePlan};
use crate::store::StagedPartition;

/// What one object gave, in the end.
#[derive(Debug, Clone)]
pub struct ObjectLedger<'a> {
    /// The object.
    pub object: &'a PlannedObject,
    /// Its rows.
    pub ledger: RowLedger,
    /// What of it is lost.
    pub damage: Damage,
    /// Rows of any day whose events are newer than its name allows.
    pub newer_than_name: u64,
}

/// A table and day before it is written: the ledger is final.
pub struct Gathered<'a> {
    scattered: Scattered,
    duplicates: Duplicates,
    /// One entry an object, in the order of the plan.
    pub objects: Vec<ObjectLedger<'a>>,
    /// The sum over all objects.
    pub ledger: RowLedger,
}

/// Where part files go.
pub struct PartsTarget<'a> {
    /// The partition in the making.
    pub partition: &'a mut dyn StagedPartition,
    /// The folder in it.
    pub folder: &'a str,
    /// A folder for what must not stay.
    pub scratch: &'a Path,
}

/// Finds the duplicates and closes the ledger. Fails when the ledger does not balance.
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
        })
        .collect();
    for object in duplicates.objects() {
        let place = scattered
            .counts
            .binary_search_by_key(&object, |count| count.object)
            .map_err(|_| Error::bug("a duplicate comes from an object that was not read"))?;
        objects[place].ledger.written -= 1;
        objects[place].ledger.duplicate += 1;
    }
    let mut ledger = RowLedger::default();
    for object in &objects {
        ledger += object.ledger;
    }
    if !objects.iter().all(|object| object.ledger.balances()) || objects.len() != plan.objects.len() {
        return Err(Error::bug("the row ledger does not balance").with("table", &plan.table));
    }
    Ok(Gathered { scattered, duplicates, objects, ledger })
}

impl Gathered<'_> {
    /// Merges the runs, which are used up, and writes part files.
    pub fn write_parts(
        &mut self,
        plan: &TablePlan,
        schema: &TableSchema,
        target: PartsTarget<'_>,
        options: &ConvertOptions,
        observer: &dyn Observer,
    ) -> Result<Vec<PartFile>> {
        let addresses = plan.objects.iter().map(|object| object.address.as_str()).collect();
        let PartsTarget { partition, folder, scratch } = target;
        let runs = std::mem::take(&mut self.scattered.runs);
        let types: Vec<DataType> = schema.decoded().map(|column| column.column_type.arrow()).collect();
        let runs = reduce(runs, &types, &self.duplicates, Budget::of(options).merge_bytes(), scratch)?;
        let mut merge = Merge::new(&runs, &self.duplicates)?;
        let mut writer = PartWriter::new(partition, folder, schema, addresses, options);
        loop {
            let chunks = merge.next_chunks()?;
            if chunks.is_empty() {
                break;
            }
            options.cancel.check()?;
            writer.write(&chunks)?;
            observer.rows_written(chunks.iter().map(|chunk| chunk.len() as u64).sum());
        }
        let parts = writer.finish()?;
        let rows: u64 = parts.iter().map(|part| part.rows).sum();
        if rows != self.ledger.written {
            return Err(Error::bug("the part files do not hold the rows of the ledger").with("rows", rows));
        }
        Ok(parts)
    }

    /// Writes the rejected rows, in order, to one file; returns their number.
    pub fn write_quarantine(&mut self, target: &Path) -> Result<u64> {
        Quarantine::write_sorted(&mut self.scattered.quarantines, target)
    }
}

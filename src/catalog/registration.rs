//! The last step of the road: a committed day becomes a partition of its table.

use super::change::agreed;
use super::{Catalog, PARTITION_KEY, PartitionDefinition, PartitionState, TableDefinition};
use crate::dataset::TableShape;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::publish::{self, Manifest};
use crate::store::Lake;
use crate::store::lake::Partition;

/// How days are to be registered.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegistrationOptions {
    /// Whether to make the database where there is none.
    pub create_database: bool,
    /// The first day of a projection of partitions; no partition is registered then.
    pub projected_from: Option<KstDay>,
    /// When the values of columns are looked at, where the catalog is to be told about them; it is told those of the newest day.
    pub statistics_at: Option<UtcInstant>,
}

/// Where engines find a day from now on.
#[derive(Debug)]
pub struct Registered {
    /// Name of the table.
    pub table: String,
    /// The run that is the day by now: another one may have been committed meanwhile.
    pub run: String,
    /// The folder that engines read.
    pub location: String,
    /// What became of the partition.
    pub partition: PartitionState,
    /// Why the catalog could not be told about the values of columns: the day is registered all the same.
    pub without_statistics: Option<Error>,
}

/// How often a day that other runs replace meanwhile is registered anew.
const OVERTAKEN: u32 = 10;

/// Tells the catalog about a committed day: database, table, values of columns, and last of all the partition, which is
/// the switch from what engines have read until now.
///
/// Another run may commit the day and register it meanwhile. Whoever is done looks at the lake once more and registers what
/// is the day by then, so that the catalog ends with the run that was committed last.
pub fn register(
    catalog: &dyn Catalog,
    lake: &dyn Lake,
    manifest: &Manifest,
    rules: RegistrationOptions,
) -> Result<Registered> {
    let partition = manifest.partition();
    let mut registered = register_once(catalog, lake, manifest, rules)?;
    for _ in 0..OVERTAKEN {
        match publish::read_manifest(lake, &partition)? {
            Some(newer) if newer.run != registered.run => {
                registered = register_once(catalog, lake, &newer, rules)?;
            }
            _ => break,
        }
    }
    Ok(registered)
}

fn register_once(
    catalog: &dyn Catalog,
    lake: &dyn Lake,
    manifest: &Manifest,
    rules: RegistrationOptions,
) -> Result<Registered> {
    let table = definition(lake, &manifest.shape()?, rules);
    catalog.require_database(rules.create_database)?;
    let columns = catalog.put_table(&table)?;
    let partition = manifest.partition();
    let without_statistics = tell_statistics(catalog, lake, &partition, manifest, rules)?;
    let folder = lake.address(&partition.to_string());
    let run = manifest.run.clone();
    if rules.projected_from.is_some() {
        let location = format!("{folder}/");
        let partition = PartitionState::Projected;
        return Ok(Registered { table: table.name, run, location, partition, without_statistics });
    }
    let wanted = PartitionDefinition::new(manifest, &folder, columns);
    let states = catalog.put_partitions(&table.name, std::slice::from_ref(&wanted))?;
    let partition = states.first().copied().unwrap_or(PartitionState::Unchanged);
    Ok(Registered { table: table.name, run, location: wanted.location, partition, without_statistics })
}

/// Tells about the values of columns as they are on this day, where no later one is known: days of a log are much alike, and
/// the catalog keeps one set for the whole table. Returns why it could not be done, since a day is worth more than what is
/// known about it.
fn tell_statistics(
    catalog: &dyn Catalog,
    lake: &dyn Lake,
    partition: &Partition,
    manifest: &Manifest,
    rules: RegistrationOptions,
) -> Result<Option<Error>> {
    let Some(at) = rules.statistics_at else { return Ok(None) };
    let told = || {
        if !is_newest(catalog, lake, partition, rules)? {
            return Ok(());
        }
        let columns = crate::audit::column_statistics(lake, partition, manifest)?;
        catalog.put_statistics(&partition.table, &columns, at)
    };
    match told() {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
        Err(error) => Ok(Some(error)),
    }
}

/// Whether no later day is registered; with a projection none is, and the lake tells.
fn is_newest(
    catalog: &dyn Catalog,
    lake: &dyn Lake,
    partition: &Partition,
    rules: RegistrationOptions,
) -> Result<bool> {
    if rules.projected_from.is_some() {
        let own = format!("{PARTITION_KEY}={}", partition.day.proc_ymd());
        let days = lake.names(&partition.table)?;
        return Ok(!days.iter().any(|day| day.starts_with(PARTITION_KEY) && *day > own));
    }
    let later = catalog.partitions(&partition.table, partition.day.next(), KstDay::LAST)?;
    Ok(later.is_empty())
}

/// Fails with [`Unusable`](ErrorKind::Unusable) where [`register`] would be refused, whatever becomes of the day: the table
/// disagrees, or nothing is there and may be made. Costs one request where the table is there, and changes nothing.
pub fn foresee(
    catalog: &dyn Catalog,
    lake: &dyn Lake,
    shape: &TableShape,
    rules: RegistrationOptions,
) -> Result<()> {
    let wanted = definition(lake, shape, rules);
    match catalog.table(&wanted.name)? {
        Some(standing) => agreed(&standing, &wanted).map(drop),
        None if rules.create_database => Ok(()),
        None => catalog.require_database(false),
    }
}

/// A table as the catalog should know it.
#[must_use]
pub fn definition(lake: &dyn Lake, shape: &TableShape, rules: RegistrationOptions) -> TableDefinition {
    let description = format!("{} logs, one KST day a partition", shape.dataset);
    let address = lake.address(&shape.table);
    let definition = TableDefinition::new(&shape.table, &description, &shape.schema(), &address);
    TableDefinition { projected_from: rules.projected_from, ..definition }
}

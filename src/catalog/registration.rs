//! The last step of a run: registering a committed day as a partition of its table.

use super::change::agreed;
use super::{Catalog, PartitionDefinition, PartitionState, TableDefinition};
use crate::dataset::TableShape;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::publish::{self, Manifest};
use crate::store::Lake;
use crate::store::lake::{Partition, days_of};

/// Options for registering days.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegistrationOptions {
    /// Whether to create the database if it does not exist.
    pub create_database: bool,
    /// The first day of a partition projection. If set, no partition is registered.
    pub projected_from: Option<KstDay>,
    /// The time to record for column statistics, if the catalog should receive them. It receives those of the newest day.
    pub statistics_at: Option<UtcInstant>,
}

/// A registered day, and where engines find it.
#[derive(Debug)]
pub struct Registered {
    /// Name of the table.
    pub table: String,
    /// The registered run. It can be a later one that was committed in the meantime.
    pub run: String,
    /// The folder that engines read.
    pub location: String,
    /// The outcome for the partition.
    pub partition: PartitionState,
    /// Why the catalog did not receive column statistics. The day is registered anyway.
    pub without_statistics: Option<Error>,
}

/// How often a day is registered again because another run replaced it during registration.
const OVERTAKEN: u32 = 10;

/// Registers a committed day in the catalog: database, table, column statistics and, last, the partition, which switches
/// engines to the new run.
///
/// Another run may commit and register the day at the same time. After registering, this function therefore reads the
/// manifest again and registers a newer run, so that the catalog ends with the run that was committed last.
pub fn register(
    catalog: &dyn Catalog,
    lake: &dyn Lake,
    manifest: &Manifest,
    options: RegistrationOptions,
) -> Result<Registered> {
    let partition = manifest.partition();
    let mut registered = register_once(catalog, lake, manifest, options)?;
    for _ in 0..OVERTAKEN {
        match publish::read_manifest(lake, &partition)? {
            Some(newer) if newer.run != registered.run => {
                registered = register_once(catalog, lake, &newer, options)?;
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
    options: RegistrationOptions,
) -> Result<Registered> {
    let table = definition(lake, &manifest.shape()?, options);
    catalog.require_database(options.create_database)?;
    let columns = catalog.put_table(&table)?;
    let partition = manifest.partition();
    let without_statistics = put_statistics(catalog, lake, &partition, manifest, options)?;
    let folder = lake.address(&partition.to_string());
    let run = manifest.run.clone();
    if options.projected_from.is_some() {
        let location = format!("{folder}/");
        let partition = PartitionState::Projected;
        return Ok(Registered { table: table.name, run, location, partition, without_statistics });
    }
    let wanted = PartitionDefinition::new(manifest, &folder, columns);
    let states = catalog.put_partitions(&table.name, std::slice::from_ref(&wanted))?;
    let partition = states.first().copied().unwrap_or(PartitionState::Unchanged);
    Ok(Registered { table: table.name, run, location: wanted.location, partition, without_statistics })
}

/// Sends the column statistics of this day to the catalog if no later day is registered. The catalog keeps one set for the
/// whole table, and the days of a log are much alike. Returns a failure as a value, because it must not fail the
/// registration.
fn put_statistics(
    catalog: &dyn Catalog,
    lake: &dyn Lake,
    partition: &Partition,
    manifest: &Manifest,
    options: RegistrationOptions,
) -> Result<Option<Error>> {
    let Some(at) = options.statistics_at else { return Ok(None) };
    let put = || {
        if !is_newest(catalog, lake, partition, options)? {
            return Ok(());
        }
        let columns = crate::audit::column_statistics(lake, partition, manifest)?;
        catalog.put_statistics(&partition.table, &columns, at)
    };
    match put() {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
        Err(error) => Ok(Some(error)),
    }
}

/// Whether no later day is registered. With a projection no day is registered, so the lake decides.
fn is_newest(
    catalog: &dyn Catalog,
    lake: &dyn Lake,
    partition: &Partition,
    options: RegistrationOptions,
) -> Result<bool> {
    if options.projected_from.is_some() {
        return Ok(days_of(lake, &partition.table)?.last().is_none_or(|last| *last <= partition.day));
    }
    let later = catalog.partitions(&partition.table, partition.day.next(), KstDay::LAST)?;
    Ok(later.is_empty())
}

/// Fails with [`Unusable`](ErrorKind::Unusable) if the catalog would refuse [`register`] for any version of the day: because
/// the table disagrees, or because the database does not exist and must not be created. Takes one request if the table
/// exists, and changes nothing.
pub fn foresee(
    catalog: &dyn Catalog,
    lake: &dyn Lake,
    shape: &TableShape,
    options: RegistrationOptions,
) -> Result<()> {
    let wanted = definition(lake, shape, options);
    match catalog.table(&wanted.name)? {
        Some(existing) => agreed(&existing, &wanted).map(drop),
        None if options.create_database => Ok(()),
        None => catalog.require_database(false),
    }
}

/// Returns the wanted definition of a table in the catalog.
#[must_use]
pub fn definition(lake: &dyn Lake, shape: &TableShape, options: RegistrationOptions) -> TableDefinition {
    let description = format!("{} logs, one KST day a partition", shape.dataset);
    let address = lake.address(&shape.table);
    let definition = TableDefinition::new(&shape.table, &description, &shape.schema(), &address);
    TableDefinition { dropped: shape.dropped(), projected_from: options.projected_from, ..definition }
}

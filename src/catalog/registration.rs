//! The last step of the road: a committed day becomes a partition of its table.

use super::{Catalog, PartitionDefinition, PartitionState, TableDefinition};
use crate::dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::publish::Manifest;
use crate::store::Lake;
use crate::store::lake::Partition;

/// How days are to be registered.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegisterRules {
    /// Whether to make the database where there is none.
    pub create_database: bool,
    /// The first day of a projection of partitions; no partition is registered then.
    pub projected_from: Option<KstDay>,
    /// Whether to tell about the values of columns.
    pub column_statistics: bool,
}

/// Where engines find a day from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Name of the table.
    pub table: String,
    /// The folder that engines read.
    pub location: String,
    /// What became of the partition.
    pub partition: PartitionState,
}

/// Tells the catalog about a committed day: database, table, and last of all the partition, which is the switch from what
/// engines have read until now.
pub fn register(
    catalog: &dyn Catalog,
    lake: &dyn Lake,
    manifest: &Manifest,
    rules: RegisterRules,
) -> Result<Registered> {
    let table = definition(lake, manifest, rules)?;
    catalog.require_database(rules.create_database)?;
    let columns = catalog.put_table(&table)?;
    let partition = Partition { table: table.name.clone(), day: manifest.day };
    let folder = lake.address(&partition.to_string());
    if rules.projected_from.is_some() {
        let location = format!("{folder}/");
        return Ok(Registered { table: table.name, location, partition: PartitionState::Projected });
    }
    let wanted = PartitionDefinition::new(manifest, &folder, columns);
    let states = catalog.put_partitions(&table.name, std::slice::from_ref(&wanted))?;
    let partition = states.first().copied().unwrap_or(PartitionState::Unchanged);
    Ok(Registered { table: table.name, location: wanted.location, partition })
}

/// The table of a published day as the catalog should know it.
pub fn definition(lake: &dyn Lake, manifest: &Manifest, rules: RegisterRules) -> Result<TableDefinition> {
    let dataset = dataset::named(&manifest.dataset).ok_or_else(|| {
        Error::new(ErrorKind::Unusable, "the day is of a log type that this logmill does not know")
            .with("table", &manifest.table)
            .with("day", manifest.day)
            .with("dataset", &manifest.dataset)
            .hint("use the version of logmill that published it")
    })?;
    let schema = dataset.schema(manifest.naming, &manifest.promote);
    let description = format!("{} logs, one KST day a partition", dataset.name());
    let table = TableDefinition::new(&manifest.table, &description, &schema, &lake.address(&manifest.table));
    Ok(TableDefinition { projected_from: rules.projected_from, ..table })
}

//! Registers committed days as partitions of a table in the catalog.
//!
//! [`table`] and [`partition`] define the wanted state, and [`change`] computes the difference from the existing state. All
//! three work without requests; only a [`Catalog`] makes them. [`register`] is the last step of a run. [`foresee`] checks
//! before the first step whether the catalog would refuse it.

pub mod change;
pub mod diagnosis;
#[cfg(feature = "aws")]
pub(crate) mod glue;
mod open;
pub mod partition;
mod registration;
pub mod table;

pub use change::ExistingTable;
pub use open::open;
pub use partition::{ExistingPartition, PartitionDefinition, run_location};
pub use registration::{Registered, RegistrationOptions, definition, foresee, register};
pub use table::{CatalogColumn, TableDefinition};

use crate::audit::ColumnStatistics;
use crate::error::Result;
use crate::kst::{KstDay, UtcInstant};

/// The outcome for a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionState {
    /// It was created.
    Created,
    /// It existed and was updated.
    Updated,
    /// It existed and was already correct.
    Unchanged,
    /// Athena computes it, so nothing is registered.
    Projected,
}

impl PartitionState {
    /// Returns the name to display, which is also its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Projected => "projected",
        }
    }
}

/// The result of testing a permission.
#[derive(Debug)]
pub struct Probe {
    /// The permission, such as `glue:GetTable`.
    pub permission: &'static str,
    /// [`Denied`](crate::error::ErrorKind::Denied) if the permission is missing.
    pub outcome: Result<()>,
}

/// One database of a catalog. Engines look up the locations of tables and days in it.
///
/// Programs can bring a catalog of their own. This one remembers the locations of partitions:
///
/// ```
/// # use logmill::{audit::ColumnStatistics, error::Result, kst::{KstDay, UtcInstant}};
/// # use logmill::catalog::{Catalog, CatalogColumn, PartitionDefinition, PartitionState, Probe};
/// # use logmill::catalog::{ExistingPartition, ExistingTable, TableDefinition};
/// use std::sync::Mutex;
///
/// #[derive(Default)]
/// struct Locations(Mutex<Vec<String>>);
///
/// impl Catalog for Locations {
///     fn put_partitions(&self, _table: &str, wanted: &[PartitionDefinition]) -> Result<Vec<PartitionState>> {
///         let mut locations = self.0.lock().expect("no other thread panicked");
///         locations.extend(wanted.iter().map(|partition| partition.location.clone()));
///         Ok(vec![PartitionState::Created; wanted.len()])
///     }
///     fn put_table(&self, wanted: &TableDefinition) -> Result<Vec<CatalogColumn>> {
///         Ok(wanted.columns.clone())
///     }
/// #   fn require_database(&self, _: bool) -> Result<()> { Ok(()) }
/// #   fn table(&self, _: &str) -> Result<Option<ExistingTable>> { Ok(None) }
/// #   fn partitions(&self, _: &str, _: KstDay, _: KstDay) -> Result<Vec<ExistingPartition>> { Ok(Vec::new()) }
/// #   fn put_statistics(&self, _: &str, _: &[ColumnStatistics], _: UtcInstant) -> Result<()> { Ok(()) }
/// #   fn look_ups(&self, _: &str) -> Vec<Probe> { Vec::new() }
/// #   fn remove_partitions(&self, _: &str, _: &[KstDay]) -> Result<()> { Ok(()) }
///     // ... the other methods return nothing here
/// }
///
/// let day = PartitionDefinition {
///     day: "2023-11-01".parse()?,
///     location: "s3://lake/cloudtrail/proc_ymd=20231101/20231103T000000Z-0000000a/".to_owned(),
///     columns: Vec::new(),
///     parameters: std::collections::BTreeMap::new(),
/// };
/// let catalog = Locations::default();
/// assert_eq!(catalog.put_partitions("cloudtrail", &[day])?, [PartitionState::Created]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Catalog: Send + Sync {
    /// Fails if the database does not exist, or creates it if `create` is set.
    fn require_database(&self, create: bool) -> Result<()>;

    /// Returns a table as it exists, or `None` if it does not exist.
    fn table(&self, name: &str) -> Result<Option<ExistingTable>>;

    /// Creates a table or updates it to its definition. Returns its resulting columns.
    ///
    /// New columns are also added to all its partitions. Fails with [`Unusable`](crate::error::ErrorKind::Unusable), and
    /// changes nothing, if a different table has this name.
    fn put_table(&self, wanted: &TableDefinition) -> Result<Vec<CatalogColumn>>;

    /// Returns the partitions from `first` to `last`, both included, without their columns. The result is empty if the table
    /// does not exist.
    fn partitions(&self, table: &str, first: KstDay, last: KstDay) -> Result<Vec<ExistingPartition>>;

    /// Creates partitions or updates them to their definitions. Returns the outcome for each.
    fn put_partitions(&self, table: &str, wanted: &[PartitionDefinition]) -> Result<Vec<PartitionState>>;

    /// Replaces the column statistics of a table.
    fn put_statistics(&self, table: &str, columns: &[ColumnStatistics], at: UtcInstant) -> Result<()>;

    /// Tests each read permission for a table, without changing anything.
    fn look_ups(&self, table: &str) -> Vec<Probe>;

    /// Removes partitions. A missing partition is not an error. Files are kept.
    fn remove_partitions(&self, table: &str, days: &[KstDay]) -> Result<()>;
}

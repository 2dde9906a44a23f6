//! Registers committed days as partitions of a table in the catalog.
//!
//! [`table`] and [`partition`] define the wanted state, and [`change`] computes the difference from the existing state. All
//! three work without requests; only a [`Catalog`] makes them. [`register`] is the last step of a run. [`foresee`] checks
//! before the first step whether the catalog would refuse it.

pub mod change;
pub mod diagnosis;
#[cfg(feature = "aws")]
mod glue;
mod open;
pub mod partition;
mod registration;
pub mod table;

pub use change::StandingTable;
pub use open::open;
pub use partition::{PartitionDefinition, StandingPartition};
pub use registration::{Registered, RegistrationOptions, TableShape, definition, foresee, register};
pub use table::{CatalogColumn, PARTITION_KEY, TableDefinition};

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
pub trait Catalog: Send + Sync {
    /// Fails if the database does not exist, or creates it if `create` is set.
    fn require_database(&self, create: bool) -> Result<()>;

    /// Returns a table as it exists, or `None` if it does not exist.
    fn table(&self, name: &str) -> Result<Option<StandingTable>>;

    /// Creates a table or updates it to its definition. Returns its resulting columns.
    ///
    /// New columns are also added to all its partitions. Fails with [`Unusable`](crate::error::ErrorKind::Unusable), and
    /// changes nothing, if a different table has this name.
    fn put_table(&self, wanted: &TableDefinition) -> Result<Vec<CatalogColumn>>;

    /// Returns the partitions from `first` to `last`, both included, without their columns. The result is empty if the table
    /// does not exist.
    fn partitions(&self, table: &str, first: KstDay, last: KstDay) -> Result<Vec<StandingPartition>>;

    /// Creates partitions or updates them to their definitions. Returns the outcome for each.
    fn put_partitions(&self, table: &str, wanted: &[PartitionDefinition]) -> Result<Vec<PartitionState>>;

    /// Replaces the column statistics of a table.
    fn put_statistics(&self, table: &str, columns: &[ColumnStatistics], at: UtcInstant) -> Result<()>;

    /// Tests each read permission for a table, without changing anything.
    fn look_ups(&self, table: &str) -> Vec<Probe>;

    /// Removes partitions. A missing partition is not an error. Files are kept.
    fn remove_partitions(&self, table: &str, days: &[KstDay]) -> Result<()>;
}

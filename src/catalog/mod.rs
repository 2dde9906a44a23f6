//! Committed days to partitions of a table in the catalog.
//!
//! What should stand in a catalog ([`table`], [`partition`]) and what must change about what stands there ([`change`]) is
//! worked out without asking anybody; a [`Catalog`] asks and changes. [`register`] is the last step of the road, and
//! [`foresee`] tells before the first one whether it would be refused.

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
pub use registration::{Registered, RegistrationOptions, definition, foresee, register};
pub use table::{CatalogColumn, PARTITION_KEY, TableDefinition};

use crate::audit::ColumnStatistics;
use crate::error::Result;
use crate::kst::{KstDay, UtcInstant};

/// What became of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionState {
    /// It is new.
    Created,
    /// It stood there and was changed.
    Updated,
    /// It stood there as it should.
    Unchanged,
    /// Athena computes it: nothing is registered.
    Projected,
}

impl PartitionState {
    /// The word for people and machines.
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

/// Whether something is allowed.
#[derive(Debug)]
pub struct Probe {
    /// The permission, such as `glue:GetTable`.
    pub permission: &'static str,
    /// Fails with [`Denied`](crate::error::ErrorKind::Denied) where it is not.
    pub outcome: Result<()>,
}

/// One database of a catalog: what engines ask where tables and their days lie.
pub trait Catalog: Send + Sync {
    /// Fails when there is no such database; with `create`, makes it.
    fn require_database(&self, create: bool) -> Result<()>;

    /// A table as it stands, or `None` when there is none.
    fn table(&self, name: &str) -> Result<Option<StandingTable>>;

    /// Makes a table, or brings it to its definition; returns its columns as they stand then.
    ///
    /// New columns go to all its partitions too. Fails with [`Unusable`](crate::error::ErrorKind::Unusable), and changes
    /// nothing, when another table has the name.
    fn put_table(&self, wanted: &TableDefinition) -> Result<Vec<CatalogColumn>>;

    /// The partitions from one day to another, both included, without their columns; none where there is no such table.
    fn partitions(&self, table: &str, first: KstDay, last: KstDay) -> Result<Vec<StandingPartition>>;

    /// Makes partitions, or brings them to their definitions; says what became of each.
    fn put_partitions(&self, table: &str, wanted: &[PartitionDefinition]) -> Result<Vec<PartitionState>>;

    /// Replaces what is known about the values of columns of a table.
    fn put_statistics(&self, table: &str, columns: &[ColumnStatistics], at: UtcInstant) -> Result<()>;

    /// Tries each permission to look something up about a table, without effect.
    fn look_ups(&self, table: &str) -> Vec<Probe>;

    /// Removes partitions; one that is not there is no error. Files stay.
    fn remove_partitions(&self, table: &str, days: &[KstDay]) -> Result<()>;
}

//! The name, log type and columns of a table.

use super::{Dataset, LogType};
use crate::table::{Naming, Promotion, TableSchema};

/// What decides the columns of a table, published or only configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableShape {
    /// Name of the table.
    pub table: String,
    /// The log type.
    pub dataset: LogType,
    /// Naming scheme of the columns.
    pub naming: Naming,
    /// JSON values with columns of their own.
    pub promote: Vec<Promotion>,
}

impl TableShape {
    /// Returns the default table of a log type.
    #[must_use]
    pub fn default_of(dataset: &'static dyn Dataset) -> Self {
        let table = dataset.default_table().to_owned();
        Self { table, dataset: dataset.into(), naming: Naming::Snake, promote: Vec::new() }
    }

    /// Returns the columns.
    #[must_use]
    pub fn schema(&self) -> TableSchema {
        self.dataset.schema(self.naming, &self.promote)
    }
}

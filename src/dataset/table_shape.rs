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
    /// `snake_case` names of the columns that are not written.
    pub drop_columns: Vec<String>,
}

impl TableShape {
    /// Returns the default table of a log type.
    #[must_use]
    pub fn default_of(dataset: &'static dyn Dataset) -> Self {
        let (table, promote, drop_columns) = (dataset.default_table().to_owned(), Vec::new(), Vec::new());
        Self { table, dataset: dataset.into(), naming: Naming::Snake, promote, drop_columns }
    }

    /// Returns the published columns.
    #[must_use]
    pub fn schema(&self) -> TableSchema {
        self.dataset.schema(self.naming, &self.promote).without(&self.drop_columns)
    }

    /// Returns the names of the columns that are not written, under the table's naming.
    #[must_use]
    pub fn dropped(&self) -> Vec<String> {
        let whole = self.dataset.schema(self.naming, &self.promote);
        let dropped = self.drop_columns.iter().filter_map(|name| whole.named(name));
        dropped.map(|column| column.named(self.naming).into_owned()).collect()
    }
}

//! Committed days to partitions of a table in the catalog.

mod table;

pub use table::{CatalogColumn, PARTITION_KEY, TableDefinition};

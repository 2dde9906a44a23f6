//! The columns of a table, and rows on their way into it.
//!
//! One definition of a [`Column`] gives the Arrow field, the Hive type, the line of DDL and the documentation. Decoders fill
//! [`Rows`], which assign each row to its day and count it. A full batch is a [`RowBatch`].

mod cells;
pub mod column;
mod dropped;
mod promotion;
pub mod rows;
mod text_cells;

pub use cells::Cells;
pub(crate) use cells::plain;
pub use column::{Column, ColumnType, Identifier, Naming, Origin, Spread, TableSchema};
pub use promotion::Promotion;
pub use rows::{
    Cluster, Damage, Identity, IdentityKey, Position, Rejection, RowBatch, RowHead, RowKey, Rows, sort_text,
};

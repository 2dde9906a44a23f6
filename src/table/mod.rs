//! What a table is: its columns, and the rows on their way into it.
//!
//! One definition of a [`Column`] gives the Arrow field, the Hive type, the line of DDL and the documentation. Decoders fill
//! [`Rows`], which know the day of each row and count what becomes of it; a full batch is a [`RowBatch`].

mod cells;
pub mod column;
mod promotion;
pub mod rows;
mod text_cells;

pub use cells::Cells;
pub(crate) use cells::plain;
pub use column::{Column, ColumnType, Identifier, Naming, Origin, Spread, TableSchema};
pub use promotion::Promotion;
pub use rows::{
    Cluster, Damage, Identity, IdentityKey, Position, Rejection, RowBatch, RowHead, RowKey, Rows,
};

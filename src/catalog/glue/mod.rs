//! The Glue catalog: the only code that calls it.
//!
//! [`wire`] turns our definitions into Glue's and back, [`table`] and [`partitions`] are its calls, each a small function,
//! and [`catalog`] puts them together behind [`Catalog`](super::Catalog).

mod catalog;
mod partitions;
mod probe;
mod refusal;
mod statistics;
mod table;
#[cfg(test)]
mod tests;
mod wire;

pub(super) use catalog::GlueCatalog;

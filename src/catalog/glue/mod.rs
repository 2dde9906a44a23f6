//! The Glue catalog. This is the only code that calls Glue.
//!
//! [`wire`] converts our definitions to Glue's types and back. [`table`] and [`partitions`] contain the calls, each in a
//! small function. [`catalog`] combines them behind [`Catalog`](super::Catalog).

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

//! The Glue catalog. This is the only code that calls Glue.
//!
//! [`wire`] converts our definitions to Glue's types and back. [`table`] and [`partitions`] contain the calls, each in a
//! small function. [`catalog`] combines them behind [`Catalog`](super::Catalog).

mod catalog;
mod partitions;
mod probe;
mod refusal;
mod request;
#[cfg(test)]
pub(crate) mod simulation;
mod statistics;
mod table;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use catalog::GlueCatalog;
#[cfg(test)]
pub(crate) use catalog::simulated;

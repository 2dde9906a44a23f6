//! SQL over a lake: an embedded engine that reads what manifests say is published, and nothing else.
//!
//! [`Engine`] is blocking, as all of the core; the runtime that DataFusion needs lives inside it. A table is planned only
//! when a statement names it, a manifest is read only when its day can hold rows that are wanted, and of files only the
//! ranges are read that the statement needs. The clock is read here in one place, by the `now()` of a statement.

mod casts;
mod days;
mod engine;
mod failure;
mod families;
mod files;
mod functions;
mod inputs;
mod instants;
mod meaning;
mod rewrite;
mod rows;
mod rows_cast;
mod scanned;
mod spills;
mod statement;
mod table;
mod types;
mod views;
mod zone;
mod zoned_gate;

pub use engine::{Engine, EngineOptions, KnownTable, UnpublishedDays};
pub use rows::{RowStream, Rows};
pub use scanned::Scanned;
pub use views::{VIEWS, View};

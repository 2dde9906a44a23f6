//! SQL over a lake: an embedded engine that reads only what manifests list as published.
//!
//! [`Engine`] blocks, like the rest of the core, and contains the async runtime that DataFusion needs. It plans a table only
//! when a statement names it, reads a manifest only if its day can hold matching rows, and reads only the file ranges that
//! the statement needs. The clock is read in one place: the `now()` of a statement.

mod casts;
mod commands;
mod days;
mod dialect;
mod engine;
mod examples;
mod failure;
mod families;
mod file_columns;
mod files;
mod functions;
mod inputs;
mod instants;
mod log_types;
mod meaning;
mod outputs;
mod rewrite;
mod rows;
mod rows_cast;
mod scanned;
mod session;
mod spelling;
mod spellings;
mod spills;
pub(crate) mod statement;
mod syntax_hint;
mod table;
mod ties;
mod tokens;
mod type_names;
mod types;
mod unnest;
mod views;
mod workers;
mod zone;
mod zoned_gate;

pub use engine::{Engine, UnpublishedDays};
pub use examples::{EXAMPLES, Example};
pub use rows::{RowStream, Rows};
pub use scanned::Scanned;
pub use session::EngineOptions;
pub use views::{VIEWS, View};

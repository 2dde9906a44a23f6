//! Builds the report over published days: one self-contained HTML page that runs no script and fetches nothing.
//!
//! A [`Figure`] is an SQL query over the views of `glue/sql` and the chart of its answer. [`FIGURES`] lists all figures. An
//! [`Answer`] is the result of a query, and [`page`](fn@page) combines answers and ledgers. This module does not read the
//! lake. The same answers give the same page, byte for byte.
//!
//! Keys and user agents are untrusted, so every text goes through `html::escape`.

mod answer;
mod chart;
mod figure;
mod figures;
mod format;
mod html;
mod ledgers;
mod page;
mod text;

pub use answer::{Answer, Cell};
pub use figure::{Chart, Figure, Label, Log, Mark, Missing, Unit};
pub use figures::FIGURES;
pub use ledgers::LedgerLine;
pub use page::{Answered, Report, page};
pub use text::{Language, Text};

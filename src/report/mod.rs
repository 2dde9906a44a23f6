//! Builds the report over published days: one self-contained HTML page that fetches nothing.
//!
//! A [`Scope`] is what the report covers. A [`Pulse`] counts the rows of a log over time, a [`Figure`] is a table or chart, and a
//! [`Finding`] is a figure that is shown only if it has rows. Each is an SQL query over the views of `glue/sql`, which the scope
//! completes. An [`Answer`] is the result of a query, and [`page`](fn@page) combines answers and ledgers. This module does not read
//! the lake. The same answers give the same page, byte for byte.
//!
//! Keys and user agents are untrusted, so every text is escaped. The only script is `page.js`, which the page allows by its hash.
//! Everything can be read without it.

mod answer;
mod article;
mod calendar;
mod chart;
mod figure;
mod figures;
mod findings;
mod format;
mod hours;
mod keys;
mod ledgers;
mod log;
mod look;
mod page;
mod proofs;
mod pulse;
mod pulses;
mod scope;
mod text;

pub use answer::{Answer, Cell};
pub use figure::{Chart, Figure, Label, Missing};
pub use figures::figures;
pub use findings::{FINDINGS, Finding, MIN_HISTORY};
pub use format::Unit;
pub use keys::LogBeats;
pub use ledgers::LedgerLine;
pub use log::{Log, View};
pub use look::Found;
pub use page::{Answered, Report, page};
pub use pulse::{Beats, Metric, Pulse};
pub use pulses::pulses;
pub use scope::{Filters, Scope};
pub use text::{Language, Text};

//! Published days as one page for people: a self-contained HTML document with no script and nothing to fetch.
//!
//! A [`Figure`] is a question in SQL over the views of `glue/sql` and the way its answer is drawn; [`FIGURES`] is the list.
//! [`Answer`] is what a query engine said, [`page`](fn@page) puts answers and ledgers together. Nothing here reads a lake, and the
//! same answers give the same page, byte for byte.
//!
//! Keys and user agents come from strangers: every text goes through [`html::escape`].

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

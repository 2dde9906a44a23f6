//! Log types whose lines are texts between single spaces: one table of fields per log type, one decoder for all.
//!
//! A log type writes a [`Grammar`]: its fields in the order of a line, each with its columns, its quotes, the kind of its
//! values and who writes it. The schema, the decoder and the check of a first line follow from that table.
//!
//! # Reading rules
//!
//! * A field that begins with a quote ends at the first quote that a space or the end of the line follows. Other fields end
//!   at the next space. A log type can differ by its [`Quoting`].
//! * Text is kept as logged, without decoding. `-`, `"-"` and `""` are NULL in every field.
//! * A line with fewer fields than the oldest known form was cut off and is rejected. Fields that an old form lacks are NULL.
//! * Fields after the newest known form are kept verbatim in `extra`.
//! * A field with unexpected quotes, a quote inside a bare field, ` "` inside a quoted one, or text in place of a number or
//!   time rejects the line, because a client may have shifted its fields.
//!
//! AWS escapes quotes in the texts of clients, so a client cannot end its field. No page of AWS promises this, so the decoder
//! does not rely on it alone. With raw quotes, a client can shift the fields after its text to the right. They then have the
//! wrong quotes or kind of value, or repeat after the last known field, which [`repeated`] detects. It can also leave a quote
//! open that swallows them, up to and with the opening quote of the next text.

mod cells;
mod column;
mod fault;
mod field;
mod format;
mod grammar;
mod kind;
mod read;
mod repeated;
mod request_line;
mod split;
mod value;

pub(super) use column::{bigint, double, int, list, text, time};
pub(super) use field::{Field, bare, either, quoted, quoted_or_dash};
pub(super) use format::FieldLines;
pub(super) use grammar::Grammar;
pub(super) use kind::Kind;
pub(super) use split::Quoting;

#[cfg(test)]
pub(super) mod tests;

//! Log types whose objects begin with a header line that names the fields of the lines after it.
//!
//! A log type writes a [`Grammar`]: the fields that it knows by their names in headers, each with its column and the kind of
//! its values, and the rules for header lines and for the event time. The schema, the decoder and the check of a first line
//! follow from it.
//!
//! # Reading rules
//!
//! * A header decides the fields of the lines after it, up to the next header or the end of the object. Users choose fields
//!   and their order, so positions mean nothing.
//! * Without a header, a line has the default fields, if their number is that of a known form.
//! * Text is kept as logged, without decoding. `-`, `"-"` and empty texts are NULL in every field.
//! * A line with fewer values than names was cut off and is rejected. Text in place of a number or time rejects the line too.
//! * Values of unknown names are kept in `extra`, a JSON object by name. Values beyond the last name are there under the
//!   empty name.
//! * If the log type has a form in JSON, a line that begins with `{` is a record by name.
//!
//! Equal lines can be real, so a line alone identifies no row. If the line has an id, equal lines are the same request.
//! Otherwise the name of the object and the number of the line belong to the identity.

mod cells;
mod extra;
mod fault;
mod field;
mod format;
mod grammar;
mod json;
mod layout;
mod read;
mod value;

pub(super) use fault::Reason;
pub(super) use field::{Field, clock, date, number, seconds, text};
pub(super) use format::HeadedLines;
pub(super) use grammar::{EventTime, Grammar, LineRole};

//! Log types whose records are JSON objects: one table of columns per log type gives the schema and the cells.
//!
//! Values are kept as slices of the record while it is walked and become typed cells column by column. JSON columns keep
//! the text of the record. Values without a column, and values of a type that their column cannot hold, are kept in the
//! column `extra` by their JSON path. `null` and a missing key are NULL, and the last of equal keys counts.

mod cells;
mod column;
mod line;
mod lines;
mod list;
mod shape;
mod time;
mod value;

pub(super) use cells::{extra_json, write};
pub(super) use column::{json_column, json_columns, json_schema};
pub(super) use line::{begins_line, first_object, walk_line};
pub(super) use lines::JsonLines;
pub(super) use shape::{ExtraField, Found, Shape};
pub(super) use time::TimeForm;
pub(super) use value::{boolean, integer};

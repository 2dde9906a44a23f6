//! Columns of fields. The place of the field in the table gives their origin.

use crate::table::ColumnType::{BigInt, Double, Int, Text, TextList, Timestamp};
use crate::table::{Column, ColumnType, Origin};

/// Returns a column of texts.
pub(in crate::dataset) const fn text(name: &'static str, meaning: &'static str) -> Column {
    of(Text, name, meaning)
}

/// Returns a column of 32-bit integers.
pub(in crate::dataset) const fn int(name: &'static str, meaning: &'static str) -> Column {
    of(Int, name, meaning)
}

/// Returns a column of 64-bit integers.
pub(in crate::dataset) const fn bigint(name: &'static str, meaning: &'static str) -> Column {
    of(BigInt, name, meaning)
}

/// Returns a column of floating-point numbers.
pub(in crate::dataset) const fn double(name: &'static str, meaning: &'static str) -> Column {
    of(Double, name, meaning)
}

/// Returns a column of times.
pub(in crate::dataset) const fn time(name: &'static str, meaning: &'static str) -> Column {
    of(Timestamp, name, meaning)
}

/// Returns a column of lists of texts.
pub(in crate::dataset) const fn list(name: &'static str, meaning: &'static str) -> Column {
    of(TextList, name, meaning)
}

const fn of(column_type: ColumnType, name: &'static str, meaning: &'static str) -> Column {
    Column::new(name, column_type, Origin::Decoder, meaning)
}

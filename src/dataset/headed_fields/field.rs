//! A field that a header can name.

use crate::table::Column;

/// A field that a header can name.
#[derive(Debug)]
pub(in crate::dataset) struct Field {
    /// Its name in headers, and the key in JSON.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// The kind of the values in a field, with its column. `-` is NULL in all of them.
#[derive(Debug)]
pub(super) enum Kind {
    /// Text as logged.
    Text(Column),
    /// An integer or decimal number, depending on the column.
    Number(Column),
    /// Seconds since 1970-01-01, as a time.
    Seconds(Column),
    /// A date, `YYYY-MM-DD`, which is part of the event time and has no column.
    Date,
    /// A time of day in UTC, `hh:mm:ss`, which is part of the event time and has no column.
    Clock,
}

impl Field {
    /// Whether headers name it so.
    pub(in crate::dataset) fn is_named(&self, name: &str) -> bool {
        self.name == name
    }

    /// Returns the column that the field fills, if it has one.
    pub(super) fn column(&self) -> Option<&Column> {
        match &self.kind {
            Kind::Text(column) | Kind::Number(column) | Kind::Seconds(column) => Some(column),
            Kind::Date | Kind::Clock => None,
        }
    }
}

/// Returns a field of text.
pub(in crate::dataset) const fn text(name: &'static str, column: Column) -> Field {
    Field { name, kind: Kind::Text(column) }
}

/// Returns a field of numbers.
pub(in crate::dataset) const fn number(name: &'static str, column: Column) -> Field {
    Field { name, kind: Kind::Number(column) }
}

/// Returns a field of times in seconds since 1970-01-01.
pub(in crate::dataset) const fn seconds(name: &'static str, column: Column) -> Field {
    Field { name, kind: Kind::Seconds(column) }
}

/// Returns a field of dates without a column.
pub(in crate::dataset) const fn date(name: &'static str) -> Field {
    Field { name, kind: Kind::Date }
}

/// Returns a field of times of day without a column.
pub(in crate::dataset) const fn clock(name: &'static str) -> Field {
    Field { name, kind: Kind::Clock }
}

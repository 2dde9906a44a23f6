//! A field of a line.

use super::fault::Reason;
use super::kind::Kind;
use super::split::Written;
use super::value::{Value, is_null};

/// A field of a line.
#[derive(Debug)]
pub(in crate::dataset) struct Field {
    /// How AWS quotes it.
    pub(super) quotes: Quotes,
    /// Whether a client can choose text in it.
    pub(super) is_of_client: bool,
    /// The kind of its values, and its columns.
    pub(super) kind: Kind,
}

/// How AWS quotes a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    Never,
    Always,
    /// Always, apart from a missing value: a bare `-`, which AWS writes in the place of a field before it releases the field.
    UnlessMissing,
    /// With or without quotes, depending on the time or the source of a line.
    Sometimes,
}

/// Returns a field that is never in quotes.
pub(in crate::dataset) const fn bare(kind: Kind) -> Field {
    Field { quotes: Quotes::Never, is_of_client: false, kind }
}

/// Returns a field that is always in quotes.
pub(in crate::dataset) const fn quoted(kind: Kind) -> Field {
    Field { quotes: Quotes::Always, is_of_client: false, kind }
}

/// Returns a field that is in quotes, unless it is a bare `-`.
pub(in crate::dataset) const fn quoted_or_dash(kind: Kind) -> Field {
    Field { quotes: Quotes::UnlessMissing, is_of_client: false, kind }
}

/// Returns a field that may be in quotes.
pub(in crate::dataset) const fn either(kind: Kind) -> Field {
    Field { quotes: Quotes::Sometimes, is_of_client: false, kind }
}

impl Field {
    /// Marks a field in which a client can choose text.
    pub(in crate::dataset) const fn of_client(mut self) -> Self {
        self.is_of_client = true;
        self
    }

    /// Returns the name of the field: that of its first column.
    pub(super) fn name(&self) -> &str {
        self.kind.columns().first().map_or("", |column| &column.name)
    }

    /// Returns what is wrong with the quotes of a field of a line, if anything.
    pub(super) fn misquoted(&self, line: &str, written: Written) -> Option<Reason> {
        match (self.quotes, written.is_quoted) {
            (Quotes::Never, true) => Some(Reason::QuotedField),
            (Quotes::Always, false) => Some(Reason::UnquotedText),
            (Quotes::UnlessMissing, false) if !is_null(written.text.of(line)) => Some(Reason::UnquotedText),
            _ => None,
        }
    }

    /// Whether a field of a line is a bare `-` in the place of a text in quotes.
    pub(super) fn is_bare_dash(&self, written: Written) -> bool {
        self.quotes == Quotes::UnlessMissing && !written.is_quoted
    }

    /// Whether a field of a line has the quotes and the kind of value of this one.
    pub(super) fn fits(&self, line: &str, written: Written) -> bool {
        self.misquoted(line, written).is_none() && Value::read(&self.kind, line, written).is_ok()
    }
}

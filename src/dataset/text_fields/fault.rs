//! The reason why a line is rejected: a stable name, a sentence, and the place.

use std::fmt;

/// The reason why a line is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Two spaces in a row, or a space at an end of the line.
    EmptyField,
    /// The line ends inside quotes.
    UnclosedQuote,
    /// A bare field holds a quote, or a quoted field holds one after a space.
    StrayQuote,
    /// The line has fewer fields than the oldest known form.
    MissingFields,
    /// A field that is always in quotes has none.
    UnquotedText,
    /// A field that is never in quotes has some.
    QuotedField,
    /// The fields after the text of a client repeat after the last known field.
    RepeatedFields,
    /// The word that every line of the log type has is another one.
    BadType,
    BadTime,
    BadNumber,
    BadAddress,
}

impl Reason {
    /// Returns the stable name for counters.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::EmptyField => "empty_field",
            Self::UnclosedQuote => "unclosed_quote",
            Self::StrayQuote => "stray_quote",
            Self::MissingFields => "missing_fields",
            Self::UnquotedText => "unquoted_text",
            Self::QuotedField => "quoted_field",
            Self::RepeatedFields => "repeated_fields",
            Self::BadType => "bad_type",
            Self::BadTime => "bad_time",
            Self::BadNumber => "bad_number",
            Self::BadAddress => "bad_address",
        }
    }

    /// Returns the reason as a sentence, without the place.
    const fn sentence(self) -> &'static str {
        match self {
            Self::EmptyField => "a field is empty",
            Self::UnclosedQuote => "the line ends inside a quoted field",
            Self::StrayQuote => "a quote is in the middle of a field, so the borders of fields are uncertain",
            Self::MissingFields => "the line has fewer fields than the oldest known form",
            Self::UnquotedText => "a field that is always in quotes has none",
            Self::QuotedField => "a field that is never in quotes has some",
            Self::RepeatedFields => "the fields after a client's text repeat at the end of the line",
            Self::BadType => "the line is of another kind than the log type",
            Self::BadTime => "a time is not of the form 2023-11-01T03:00:00.123456Z",
            Self::BadNumber => "a number is neither digits nor a dash",
            Self::BadAddress => "an address is not of the form address:port",
        }
    }
}

/// The reason and the place at which the reading of a line stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The reason.
    pub(super) reason: Reason,
    /// The number of the field in question, from 0.
    pub(super) field: usize,
    /// The name of the field; `extra` for unknown ones.
    pub(super) name: &'static str,
    /// Byte position in the line, from 0.
    pub(super) at: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (field {}, {}, byte {})", self.reason.sentence(), self.field + 1, self.name, self.at)
    }
}

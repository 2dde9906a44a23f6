//! The reason why a line is rejected: a stable name, a sentence, and the place.

use std::fmt;

use crate::json::Stop;

/// The reason why a line is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataset) struct Reason {
    /// The stable name for counters.
    pub(in crate::dataset) name: &'static str,
    /// The reason as a sentence, without the place.
    pub(in crate::dataset) sentence: &'static str,
}

impl Reason {
    const fn new(name: &'static str, sentence: &'static str) -> Self {
        Self { name, sentence }
    }

    pub(super) const MISSING_FIELDS: Self =
        Self::new("missing_fields", "the line has fewer values than fields");
    pub(super) const TOO_MANY_FIELDS: Self = Self::new(
        "too_many_fields",
        "the object has no header line and the line is not of the default format",
    );
    pub(super) const EMPTY_FIELD: Self = Self::new("empty_field", "a field is empty");
    pub(super) const REPEATED_NAME: Self = Self::new("repeated_name", "the header line names a field twice");
    pub(super) const REPEATED_KEY: Self = Self::new("repeated_key", "the JSON object has a key twice");
    pub(super) const BAD_JSON: Self = Self::new("bad_json", "the line is not a JSON object");
    pub(super) const BAD_TIME: Self = Self::new("bad_time", "a time or date has another form");
    pub(super) const BAD_NUMBER: Self = Self::new("bad_number", "a number is neither digits nor a dash");
    pub(super) const NO_TIME: Self = Self::new("no_time", "the fields of the line hold no time of the event");
}

/// The reason and the place at which the reading of a line stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    place: String,
}

impl Fault {
    /// Returns a fault of a value of the field with this name.
    pub(super) fn of_field(reason: Reason, name: &str) -> Self {
        Self { reason, place: format!("field {name}") }
    }

    /// Returns a fault of the number of values.
    pub(super) fn of_count(reason: Reason, values: usize, names: usize) -> Self {
        Self { reason, place: format!("values: {values}, fields: {names}") }
    }

    /// Returns the fault at which a walk over JSON stopped.
    pub(super) fn of_json(stop: Stop) -> Self {
        let place = match stop {
            Stop::Incomplete => "it ends inside a value".to_owned(),
            Stop::Invalid { at, expected } => format!("byte {at}: expected {expected}"),
            Stop::TooDeep => "too many nested brackets".to_owned(),
        };
        Self { reason: Reason::BAD_JSON, place }
    }
}

/// A fault of the line as a whole.
impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self { reason, place: String::new() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.reason.sentence)?;
        if self.place.is_empty() { Ok(()) } else { write!(out, " ({})", self.place) }
    }
}

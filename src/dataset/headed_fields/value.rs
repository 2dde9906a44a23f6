//! The values of fields.

use std::borrow::Cow;

use super::fault::Reason;
use super::field::Kind;
use crate::dataset::object_key::time_by_pattern;
use crate::dataset::text_fields::{decimal, integer};
use crate::kst::UtcInstant;
use crate::table::ColumnType;

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Text(&'a str),
    /// Text without its escapes in JSON.
    Unescaped(String),
    Integer(i64),
    Double(f64),
    Time(UtcInstant),
}

impl<'a> Value<'a> {
    /// Reads a value of a field.
    pub(super) fn read(kind: &Kind, written: Cow<'a, str>) -> Result<Self, Reason> {
        if is_null(&written) {
            return Ok(Self::Null);
        }
        let time = |at: Option<UtcInstant>| at.map(Self::Time).ok_or(Reason::BAD_TIME);
        match kind {
            Kind::Text(_) => Ok(match written {
                Cow::Borrowed(text) => Self::Text(text),
                Cow::Owned(text) => Self::Unescaped(text),
            }),
            Kind::Number(column) if column.column_type == ColumnType::Double => {
                decimal(&written).map(Self::Double).ok_or(Reason::BAD_NUMBER)
            }
            Kind::Number(column) => {
                integer(&written, column.column_type).map(Self::Integer).ok_or(Reason::BAD_NUMBER)
            }
            Kind::Seconds(_) => time(integer(&written, ColumnType::BigInt).and_then(of_seconds)),
            Kind::Date => time(whole(&written, "YYYY-MM-DD")),
            Kind::Clock => time(clock(&written)),
        }
    }

    /// Returns the text, if the value is a text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Unescaped(text) => Some(text),
            _ => None,
        }
    }
}

/// Whether a text stands for a missing value.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "-" | "" | "\"-\"")
}

/// Reads a time that has exactly the form of a pattern.
fn whole(text: &str, pattern: &str) -> Option<UtcInstant> {
    (text.len() == pattern.len()).then(|| time_by_pattern(text.as_bytes(), pattern))?
}

/// Reads a time of day as a time on 1970-01-01.
fn clock(text: &str) -> Option<UtcInstant> {
    const DATED: &str = "1970-01-01T";
    let mut dated = [0; DATED.len() + 8];
    dated[..DATED.len()].copy_from_slice(DATED.as_bytes());
    (text.len() == 8).then(|| dated[DATED.len()..].copy_from_slice(text.as_bytes()))?;
    time_by_pattern(&dated, "YYYY-MM-DDThh:mm:ss")
}

/// The end of the year 9999, in milliseconds since 1970-01-01.
const LAST_MS: i64 = 253_402_300_800_000;

/// Returns the time of some milliseconds since 1970-01-01, up to the year 9999.
pub(super) fn of_millis(milliseconds: i64) -> Option<UtcInstant> {
    (0..LAST_MS).contains(&milliseconds).then_some(UtcInstant(milliseconds))
}

/// Returns the time of some seconds since 1970-01-01.
pub(super) fn of_seconds(seconds: i64) -> Option<UtcInstant> {
    of_millis(seconds.checked_mul(1000)?)
}

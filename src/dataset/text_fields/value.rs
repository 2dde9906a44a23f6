//! The values of fields.

use super::fault::Reason;
use super::kind::Kind;
use super::split::{Span, Written};
use crate::kst::UtcInstant;
use crate::table::ColumnType;

/// The value of a field: a number or time, or a part of the line that is known to fit its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Null,
    Text(Span),
    Integer(i64),
    Double(f64),
    Time(UtcInstant),
}

impl Value {
    /// Reads a field of a line.
    pub(super) fn read(kind: &Kind, line: &str, written: Written) -> Result<Self, Reason> {
        let text = written.text.of(line);
        if is_null(text) {
            return match kind {
                Kind::EventTime(_) | Kind::EventTimeUtc(_) => Err(Reason::BadTime),
                Kind::Word(..) => Err(Reason::BadType),
                _ => Ok(Self::Null),
            };
        }
        let as_text = |fits: bool, reason| if fits { Ok(Self::Text(written.text)) } else { Err(reason) };
        match kind {
            Kind::Request(_) if text == NO_REQUEST => Ok(Self::Null),
            Kind::Word(_, word) => as_text(text == *word, Reason::BadType),
            Kind::Text(_) | Kind::Tls(_) | Kind::List(_) | Kind::Request(_) => Ok(Self::Text(written.text)),
            Kind::EventTime(_) | Kind::Time(_) => time(text).map(Self::Time).ok_or(Reason::BadTime),
            Kind::EventTimeUtc(_) | Kind::TimeUtc(_) => {
                UtcInstant::parse_utc(text).map(Self::Time).ok_or(Reason::BadTime)
            }
            Kind::Integer(column) => {
                integer(text, column.column_type).map(Self::Integer).ok_or(Reason::BadNumber)
            }
            Kind::Double(_) => decimal(text).map(Self::Double).ok_or(Reason::BadNumber),
            Kind::Status(_) => as_text(status(text).is_some(), Reason::BadNumber),
            Kind::AddressPort(_) => as_text(address_port(text).is_some(), Reason::BadAddress),
            Kind::Validity(_) => validity(text).map(|_| Self::Text(written.text)),
        }
    }
}

/// The request line of a connection without HTTP.
const NO_REQUEST: &str = "- - - ";

/// Whether a text, without its quotes, stands for a missing value.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "-" | "")
}

/// Reads a time, which is in UTC.
fn time(text: &str) -> Option<UtcInstant> {
    text.ends_with('Z').then(|| UtcInstant::parse_iso8601(text))?
}

/// Reads an integer that fits into a column.
pub(in crate::dataset) fn integer(text: &str, column_type: ColumnType) -> Option<i64> {
    is_integer(text).then(|| text.parse().ok())?.filter(|number| match column_type {
        ColumnType::Int => i32::try_from(*number).is_ok(),
        _ => true,
    })
}

fn is_integer(text: &str) -> bool {
    is_digits(text.strip_prefix('-').unwrap_or(text))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads a decimal number without an exponent.
pub(in crate::dataset) fn decimal(text: &str) -> Option<f64> {
    let fits = match text.bytes().position(|byte| byte == b'.') {
        Some(point) => is_integer(&text[..point]) && is_digits(&text[point + 1..]),
        None => is_integer(text),
    };
    fits.then(|| text.parse().ok())?.filter(|number: &f64| number.is_finite())
}

/// Reads an HTTP status.
pub(super) fn status(text: &str) -> Option<i64> {
    (text.len() == 3 && is_digits(text)).then(|| text.parse().ok())?
}

const MAX_PORT_DIGITS: usize = 5;

/// Divides an address from its port.
pub(super) fn address_port(text: &str) -> Option<(&str, i64)> {
    let digits = text.bytes().rev().take(MAX_PORT_DIGITS + 1).position(|byte| byte == b':')?;
    let (front, port) = text.split_at(text.len() - digits);
    let address = front.strip_suffix(':')?;
    let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
    let port = is_digits(port).then(|| port.parse::<u16>().ok())??;
    (!address.is_empty()).then_some((address, port.into()))
}

/// The times of a certificate, from and to. `-` is NULL.
pub(super) type Times = [Option<UtcInstant>; 2];

/// Reads the times of `NotBefore=TIME;NotAfter=TIME`. Other text has no times.
pub(super) fn validity(text: &str) -> Result<Times, Reason> {
    let Some((before, after)) = text.strip_prefix(NOT_BEFORE).and_then(|rest| rest.split_once(";NotAfter="))
    else {
        return Ok([None, None]);
    };
    let nullable = |text: &str| match time(text) {
        None if text != "-" => Err(Reason::BadTime),
        time => Ok(time),
    };
    Ok([nullable(before)?, nullable(after)?])
}

/// The front of the times of a certificate.
const NOT_BEFORE: &str = "NotBefore=";

/// Whether a value looks like one of its kind, as far as a kind that takes any text shows it.
pub(super) fn is_likely(kind: &Kind, text: &str) -> bool {
    let is_of_tls =
        || text.starts_with(|first: char| first.is_ascii_uppercase()) && text.contains(['-', '_', 'v']);
    !matches!(kind, Kind::Tls(_)) || is_null(text) || is_of_tls()
}

/// Whether a value is a time, or times, which no other kind of field holds. Short numbers can be anything.
pub(super) fn is_of_time(kind: &Kind, text: &str) -> bool {
    match kind {
        Kind::EventTime(_) | Kind::EventTimeUtc(_) | Kind::Time(_) | Kind::TimeUtc(_) => !is_null(text),
        Kind::Validity(_) => text.starts_with(NOT_BEFORE),
        _ => false,
    }
}

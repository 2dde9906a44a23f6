//! The text line that S3 writes for a request whose record was read in the JSON form.
//!
//! A bucket can have both forms of logging turned on. The same request then has a line in each, and one of them must be
//! recognised as the duplicate. Text lines are duplicates if they are equal as a whole. So the identity of a record is the
//! text line that S3 would write for it, byte for byte, if that line identifies the record. Otherwise the identity of the
//! record is its own text, and both rows are kept. A row is never dropped for values that are only similar.
//!
//! The line identifies the record if all of this holds:
//!
//! * the record has no unknown keys and no values of an unexpected type, its schema version is the known one, and its ARN
//!   follows from the bucket;
//! * the decoder of text lines gives the line exactly one reading, and this reading is the values of the record. Texts of
//!   clients with quotes that allow other readings, and keys that a text line would encode, fail this check;
//! * the key has no replacement character, which can stand for any bytes in a text line;
//! * the time has whole seconds, or the request id is that of one request. A text line has no milliseconds, and the rows of
//!   one job, which share an id, can be received at different ones. The rows of one request, for example of a multi-object
//!   delete, share the time of that request.
//!
//! Absent texts of clients are `"-"`, except in the lines of batch deletes and checksum jobs, which have bare dashes. AWS does
//! not document this, but its samples and real lines show it. In a text line, S3 writes `-` for zero bytes sent and for an ACL that was not required. Records that differ in nothing
//! else are duplicates too.

use std::borrow::Cow;

use super::cells::FIELDS;
use super::field::{Field, Quality};
use super::fields;
use super::json_record::{Record, is_number};
use crate::kst::{Civil, UtcInstant};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The operations whose lines have bare dashes for absent texts of clients.
const BARE_DASHES: [&str; 2] = ["BATCH.", "S3.COMPUTE."];
/// Number of characters in the id of a request.
const REQUEST_ID_CHARS: usize = 16;

/// Returns the text line of a record that has nothing in `extra`, if the line identifies it.
pub(super) fn of(record: &Record<'_>) -> Option<String> {
    let second_ms = record.at.0.div_euclid(1000) * 1000;
    if record.at.0 != second_ms && !record.text(Field::RequestId).is_some_and(|id| is_of_request(&id)) {
        return None;
    }
    let line = line(record, UtcInstant(second_ms).civil()?);
    let read = fields::parse(line.as_bytes()).ok()?;
    let is_same = |field: &Field| {
        *field == Field::Time || read.get(*field) == value(record, *field).as_deref().map(str::as_bytes)
    };
    let is_twin = read.quality == Quality::Exact
        && read.extra.is_none()
        && read.request_time_ms == second_ms
        && !record.text(Field::Key).is_some_and(|key| key.contains(char::REPLACEMENT_CHARACTER))
        && FIELDS.iter().all(is_same);
    is_twin.then_some(line)
}

/// Whether an id is that of one request. Jobs have ids of another form.
fn is_of_request(id: &str) -> bool {
    id.len() == REQUEST_ID_CHARS && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Returns the text of a field in a text line; `None` for a dash.
fn value<'a>(record: &Record<'a>, field: Field) -> Option<Cow<'a, str>> {
    let digits = |number: i64| number.to_string().into();
    match field {
        Field::BytesSent => record.number(field).filter(|bytes| *bytes != 0).map(digits),
        Field::AclRequired => record.acl_required().filter(|is_required| *is_required).map(|_| "Yes".into()),
        field if is_number(field) => record.number(field).map(digits),
        _ => record.text(field),
    }
}

/// Writes the values of a record as a text line.
fn line(record: &Record<'_>, received: Civil) -> String {
    let mut line = String::with_capacity(512);
    let operation = record.text(Field::Operation).unwrap_or_default();
    let has_bare_dashes = BARE_DASHES.iter().any(|prefix| operation.starts_with(prefix));
    for field in FIELDS {
        let value = if field == Field::Time { Some(stamp(received).into()) } else { value(record, field) };
        let is_of_client = matches!(field, Field::RequestUri | Field::Referer | Field::UserAgent);
        let quote = if is_of_client && (value.is_some() || !has_bare_dashes) { "\"" } else { "" };
        let separator = if line.is_empty() { "" } else { " " };
        for piece in [separator, quote, value.as_deref().unwrap_or("-"), quote] {
            line.push_str(piece);
        }
    }
    line
}

/// Returns a time in the form of text lines: `[06/Feb/2019:00:00:38 +0000]`.
fn stamp(at: Civil) -> String {
    let month = MONTHS[at.month as usize - 1];
    format!("[{:02}/{month}/{:04}:{:02}:{:02}:{:02} +0000]", at.day, at.year, at.hour, at.minute, at.second)
}

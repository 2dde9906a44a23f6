//! Writes the fields of lines as cells, column by column.

use std::borrow::Cow;

use super::field::{FIELD_COUNT, Field, Quality};
use super::fields::Line;
use super::key_encoding;
use crate::kst::UtcInstant;
use crate::table::Cells;
use crate::table::Rows;

/// A line and its fields.
pub(super) struct ParsedLine<'a> {
    /// The text of the line.
    pub(super) text: &'a str,
    pub(super) line: Line<'a>,
    /// Whether invalid UTF-8 was replaced.
    pub(super) lossy: bool,
}

impl<'a> ParsedLine<'a> {
    /// Returns the text of a field.
    pub(super) fn get(&self, field: Field) -> Option<&'a str> {
        self.line.get(field).map(|bytes| self.text_of(bytes))
    }

    pub(super) fn request_time(&self) -> UtcInstant {
        UtcInstant(self.line.request_time_ms)
    }

    /// Returns the text of a part of the line. Parts begin and end at ASCII bytes, so that their UTF-8 needs no second check.
    fn text_of(&self, part: &[u8]) -> &'a str {
        let start = part.as_ptr().addr() - self.text.as_ptr().addr();
        self.text.get(start..start + part.len()).unwrap_or_default()
    }

    fn decoded_key(&self) -> Option<Cow<'a, str>> {
        let operation = self.line.get(Field::Operation)?;
        Some(match key_encoding::decode_key(operation, self.line.get(Field::Key)?)? {
            Cow::Borrowed(bytes) => Cow::Borrowed(self.text_of(bytes)),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        })
    }

    /// Returns the fields after the last known one, and an `aclRequired` other than yes and no.
    fn extra(&self) -> Option<Cow<'a, str>> {
        let tail = self.line.extra.map(|bytes| Cow::Borrowed(self.text_of(bytes)));
        match self.get(Field::AclRequired) {
            None | Some("Yes" | "No") => tail,
            Some(other) => Some(Cow::Owned(
                format!("aclRequired={other} {}", tail.unwrap_or_default()).trim_end().to_owned(),
            )),
        }
    }

    fn quality(&self) -> &'static str {
        if self.lossy && self.line.quality == Quality::Exact { "lossy" } else { self.line.quality.as_str() }
    }
}

/// The fields, in the order of the column table.
#[rustfmt::skip]
pub(super) const FIELDS: [Field; FIELD_COUNT] = [
    Field::BucketOwner, Field::Bucket, Field::Time, Field::RemoteIp, Field::Requester, Field::RequestId, Field::Operation,
    Field::Key, Field::RequestUri, Field::HttpStatus, Field::ErrorCode, Field::BytesSent, Field::ObjectSize,
    Field::TotalTime, Field::TurnAroundTime, Field::Referer, Field::UserAgent, Field::VersionId, Field::HostId,
    Field::SignatureVersion, Field::CipherSuite, Field::AuthenticationType, Field::HostHeader, Field::TlsVersion,
    Field::AccessPointArn, Field::AclRequired, Field::SourceRegion,
];

/// Appends the cells of all lines to each decoded column, in the order of the column table, and empties `lines`.
pub(super) fn write(lines: &mut Vec<ParsedLine<'_>>, rows: &mut Rows) {
    let mut column = 0;
    let mut next = || {
        column += 1;
        column - 1
    };
    for field in FIELDS {
        let cells = rows.cell(next());
        match (field, number_of(field)) {
            (_, Some(number)) => fill(lines, |line| cells.push_integer(number(&line.line))),
            (Field::Time, _) => fill(lines, |line| cells.push_time(Some(line.request_time()))),
            (Field::AclRequired, _) => fill(lines, |line| cells.push_bool(acl_required(line.get(field)))),
            _ => fill(lines, |line| cells.push_text(line.get(field))),
        }
        if field == Field::Key {
            write_decoded_keys(lines, rows.cell(next()));
        }
    }
    let cells = rows.cell(next());
    fill(lines, |line| cells.push_text(line.extra().as_deref()));
    let cells = rows.cell(next());
    fill(lines, |line| cells.push_text(Some(line.quality())));
    lines.clear();
}

/// Appends one cell of each line to a column.
fn fill<'a>(lines: &[ParsedLine<'a>], push: impl FnMut(&ParsedLine<'a>)) {
    lines.iter().for_each(push);
}

/// Returns the accessor for the value of a numeric field.
fn number_of(field: Field) -> Option<fn(&Line<'_>) -> Option<i64>> {
    Some(match field {
        Field::HttpStatus => |line| line.http_status.map(i64::from),
        Field::BytesSent => |line| line.bytes_sent,
        Field::ObjectSize => |line| line.object_size,
        Field::TotalTime => |line| line.total_time,
        Field::TurnAroundTime => |line| line.turn_around_time,
        _ => return None,
    })
}

/// Fills the column of decoded keys, and marks lines whose key is not valid UTF-8.
fn write_decoded_keys(lines: &mut [ParsedLine<'_>], cells: &mut Cells) {
    for line in lines {
        let decoded = line.decoded_key();
        line.lossy |= decoded.as_deref().is_some_and(|key| key.contains(char::REPLACEMENT_CHARACTER));
        cells.push_text(decoded.as_deref());
    }
}

fn acl_required(value: Option<&str>) -> Option<bool> {
    match value {
        Some("Yes") => Some(true),
        Some("No") => Some(false),
        _ => None,
    }
}

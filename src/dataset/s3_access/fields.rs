//! Splits an S3 server access log line into its fields.
//!
//! A line has 17 to 27 fields (more if AWS appends some), with single spaces between them and no escaping. The client
//! chooses three of them: request-URI, referer and user agent. They are in quotes, and the client can write quotes too. So
//! the parser reads a line from both ends. From the left it reads the fields up to the key. No field after the user agent
//! holds a quote, so the last quote of the line separates the remaining fields. In between, it tries every place for the
//! six fields `status error bytes size total turn-around`, and every border `" "` between referer and user agent.
//!
//! Promise: a line is [`Quality::Exact`] only if it has exactly one reading and is as S3 writes lines, which [`super::whole`]
//! decides. A client can make its own line [`Quality::Ambiguous`], but cannot make a wrong reading look exact. This rests on
//! four premises about S3:
//!
//! 1. The other fields hold no quotes and no spaces, except for a `CloudFront` origin access identity. No text holds a line
//!    break, because HTTP does not allow one.
//! 2. The six fields between request-URI and referer, and the signature version, follow their grammar.
//! 3. A line has at least the fields that all lines of its time have. Without them, the last quote may close a text other
//!    than the user agent, and the line is not exact.
//! 4. In a line of spring 2019, S3 wrote the surplus token before the signature version.
//!
//! An ambiguous line gets this reading: The user agent is quoted if possible. The six fields are at the first place whose
//! request-URI ends in ` HTTP/<digit>.<digit>`, or else at the first place. The referer ends at the first `" "` after them.
//! This is correct for forgeries in the referer and user agent, which can hold any text, and for forgeries in the
//! request-URI without a protocol version of their own. If a line has too few fields for its time after its last quote, but
//! enough after an earlier one, the earlier quote closes the user agent, because AWS has added a quoted field.
//!
//! The parser does not allocate. It reads bytes, so NUL and invalid UTF-8 do no harm. It does not decode or interpret
//! values. Field list and samples: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html>.

use super::client::Client;
use super::cursor::{Cursor, is_operation, is_request_id, number, present};
use super::eras::{NAMES_CALLER_MS, min_after_agent};
use super::fault::{Fault, Reason};
use super::field::{FIELD_COUNT, Field, Quality};
use super::whole::{are_quotes_doubled, is_owner, is_whole_tail};
use crate::dataset::scan::next_space;

/// The fields of a line, borrowed from it. Quotes are stripped. `-`, `"-"` and missing fields are `None`; `""` is empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    fields: [Option<&'a [u8]>; FIELD_COUNT],
    /// The rest after the 27th field, verbatim.
    pub(super) extra: Option<&'a [u8]>,
    /// How certain the split is.
    pub(super) quality: Quality,
    /// When S3 received the request, in milliseconds since 1970, UTC. The log has whole seconds. A leap second (`:60`) counts
    /// as the second before it, so that it remains in its day.
    pub(super) request_time_ms: i64,
    /// HTTP status.
    pub(super) http_status: Option<i32>,
    /// Bytes of the response body. `None` for `-`, which AWS writes for zero.
    pub(super) bytes_sent: Option<i64>,
    /// Size of the object in bytes.
    pub(super) object_size: Option<i64>,
    /// Milliseconds from the request's arrival to the last byte sent.
    pub(super) total_time: Option<i64>,
    /// Milliseconds from the last byte of the request to the first of the response.
    pub(super) turn_around_time: Option<i64>,
}

impl<'a> Line<'a> {
    /// Returns the text of a field. The time is without its brackets.
    #[must_use]
    pub(super) const fn get(&self, field: Field) -> Option<&'a [u8]> {
        self.fields[field as usize]
    }

    /// Returns the texts of all fields, by field number.
    #[must_use]
    #[cfg(test)]
    pub(super) const fn fields(&self) -> &[Option<&'a [u8]>; FIELD_COUNT] {
        &self.fields
    }
}

/// Reads one line without its line break. Leading and trailing blanks and carriage returns are ignored.
pub(super) fn parse(line: &[u8]) -> Result<Line<'_>, Fault> {
    let mut cursor = Cursor::trimmed(line)?;
    let mut fields = [None; FIELD_COUNT];
    let line = cursor.line;
    let (request_time_ms, has_owner) =
        read_head(&mut cursor, &mut fields).map_err(|fault| fault.explained(line, fault.at))?;
    let min_after_agent = min_after_agent(request_time_ms);
    let names_caller = NAMES_CALLER_MS.contains(&request_time_ms);
    let client = Client { line, body: cursor.at, names_caller, min_after_agent };
    let (reading, quality) = client.read().map_err(|fault| fault.explained(line, client.body))?;
    let request_uri = client.request_uri(reading.uri_end);
    let is_whole = has_owner
        && is_whole_tail(&reading.tail, request_time_ms)
        && !are_quotes_doubled([request_uri, reading.referer, reading.user_agent]);
    let quality = if is_whole { quality } else { Quality::Ambiguous };
    fields[Field::RequestUri as usize] = present(request_uri);
    fields[Field::Referer as usize] = present(reading.referer);
    fields[Field::UserAgent as usize] = present(reading.user_agent);
    fields[Field::VersionId as usize..].copy_from_slice(&reading.tail.fields);
    let numbers = read_block(line, reading.uri_end + 2, &mut fields);
    let [bytes_sent, object_size, total_time, turn_around_time] = numbers;
    let http_status = fields[Field::HttpStatus as usize].and_then(|token| i32::try_from(number(token)).ok());
    let extra = reading.tail.extra;
    Ok(Line {
        fields,
        extra,
        quality,
        request_time_ms,
        http_status,
        bytes_sent,
        object_size,
        total_time,
        turn_around_time,
    })
}

/// Reads the fields before the request-URI. Returns the time in milliseconds, and whether the owner's id is whole.
fn read_head<'a>(
    cursor: &mut Cursor<'a>,
    fields: &mut [Option<&'a [u8]>; FIELD_COUNT],
) -> Result<(i64, bool), Fault> {
    let mut set = |field: Field, token| fields[field as usize] = present(token);
    let (owner, has_owner) = cursor.unquoted(Field::BucketOwner, is_owner)?;
    set(Field::BucketOwner, owner);
    set(Field::Bucket, cursor.unquoted(Field::Bucket, |token| token[0] != b'"')?.0);
    let (time, milliseconds) = cursor.time()?;
    set(Field::Time, time);
    let no_quote = |token: &[u8]| token.iter().all(|&byte| byte != b'"');
    set(Field::RemoteIp, cursor.checked(Field::RemoteIp, Reason::BadRemoteIp, no_quote)?);
    set(Field::Requester, cursor.requester()?);
    set(Field::RequestId, cursor.checked(Field::RequestId, Reason::BadRequestId, is_request_id)?);
    set(Field::Operation, cursor.checked(Field::Operation, Reason::BadOperation, is_operation)?);
    set(Field::Key, cursor.checked(Field::Key, Reason::EmptyField, |_| true)?);
    Ok((milliseconds, has_owner))
}

/// Reads the six fields between request-URI and referer, whose grammar is checked. Returns the last four as numbers.
fn read_block<'a>(
    line: &'a [u8],
    mut at: usize,
    fields: &mut [Option<&'a [u8]>; FIELD_COUNT],
) -> [Option<i64>; 4] {
    let mut token = |field: Field| {
        let end = next_space(line, at);
        let token = present(&line[at..end]);
        fields[field as usize] = token;
        at = end + 1;
        token
    };
    token(Field::HttpStatus);
    token(Field::ErrorCode);
    [Field::BytesSent, Field::ObjectSize, Field::TotalTime, Field::TurnAroundTime]
        .map(|field| token(field).map(number))
}

#[cfg(test)]
mod tests;

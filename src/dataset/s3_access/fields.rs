//! One S3 server access log line, cut into its fields.
//!
//! A line is 17 to 27 fields (more, once AWS appends some) with single spaces between them and no escaping. Three fields
//! are text that the client chose, in quotes that the client can also write: request-URI, referer and user agent. So a
//! line is read from both ends. From the left come the fields up to the key. No field after the user agent holds a
//! quote, so the last quote of the line separates the rest. In between, every place is tried where the six fields
//! `status error bytes size total turn-around` can stand, and every border `" "` between referer and user agent.
//!
//! Promise: a line is [`Quality::Exact`] only if it has exactly one reading and is as S3 writes lines, which [`super::whole`]
//! tells. A client may make its own line [`Quality::Ambiguous`], it cannot have a wrong reading passed off as certain. This
//! rests on four premises about S3:
//!
//! 1. the other fields hold neither quotes nor spaces (a `CloudFront` origin access identity aside), and no text holds a
//!    line break, which HTTP does not let through;
//! 2. the six fields between request-URI and referer, and the signature version, follow their grammar;
//! 3. a line has at least the fields that all lines of its time have: without them the last quote may close another text
//!    than the user agent, and the line is not exact;
//! 4. a token too many before the signature version was written by S3 if the line is of spring 2019.
//!
//! Which reading an ambiguous line is given: the user agent is quoted if it can be; the six fields stand at the first
//! place whose request-URI ends in ` HTTP/<digit>.<digit>`, else at the first place; the referer ends at the first `" "`
//! after them. That is right for forgeries in referer and user agent, where anything can be sent, and for those in a
//! request-URI which do not bring a protocol version of their own. If a line ends too early for its time behind its last
//! quote, but not behind an earlier one, that one closes the user agent: then AWS has added a field in quotes.
//!
//! It allocates nothing, reads bytes (neither NUL nor bad UTF-8 disturbs it), does not undo any encoding, and does not
//! judge what values mean. Field list and samples: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html>.

use super::client::Client;
use super::cursor::{Cursor, is_operation, is_request_id, number, present};
use super::eras::{NAMES_CALLER_MS, fewest_after_agent};
use super::fault::{Fault, Reason};
use super::field::{FIELD_COUNT, Field, Quality};
use super::scan::next_space;
use super::whole::{are_quotes_doubled, is_owner, is_whole_tail};

/// A line that was read. Borrows from it; quotes are stripped, `-`, `"-"` and absent are all `None`, `""` is empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    fields: [Option<&'a [u8]>; FIELD_COUNT],
    /// Everything after the 27th field, verbatim.
    pub(super) extra: Option<&'a [u8]>,
    /// How sure the split is.
    pub(super) quality: Quality,
    /// When S3 received the request: milliseconds since 1970 in UTC. The log has whole seconds; a leap second (`:60`)
    /// counts as the second before it, so that it stays in its day.
    pub(super) request_time_ms: i64,
    /// HTTP status.
    pub(super) http_status: Option<i32>,
    /// Bytes of the response body. AWS writes `-` for zero: here `None`.
    pub(super) bytes_sent: Option<i64>,
    /// Size of the object in bytes.
    pub(super) object_size: Option<i64>,
    /// Milliseconds from the request's arrival to the last byte sent.
    pub(super) total_time: Option<i64>,
    /// Milliseconds from the last byte of the request to the first of the response.
    pub(super) turn_around_time: Option<i64>,
}

impl<'a> Line<'a> {
    /// The text of one field. The time is without its brackets.
    #[must_use]
    pub(super) const fn get(&self, field: Field) -> Option<&'a [u8]> {
        self.fields[field as usize]
    }

    /// The texts of all fields, by field number.
    #[must_use]
    #[cfg(test)]
    pub(super) const fn fields(&self) -> &[Option<&'a [u8]>; FIELD_COUNT] {
        &self.fields
    }
}

/// Reads one line. It has no line break; blanks around it and a trailing carriage return do not matter.
pub(super) fn parse(line: &[u8]) -> Result<Line<'_>, Fault> {
    let mut cursor = Cursor::trimmed(line)?;
    let mut fields = [None; FIELD_COUNT];
    let line = cursor.line;
    let (request_time_ms, has_owner) =
        read_head(&mut cursor, &mut fields).map_err(|fault| fault.explained(line, fault.at))?;
    let fewest_after_agent = fewest_after_agent(request_time_ms);
    let names_caller = NAMES_CALLER_MS.contains(&request_time_ms);
    let client = Client { line, body: cursor.at, names_caller, fewest_after_agent };
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

/// Reads the fields before the request-URI; returns the time in milliseconds, and whether the owner's id is whole.
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

/// Reads the six fields between request-URI and referer, which keep to their grammar; returns the last four as numbers.
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

//! From the bytes of an access-log object to rows: one line, one row.

use std::borrow::Cow;

use super::fields::{self, FIELD_COUNT, Field, Line, Quality};
use super::key;
use crate::dataset::rows::{RowHead, Rows};
use crate::dataset::{DecodeLimits, Decoder};
use crate::kst::UtcInstant;

/// Decodes access-log objects.
pub(super) struct LineDecoder {
    limits: DecodeLimits,
    line: u32,
    /// In a line that is too long.
    skipping: bool,
}

impl LineDecoder {
    pub(super) fn new(limits: DecodeLimits) -> Self {
        Self { limits, line: 0, skipping: false }
    }

    /// Takes one line without its newline.
    fn line(&mut self, line: &[u8], rows: &mut Rows) {
        self.line += 1;
        if std::mem::take(&mut self.skipping) || line.trim_ascii().is_empty() {
            return;
        }
        if line.len() > self.limits.max_record_bytes {
            return self.reject_long(self.line, line, rows);
        }
        let text = decode_utf8(line);
        match fields::parse(text.as_bytes()) {
            Ok(parsed) => {
                let lossy = matches!(text, Cow::Owned(_));
                self.row(&Texts { whole: &text, line: &parsed }, line, lossy, rows);
            }
            Err(fault) => rows.reject(self.line, fault.as_str(), fault.to_string(), Some(line)),
        }
    }

    fn reject_long(&self, number: u32, line: &[u8], rows: &mut Rows) {
        let detail = format!("longer than {} bytes", self.limits.max_record_bytes);
        rows.reject(number, "too_long", detail, Some(line));
    }

    fn row(&self, texts: &Texts<'_>, raw: &[u8], lossy: bool, rows: &mut Rows) {
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        let text = |field| texts.get(field).unwrap_or_default();
        let head = RowHead {
            record: self.line,
            at: UtcInstant(texts.line.request_time_ms),
            raw,
            // Only a line that repeats as a whole is the same row: several rows share one request id.
            identity: raw,
            cluster: [text(Field::Bucket), text(Field::Operation)],
        };
        if rows.begin_row(&head) {
            write_cells(texts, lossy, rows);
        }
    }
}

impl Decoder for LineDecoder {
    fn begin(&mut self) {
        self.line = 0;
        self.skipping = false;
    }

    fn decode(&mut self, bytes: &[u8], rows: &mut Rows) -> usize {
        let mut used = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.line(&bytes[used..end], rows);
            used = end + 1;
        }
        let rest = &bytes[used..];
        if self.skipping {
            return bytes.len();
        }
        if rest.len() > self.limits.max_record_bytes {
            self.reject_long(self.next_record(), rest, rows);
            self.skipping = true;
            return bytes.len();
        }
        used
    }

    fn finish(&mut self, rest: &[u8], rows: &mut Rows) {
        if !rest.is_empty() {
            self.line(rest, rows);
        }
    }

    fn next_record(&self) -> u32 {
        self.line + 1
    }
}

/// The line as text; what is no UTF-8 becomes U+FFFD, which no field border is made of.
fn decode_utf8(line: &[u8]) -> Cow<'_, str> {
    match simdutf8::basic::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(line),
    }
}

/// The fields of a line as text.
struct Texts<'a> {
    /// What was cut into fields.
    whole: &'a str,
    line: &'a Line<'a>,
}

impl<'a> Texts<'a> {
    fn get(&self, field: Field) -> Option<&'a str> {
        self.line.get(field).map(|bytes| self.of(bytes))
    }

    /// A part of the line, which is cut at ASCII bytes only: where it stands in the text is known, so that its UTF-8 need
    /// not be checked again.
    fn of(&self, part: &[u8]) -> &'a str {
        let start = part.as_ptr().addr() - self.whole.as_ptr().addr();
        self.whole.get(start..start + part.len()).unwrap_or_default()
    }
}

/// The fields, in the order of the column table.
#[rustfmt::skip]
const FIELDS: [Field; FIELD_COUNT] = [
    Field::BucketOwner, Field::Bucket, Field::Time, Field::RemoteIp, Field::Requester, Field::RequestId, Field::Operation,
    Field::Key, Field::RequestUri, Field::HttpStatus, Field::ErrorCode, Field::BytesSent, Field::ObjectSize,
    Field::TotalTime, Field::TurnAroundTime, Field::Referer, Field::UserAgent, Field::VersionId, Field::HostId,
    Field::SignatureVersion, Field::CipherSuite, Field::AuthenticationType, Field::HostHeader, Field::TlsVersion,
    Field::AccessPointArn, Field::AclRequired, Field::SourceRegion,
];

/// Appends one cell to each decoded column, in the order of the column table.
fn write_cells(texts: &Texts<'_>, lossy: bool, rows: &mut Rows) {
    let line = texts.line;
    let decoded = decoded_key(line);
    let lossy = lossy || decoded.as_deref().is_some_and(|key| key.contains(char::REPLACEMENT_CHARACTER));
    let mut column = 0;
    let mut next = || {
        column += 1;
        column - 1
    };
    for field in FIELDS {
        let text = || texts.get(field);
        match field {
            Field::Time => rows.cell(next()).push_time(Some(UtcInstant(line.request_time_ms))),
            Field::Key => {
                rows.cell(next()).push_text(text());
                rows.cell(next()).push_text(decoded.as_deref());
            }
            Field::HttpStatus => rows.cell(next()).push_integer(line.http_status.map(i64::from)),
            Field::BytesSent => rows.cell(next()).push_integer(line.bytes_sent),
            Field::ObjectSize => rows.cell(next()).push_integer(line.object_size),
            Field::TotalTime => rows.cell(next()).push_integer(line.total_time),
            Field::TurnAroundTime => rows.cell(next()).push_integer(line.turn_around_time),
            Field::AclRequired => rows.cell(next()).push_bool(acl_required(text())),
            _ => rows.cell(next()).push_text(text()),
        }
    }
    rows.cell(next()).push_text(extra(texts).as_deref());
    rows.cell(next()).push_text(Some(quality(line, lossy)));
}

fn decoded_key<'a>(line: &Line<'a>) -> Option<Cow<'a, str>> {
    let operation = line.get(Field::Operation)?;
    Some(match key::decode_key(operation, line.get(Field::Key)?)? {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    })
}

fn acl_required(value: Option<&str>) -> Option<bool> {
    match value {
        Some("Yes") => Some(true),
        Some("No") => Some(false),
        _ => None,
    }
}

/// Fields after the last known one, and an `aclRequired` that is neither yes nor no.
fn extra<'a>(texts: &Texts<'a>) -> Option<Cow<'a, str>> {
    let tail = texts.line.extra.map(|bytes| Cow::Borrowed(texts.of(bytes)));
    match texts.get(Field::AclRequired) {
        None | Some("Yes" | "No") => tail,
        Some(other) => Some(Cow::Owned(
            format!("aclRequired={other} {}", tail.unwrap_or_default()).trim_end().to_owned(),
        )),
    }
}

fn quality(line: &Line<'_>, lossy: bool) -> &'static str {
    if lossy && line.quality == Quality::Exact { "lossy" } else { line.quality.as_str() }
}

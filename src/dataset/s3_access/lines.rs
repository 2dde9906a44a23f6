//! From the bytes of an access-log object to rows: one line, one row.

use std::borrow::Cow;

use super::cells::{self, ParsedLine};
use super::fields::{self, Field};
use crate::dataset::{DecodeLimits, Decoder};
use crate::table::{RowHead, Rows};

/// Lines whose fields are kept before they become cells: a column is filled at once for all of them.
const LINES_AT_ONCE: usize = 32;

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
    fn line<'a>(&mut self, line: &'a [u8], kept: &mut Vec<ParsedLine<'a>>, rows: &mut Rows) {
        self.line = self.next_record();
        if std::mem::take(&mut self.skipping) || line.trim_ascii().is_empty() {
            return;
        }
        if line.len() > self.limits.max_record_bytes {
            return self.reject_long(self.line, line, rows);
        }
        match decode_utf8(line) {
            Cow::Borrowed(text) => {
                if let Some(parsed) = self.row(text, line, false, rows) {
                    kept.push(parsed);
                }
                if kept.len() >= LINES_AT_ONCE {
                    cells::write(kept, rows);
                }
            }
            // What is kept came before.
            Cow::Owned(text) => {
                cells::write(kept, rows);
                cells::write(&mut self.row(&text, line, true, rows).into_iter().collect(), rows);
            }
        }
    }

    fn reject_long(&self, number: u32, line: &[u8], rows: &mut Rows) {
        let detail = format!("longer than {} bytes", self.limits.max_record_bytes);
        rows.reject(number, "too_long", detail, Some(line));
    }

    /// Starts a row, or puts the line aside; `None` where no cells are wanted.
    fn row<'a>(&self, text: &'a str, raw: &[u8], lossy: bool, rows: &mut Rows) -> Option<ParsedLine<'a>> {
        let raw_row = raw.strip_suffix(b"\r").unwrap_or(raw);
        let line = match fields::parse(text.as_bytes()) {
            Ok(line) => ParsedLine { text, line, lossy },
            Err(fault) => {
                rows.reject(self.line, fault.as_str(), fault.to_string(), Some(raw));
                return None;
            }
        };
        let head = RowHead {
            record: self.line,
            at: line.request_time(),
            raw: raw_row,
            // Only a line that repeats as a whole is the same row: several rows share one request id.
            identity: raw_row,
            cluster: [Field::Bucket, Field::Operation].map(|field| line.get(field).unwrap_or_default()),
        };
        rows.begin_row(&head).then_some(line)
    }
}

impl Decoder for LineDecoder {
    fn begin(&mut self) {
        self.line = 0;
        self.skipping = false;
    }

    fn decode(&mut self, bytes: &[u8], rows: &mut Rows) -> usize {
        let (mut used, mut kept) = (0, Vec::new());
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.line(&bytes[used..end], &mut kept, rows);
            used = end + 1;
            if rows.is_full_of_rejections() {
                cells::write(&mut kept, rows);
                return used;
            }
        }
        cells::write(&mut kept, rows);
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
            let mut kept = Vec::new();
            self.line(rest, &mut kept, rows);
            cells::write(&mut kept, rows);
        }
    }

    fn next_record(&self) -> u32 {
        self.line.saturating_add(1)
    }
}

/// The line as text; what is no UTF-8 becomes U+FFFD, which no field border is made of.
fn decode_utf8(line: &[u8]) -> Cow<'_, str> {
    match simdutf8::basic::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(line),
    }
}

//! The framing of objects that hold lines: one line, one row.
//!
//! A log type implements [`LineFormat`], and [`LineDecoder`] does the rest. Lines end in LF or CR LF; the last one may lack
//! its end. Blank lines count as lines, but not as rows. A line beyond [`DecodeLimits::max_record_bytes`] is rejected and
//! never held in memory as a whole.
//!
//! ```
//! use logmill::dataset::lines::{Line, LineDecoder, LineFormat};
//! use logmill::dataset::{DecodeLimits, Decoder};
//! use logmill::kst::{DayRange, UtcInstant};
//! use logmill::table::{Column, ColumnType, Origin, RowHead, Rows};
//!
//! /// Lines that consist of a time.
//! struct Times;
//!
//! impl LineFormat for Times {
//!     type Waiting<'a> = Vec<UtcInstant>;
//!
//!     fn row<'a>(&mut self, line: &Line<'a>, waiting: &mut Vec<UtcInstant>, rows: &mut Rows) {
//!         let Some(at) = UtcInstant::parse_iso8601(line.text) else {
//!             return line.reject("bad_time", "not a time", rows);
//!         };
//!         let head = RowHead { record: line.number, at, raw: line.raw, identity: line.raw, cluster: &[] };
//!         if rows.begin_row(&head) {
//!             waiting.push(at);
//!         }
//!     }
//!
//!     fn cells(&mut self, times: &mut Vec<UtcInstant>, rows: &mut Rows) {
//!         times.drain(..).for_each(|at| rows.cell(0).push_time(Some(at)));
//!     }
//! }
//!
//! let column = Column::new("time", ColumnType::Timestamp, Origin::Field(1), "When it was");
//! let mut rows = Rows::new([&column].into_iter(), [0; 4]);
//! let mut decoder = LineDecoder::new(Times, DecodeLimits::ATHENA);
//! decoder.begin("times.log");
//! rows.begin_object(0, DayRange::EVER);
//! decoder.decode(b"2023-11-01T00:00:00Z\r\n\nyesterday\n", &mut rows);
//! assert_eq!((rows.ledger().read, rows.ledger().written, rows.ledger().quarantined), (2, 1, 1));
//! ```

use std::borrow::Cow;

use super::{DecodeLimits, Decoder};
use crate::table::Rows;

/// Rows that wait for their cells: each column is filled for all of them at once.
const ROWS_AT_ONCE: usize = 32;

/// A line without its end.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Its number in the object, from 1.
    pub number: u32,
    /// Its text; bytes that are not UTF-8 are replaced by U+FFFD.
    pub text: &'a str,
    /// Its bytes.
    pub raw: &'a [u8],
    /// Whether bytes were replaced.
    pub is_lossy: bool,
    /// The bytes with the carriage return, for the quarantine.
    whole: &'a [u8],
}

impl Line<'_> {
    /// Rejects the line. `reason` is a stable name, `detail` a sentence.
    pub fn reject(&self, reason: &'static str, detail: impl Into<String>, rows: &mut Rows) {
        rows.reject(self.number, reason, detail, Some(self.whole));
    }
}

#[cfg(test)]
impl<'a> Line<'a> {
    /// Returns the first line of an object.
    pub(super) fn of_text(text: &'a str) -> Self {
        Self { number: 1, text, raw: text.as_bytes(), is_lossy: false, whole: text.as_bytes() }
    }
}

/// The grammar of a log type whose objects hold lines.
pub trait LineFormat: Send {
    /// Rows that have begun and whose cells are not written yet: a list of them, or another form for many rows.
    type Waiting<'a>: Default;

    /// Begins a new object, by its key. Formats with header lines drop what they know from the header of the last object.
    fn begin(&mut self, _key: &str) {}

    /// Reads a line that is not blank: begins its row with [`Rows::begin_row`] or rejects it. Adds the row to `waiting` if it
    /// is wanted.
    fn row<'a>(&mut self, line: &Line<'a>, waiting: &mut Self::Waiting<'a>, rows: &mut Rows);

    /// Appends one cell of each waiting row to every decoded column, and empties `waiting`.
    fn cells(&mut self, waiting: &mut Self::Waiting<'_>, rows: &mut Rows);

    /// Whether a line has the other form of a log type that is logged in two forms.
    fn has_other_form(&self, _line: &[u8]) -> bool {
        false
    }

    /// Reads a line of the other form: begins its row and appends all its cells, or rejects it.
    fn other_row(&mut self, _line: &Line<'_>, _rows: &mut Rows) {}
}

/// Decodes objects that hold lines.
#[derive(Debug)]
pub struct LineDecoder<F> {
    format: F,
    limits: DecodeLimits,
    line: u32,
    /// Whether it is in a line that is too long.
    skipping: bool,
    /// Number of rows that wait for their cells.
    waiting: usize,
}

impl<F: LineFormat> LineDecoder<F> {
    /// Returns a decoder for the lines of a format.
    #[must_use]
    pub fn new(format: F, limits: DecodeLimits) -> Self {
        Self { format, limits, line: 0, skipping: false, waiting: 0 }
    }

    /// Handles one line without its LF.
    fn line<'a>(&mut self, whole: &'a [u8], waiting: &mut F::Waiting<'a>, rows: &mut Rows) {
        self.line = self.next_record();
        if std::mem::take(&mut self.skipping) || whole.trim_ascii().is_empty() {
            return;
        }
        if whole.len() > self.limits.max_record_bytes {
            return self.reject_long(self.line, whole, rows);
        }
        let raw = whole.strip_suffix(b"\r").unwrap_or(whole);
        if self.format.has_other_form(raw) {
            // The rows before it come first.
            self.cells(waiting, rows);
            let text = decode_utf8(raw);
            let is_lossy = matches!(text, Cow::Owned(_));
            let line = Line { number: self.line, text: &text, raw, is_lossy, whole };
            return self.format.other_row(&line, rows);
        }
        match decode_utf8(raw) {
            Cow::Borrowed(text) => {
                let line = Line { number: self.line, text, raw, is_lossy: false, whole };
                let before = rows.len();
                self.format.row(&line, waiting, rows);
                self.waiting += rows.len() - before;
                if self.waiting >= ROWS_AT_ONCE {
                    self.cells(waiting, rows);
                }
            }
            // The rows before it come first, since its text does not outlive this call.
            Cow::Owned(text) => {
                self.cells(waiting, rows);
                let line = Line { number: self.line, text: &text, raw, is_lossy: true, whole };
                let mut own = F::Waiting::default();
                self.format.row(&line, &mut own, rows);
                self.cells(&mut own, rows);
            }
        }
    }

    fn cells(&mut self, waiting: &mut F::Waiting<'_>, rows: &mut Rows) {
        self.waiting = 0;
        self.format.cells(waiting, rows);
    }

    fn reject_long(&self, number: u32, line: &[u8], rows: &mut Rows) {
        let detail = format!("longer than {} bytes", self.limits.max_record_bytes);
        rows.reject(number, "too_long", detail, Some(line));
    }
}

impl<F: LineFormat> Decoder for LineDecoder<F> {
    fn begin(&mut self, key: &str) {
        self.line = 0;
        self.skipping = false;
        self.format.begin(key);
    }

    fn decode(&mut self, bytes: &[u8], rows: &mut Rows) -> usize {
        let (mut used, mut waiting) = (0, F::Waiting::default());
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.line(&bytes[used..end], &mut waiting, rows);
            used = end + 1;
            if rows.is_full_of_rejections() {
                self.cells(&mut waiting, rows);
                return used;
            }
        }
        self.cells(&mut waiting, rows);
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
            let mut waiting = F::Waiting::default();
            self.line(rest, &mut waiting, rows);
            self.cells(&mut waiting, rows);
        }
    }

    fn next_record(&self) -> u32 {
        self.line.saturating_add(1)
    }
}

/// Returns the line as text. U+FFFD replaces bytes that are not UTF-8; no format uses it as a separator.
fn decode_utf8(line: &[u8]) -> Cow<'_, str> {
    match simdutf8::basic::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(line),
    }
}

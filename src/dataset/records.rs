//! The framing of objects that hold JSON documents with a list of records: one record, one row.
//!
//! A log type implements [`RecordFormat`], and [`RecordDecoder`] does the rest. An object holds one or more documents
//! `{"NAME":[...]}`, with the keys in any order. Each record is decoded when it is complete. So the size of an object does
//! not matter, and the records before a cut become rows. A record of invalid JSON is rejected alone if its brackets
//! balance.

use std::sync::Arc;

use super::{DecodeLimits, Decoder};
use crate::json::{self, BracketScan, Stop, Walker, unescape};
use crate::table::{Damage, Rows};

/// A log type whose objects hold JSON documents with a list of records.
pub(super) trait RecordFormat: Send + Sync {
    /// The key of the list of records.
    const LIST: &'static str;

    /// The values of the records that wait for their cells, as slices of their text.
    type Found<'a>: Default
    where
        Self: 'a;

    /// Walks over one record, which begins with `{` at the walker, and finds its values.
    fn walk<'a>(&'a self, walker: &mut Walker<'a>, found: &mut Self::Found<'a>) -> Result<(), Stop>;

    /// Begins the row of the record that was walked last, or returns why it has none. Writes cells if enough records
    /// wait for them.
    fn row<'a>(
        &'a self,
        record: Record<'_>,
        found: &mut Self::Found<'a>,
        rows: &mut Rows,
    ) -> Result<(), Fault>;

    /// Appends one cell of each waiting record to every decoded column, and empties `found`.
    fn cells<'a>(&'a self, found: &mut Self::Found<'a>, rows: &mut Rows);
}

/// A record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    /// Its number in the object, from 1.
    pub(super) number: u32,
    /// Its text.
    pub(super) raw: &'a str,
}

/// An error in an object or a record: the stable reason and a sentence.
pub(super) type Fault = (&'static str, String);

/// Decodes objects that hold records.
pub(super) struct RecordDecoder<F> {
    format: Arc<F>,
    limits: DecodeLimits,
    place: Place,
    records: u32,
    documents: u32,
}

/// The decoder's place in an object.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Before a document.
    Outside,
    /// Between the keys of a document.
    Document { first: bool, has_list: bool },
    /// Between the elements of the list.
    List { first: bool },
    /// In a record that is too long and already rejected.
    Skipping(BracketScan),
    /// After damage behind which no record can be found.
    Lost,
}

/// Whether a key is the name of a list, in any JSON spelling.
fn is_named(key: &str, list: &str) -> bool {
    key == list || key.contains('\\') && unescape(key) == list
}

/// Walks up to the value of the key `list` in a document. Returns whether it exists.
pub(super) fn find_list(walker: &mut Walker<'_>, list: &str) -> Result<bool, Stop> {
    walker.take(b'{', "an object")?;
    let mut first = true;
    while walker.next_element(b'}', first)? {
        if is_named(walker.key()?, list) {
            return Ok(true);
        }
        walker.value(1)?;
        first = false;
    }
    Ok(false)
}

impl<F: RecordFormat> RecordDecoder<F> {
    /// Returns a decoder for the records of a format.
    pub(super) fn new(format: F, limits: DecodeLimits) -> Self {
        Self { format: Arc::new(format), limits, place: Place::Outside, records: 0, documents: 0 }
    }

    /// Decodes the complete records of `text`. Returns the position of the first unused byte, and why decoding stopped.
    fn decode_text(&mut self, text: &str, rows: &mut Rows) -> (usize, Stop) {
        let format = Arc::clone(&self.format);
        let mut found = F::Found::default();
        let mut walker = Walker::new(text, 0);
        let mut used = 0;
        loop {
            match self.step(&format, &mut walker, &mut found, rows) {
                Ok(()) => {
                    used = walker.at();
                    if rows.is_full_of_rejections() {
                        format.cells(&mut found, rows);
                        return (used, Stop::Incomplete);
                    }
                }
                Err(stop) => {
                    format.cells(&mut found, rows);
                    return (used, stop);
                }
            }
        }
    }

    /// Consumes one key of a document, one record, or one bracket between them.
    fn step<'a>(
        &mut self,
        format: &'a F,
        walker: &mut Walker<'a>,
        found: &mut F::Found<'a>,
        rows: &mut Rows,
    ) -> Result<(), Stop> {
        match self.place {
            Place::Outside => {
                walker.skip_byte_order_mark();
                walker.take(b'{', "a JSON object")?;
                self.place = Place::Document { first: true, has_list: false };
            }
            Place::Document { first, has_list } => {
                if !walker.next_element(b'}', first)? {
                    self.end_document(has_list, rows);
                } else if is_named(walker.key()?, F::LIST) && walker.peek()? == b'[' {
                    walker.take(b'[', "a list")?;
                    self.place = Place::List { first: true };
                } else {
                    walker.value(1)?;
                    self.place = Place::Document { first: false, has_list };
                }
            }
            Place::List { first } => {
                if walker.next_element(b']', first)? {
                    self.record(format, walker, found, rows)?;
                    self.place = Place::List { first: false };
                } else {
                    self.place = Place::Document { first: false, has_list: true };
                }
            }
            Place::Skipping(_) | Place::Lost => return Err(Stop::Incomplete),
        }
        Ok(())
    }

    fn end_document(&mut self, has_list: bool, rows: &mut Rows) {
        self.place = Place::Outside;
        self.documents += 1;
        if !has_list {
            let detail = format!("a JSON document without a list named {}", F::LIST);
            rows.reject_rest(0, "no_records", detail, None);
        }
    }

    /// Turns one record into a row, or rejects it.
    fn record<'a>(
        &mut self,
        format: &'a F,
        walker: &mut Walker<'a>,
        found: &mut F::Found<'a>,
        rows: &mut Rows,
    ) -> Result<(), Stop> {
        let is_object = walker.peek()? == b'{';
        let start = walker.at();
        if is_object {
            format.walk(walker, found)?;
        } else {
            walker.value(0)?;
        }
        let raw = walker.since(start);
        self.records = self.next_record();
        let row = if raw.len() > self.limits.max_record_bytes {
            Err(("too_long", format!("longer than {} bytes", self.limits.max_record_bytes)))
        } else if is_object {
            format.row(Record { number: self.records, raw }, found, rows)
        } else {
            Err(("not_an_object", format!("an element of {} that is no object", F::LIST)))
        };
        if let Err((reason, detail)) = row {
            rows.reject(self.records, reason, detail, Some(raw.as_bytes()));
        }
        Ok(())
    }

    /// Continues after bytes that the walker cannot pass. Returns how many bytes of `rest` are used.
    fn pass_fault(&mut self, rest: &[u8], (reason, detail): Fault, rows: &mut Rows) -> usize {
        let Place::List { first } = self.place else {
            rows.reject_rest(0, reason, detail, None);
            self.place = Place::Lost;
            return rest.len();
        };
        // `rest` begins with the comma before the record.
        let lead =
            rest.iter().take_while(|byte| byte.is_ascii_whitespace() || (!first && **byte == b',')).count();
        let record = &rest[lead..];
        match BracketScan::default().end(record) {
            Some(end) if end > 0 => {
                self.reject_next(reason, detail, &record[..end], rows);
                self.place = Place::List { first: false };
                lead + end
            }
            Some(_) => {
                self.records = self.next_record();
                rows.reject_rest(self.records, reason, detail, Some(record));
                self.place = Place::Lost;
                rest.len()
            }
            None => 0,
        }
    }

    fn reject_next(&mut self, reason: &'static str, detail: String, raw: &[u8], rows: &mut Rows) {
        self.records = self.next_record();
        rows.reject(self.records, reason, detail, Some(raw));
    }

    /// Rejects a record or value that exceeds the limit. Returns how many bytes are used.
    fn skip_oversized(&mut self, rest: &[u8], rows: &mut Rows) -> usize {
        let detail = format!("longer than {} bytes", self.limits.max_record_bytes);
        if !matches!(self.place, Place::List { .. }) {
            rows.reject_rest(0, "too_long", detail, None);
            self.place = Place::Lost;
            return rest.len();
        }
        let lead = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
        self.reject_next("too_long", detail, &rest[lead..], rows);
        self.place = Place::Skipping(BracketScan::default());
        lead
    }

    fn skip(&mut self, mut scan: BracketScan, bytes: &[u8]) -> usize {
        if let Some(end) = scan.end(bytes) {
            self.place = Place::List { first: false };
            return end;
        }
        self.place = Place::Skipping(scan);
        bytes.len()
    }

    /// Decodes up to the next fault. Returns the number of bytes used, 0 if more are needed.
    fn decode_stretch(&mut self, bytes: &[u8], rows: &mut Rows) -> usize {
        match self.place {
            Place::Lost => return bytes.len(),
            Place::Skipping(scan) => return self.skip(scan, bytes),
            _ => {}
        }
        let (text, bad_utf8) = valid_prefix(bytes);
        let (used, stop) = self.decode_text(text, rows);
        if rows.is_full_of_rejections() {
            return used;
        }
        let rest = &bytes[used..];
        let fault = match stop {
            Stop::Invalid { at, expected } => {
                Some(("invalid_json", format!("expected {expected} at byte {} of the record", at - used)))
            }
            Stop::TooDeep => Some(("too_deep", format!("more than {} levels deep", json::MAX_DEPTH))),
            Stop::Incomplete if bad_utf8 => Some(("invalid_utf8", "bytes that are not UTF-8".to_owned())),
            Stop::Incomplete => None,
        };
        let passed = fault.map_or(0, |fault| self.pass_fault(rest, fault, rows));
        if passed == 0 && rest.len() > self.limits.max_record_bytes {
            return used + self.skip_oversized(rest, rows);
        }
        used + passed
    }
}

impl<F: RecordFormat> Decoder for RecordDecoder<F> {
    fn begin(&mut self, _key: &str) {
        self.place = Place::Outside;
        self.records = 0;
        self.documents = 0;
    }

    fn decode(&mut self, bytes: &[u8], rows: &mut Rows) -> usize {
        let mut used = 0;
        while used < bytes.len() && !rows.is_full_of_rejections() {
            match self.decode_stretch(&bytes[used..], rows) {
                0 => break,
                more => used += more,
            }
        }
        used
    }

    fn finish(&mut self, rest: &[u8], rows: &mut Rows) {
        let blank = rest.trim_ascii().is_empty();
        match self.place {
            Place::Lost => {}
            // The file ends within the long record.
            Place::Skipping(_) => rows.mark_damaged(Damage::Content),
            Place::Outside if blank && self.documents > 0 => {}
            Place::Outside if blank => rows.reject_rest(0, "empty_object", "no JSON document", None),
            Place::Outside => rows.reject_rest(0, "invalid_json", "no JSON object", None),
            Place::Document { .. } if self.records == 0 => {
                rows.reject_rest(0, "truncated_json", "the document ends early", None);
            }
            Place::Document { .. } | Place::List { .. } => {
                rows.reject_rest(self.next_record(), "truncated_json", "the document ends early", Some(rest));
            }
        }
    }

    fn next_record(&self) -> u32 {
        self.records.saturating_add(1)
    }
}

/// Returns the longest valid front of `bytes`, and whether invalid UTF-8 follows it.
fn valid_prefix(bytes: &[u8]) -> (&str, bool) {
    match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => {
            let valid = simdutf8::compat::from_utf8(&bytes[..error.valid_up_to()]);
            (valid.unwrap_or_default(), error.error_len().is_some())
        }
    }
}

//! Decodes the bytes of CloudTrail log files to rows.
//!
//! A file holds one or more JSON documents `{"Records":[...]}`, with the keys in any order. Each record is decoded when it
//! is complete. So the size of a file does not matter, and the records before a cut become rows. A record of invalid JSON
//! is rejected alone if its brackets balance.

use std::sync::Arc;

use super::cells;
use super::envelope::{is_notification, is_records};
use super::shape::{Found, Shape};
use super::value::text;
use crate::dataset::{DecodeLimits, Decoder};
use crate::json::{self, BracketScan, Stop, Walker};
use crate::kst::UtcInstant;
use crate::table::Damage;
use crate::table::column::TableSchema;
use crate::table::{RowHead, Rows};

/// Decodes CloudTrail log files.
pub(super) struct RecordDecoder {
    shape: Arc<Shape>,
    keys: KeySlots,
    limits: DecodeLimits,
    place: Place,
    records: u32,
    documents: u32,
}

/// The slots of the values in a row's key.
#[derive(Debug, Clone, Copy)]
struct KeySlots {
    time: Option<usize>,
    source: Option<usize>,
    name: Option<usize>,
    id: Option<usize>,
}

/// The decoder's place in a file.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Before a document.
    Outside,
    /// Between the keys of a document.
    Document { first: bool, has_records: bool },
    /// Between the elements of `Records`.
    Records { first: bool },
    /// In a record that is too long and already rejected.
    Skipping(BracketScan),
    /// After damage behind which no record can be found.
    Lost,
}

/// An error in an object or a record: the stable reason and a sentence.
type Fault = (&'static str, String);

impl RecordDecoder {
    pub(super) fn new(schema: &TableSchema, limits: DecodeLimits) -> Self {
        let shape = Shape::of(schema);
        let keys = KeySlots {
            time: shape.slot_of("eventTime"),
            source: shape.slot_of("eventSource"),
            name: shape.slot_of("eventName"),
            id: shape.slot_of("eventID"),
        };
        Self { shape: Arc::new(shape), keys, limits, place: Place::Outside, records: 0, documents: 0 }
    }

    /// Decodes the complete records of `text`. Returns the position of the first unused byte, and why decoding stopped.
    fn decode_text(&mut self, text: &str, rows: &mut Rows) -> (usize, Stop) {
        let shape = Arc::clone(&self.shape);
        let mut found = Found::default();
        let mut walker = Walker::new(text, 0);
        let mut used = 0;
        loop {
            match self.step(&shape, &mut walker, &mut found, rows) {
                Ok(()) => {
                    used = walker.at();
                    if rows.is_full_of_rejections() {
                        cells::write(&shape.cells, &mut found, rows);
                        return (used, Stop::Incomplete);
                    }
                }
                Err(stop) => {
                    cells::write(&shape.cells, &mut found, rows);
                    return (used, stop);
                }
            }
        }
    }

    /// Consumes one key of a document, one record, or one bracket between them.
    fn step<'a>(
        &mut self,
        shape: &'a Shape,
        walker: &mut Walker<'a>,
        found: &mut Found<'a>,
        rows: &mut Rows,
    ) -> Result<(), Stop> {
        match self.place {
            Place::Outside => {
                walker.skip_byte_order_mark();
                walker.take(b'{', "a JSON object")?;
                self.place = Place::Document { first: true, has_records: false };
            }
            Place::Document { first, has_records } => {
                if !walker.next_element(b'}', first)? {
                    self.end_document(has_records, rows);
                } else if is_records(walker.key()?) && walker.peek()? == b'[' {
                    walker.take(b'[', "a list")?;
                    self.place = Place::Records { first: true };
                } else {
                    walker.value(1)?;
                    self.place = Place::Document { first: false, has_records };
                }
            }
            Place::Records { first } => {
                if walker.next_element(b']', first)? {
                    self.record(shape, walker, found, rows)?;
                    self.place = Place::Records { first: false };
                } else {
                    self.place = Place::Document { first: false, has_records: true };
                }
            }
            Place::Skipping(_) | Place::Lost => return Err(Stop::Incomplete),
        }
        Ok(())
    }

    fn end_document(&mut self, has_records: bool, rows: &mut Rows) {
        self.place = Place::Outside;
        self.documents += 1;
        if !has_records {
            rows.reject_rest(0, "no_records", "a JSON document without a list named Records", None);
        }
    }

    /// Turns one record into a row, or rejects it.
    fn record<'a>(
        &mut self,
        shape: &'a Shape,
        walker: &mut Walker<'a>,
        found: &mut Found<'a>,
        rows: &mut Rows,
    ) -> Result<(), Stop> {
        let is_object = walker.peek()? == b'{';
        let start = walker.at();
        if is_object {
            shape.walk(walker, found)?;
        } else {
            walker.value(0)?;
        }
        let raw = walker.since(start);
        self.records = self.next_record();
        let at = if raw.len() > self.limits.max_record_bytes {
            Err(("too_long", format!("longer than {} bytes", self.limits.max_record_bytes)))
        } else if is_object {
            self.event_time(found)
        } else {
            Err(("not_an_object", "an element of Records that is no object".to_owned()))
        };
        match at {
            Ok(at) => self.row(shape, at, raw, found, rows),
            Err((reason, detail)) => rows.reject(self.records, reason, detail, Some(raw.as_bytes())),
        }
        Ok(())
    }

    /// Returns the event time of a record.
    fn event_time(&self, found: &Found<'_>) -> Result<UtcInstant, Fault> {
        if let Some(source) =
            value(found, self.keys.source).map(text).filter(|source| is_notification(source))
        {
            let detail = format!("an event notification of {source}, which is not a CloudTrail record");
            return Err(("event_notification", detail));
        }
        let written = value(found, self.keys.time)
            .ok_or_else(|| ("missing_event_time", "the record has no eventTime".to_owned()))?;
        UtcInstant::parse_iso8601(&text(written)).ok_or_else(|| {
            ("bad_event_time", format!("eventTime is {written}, no ISO 8601 instant with a zone"))
        })
    }

    fn row<'a>(&self, shape: &'a Shape, at: UtcInstant, raw: &str, found: &mut Found<'a>, rows: &mut Rows) {
        let text_of = |slot| value(found, slot).map(text).unwrap_or_default();
        let [event_id, source, name] = [self.keys.id, self.keys.source, self.keys.name].map(text_of);
        let head = RowHead {
            record: self.records,
            at,
            raw: raw.as_bytes(),
            // An event without an id is identified by its whole text.
            identity: if event_id.is_empty() { raw.as_bytes() } else { event_id.as_bytes() },
            cluster: &[&source, &name],
        };
        if rows.begin_row(&head) {
            found.keep();
        }
        if found.is_full() {
            cells::write(&shape.cells, found, rows);
        }
    }

    /// Continues after bytes that the walker cannot pass. Returns how many bytes of `rest` are used.
    fn pass_fault(&mut self, rest: &[u8], (reason, detail): Fault, rows: &mut Rows) -> usize {
        let Place::Records { first } = self.place else {
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
                self.place = Place::Records { first: false };
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
        if !matches!(self.place, Place::Records { .. }) {
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
            self.place = Place::Records { first: false };
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

impl Decoder for RecordDecoder {
    fn begin(&mut self) {
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
            Place::Document { .. } | Place::Records { .. } => {
                rows.reject_rest(self.next_record(), "truncated_json", "the document ends early", Some(rest));
            }
        }
    }

    fn next_record(&self) -> u32 {
        self.records.saturating_add(1)
    }
}

fn value<'a>(found: &Found<'a>, slot: Option<usize>) -> Option<&'a str> {
    found.value(slot?)
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

#[cfg(test)]
mod tests;

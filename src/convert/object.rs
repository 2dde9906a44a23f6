//! Reads one object: opens it, unpacks it, and passes it through a decoder.

use std::io::Read;

use sha2::{Digest, Sha256};

use crate::dataset::Decoder;
use crate::digest::ReadText;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Store;
use crate::store::unpack::{Unpacked, WholeGunzip, is_damage, is_gzip, without_byte_order_mark};
use crate::table::{Damage, Rows};

/// Unpacked bytes per call of the decoder.
const CHUNK_BYTES: usize = 256 << 10;

/// Objects smaller than this are fetched as a whole before they are unpacked, if there is memory for it.
const WHOLE_BYTES: usize = 2 << 20;
/// Objects with more content than this are still unpacked piece by piece.
const WHOLE_CONTENT_BYTES: usize = 16 << 20;
/// The divisor for the part of an object's memory that holds the object as it is stored; the rest holds its content.
const STORED_SHARE: usize = 4;

/// Memory for unpacked bytes that is kept for the next object.
const MAX_KEPT_BYTES: usize = 4 * CHUNK_BYTES;

/// The first bytes of content that no decoder reads, with the reason and what to do.
const FOREIGN: [(&[u8], &str, &str); 3] = [
    (
        b"\x1f\x8b",
        "gzip_in_gzip",
        "the unpacked content is gzip again: unpack the object once and store it so",
    ),
    (b"\xff\xfe", "utf_16", "text in UTF-16, little-endian: convert the object to UTF-8"),
    (b"\xfe\xff", "utf_16", "text in UTF-16, big-endian: convert the object to UTF-8"),
];

/// Why an object ended early.
struct Fault {
    reason: &'static str,
    detail: String,
    damage: Damage,
}

impl Fault {
    fn of_content(reason: &'static str, detail: String) -> Self {
        Self { reason, detail, damage: Damage::Content }
    }

    fn unread(detail: String) -> Self {
        Self { reason: "unreadable", detail, damage: Damage::Unread }
    }

    fn note(self, record: u32, raw: Option<&[u8]>, rows: &mut Rows) {
        rows.reject_rest(record, self.reason, self.detail, raw);
        rows.mark_damaged(self.damage);
    }
}

/// An object to read: its key, and its bytes or why it cannot be opened.
pub(crate) struct Opened<'k> {
    pub(crate) key: &'k str,
    pub(crate) content: Result<Box<dyn Read + Send>>,
}

/// Reads objects one after the other, in memory that is reused.
pub(crate) struct ObjectReader {
    /// Maximum sizes for reading an object as a whole: as it is stored, and of its content.
    whole: [usize; 2],
    /// An object as it is stored, or its first bytes.
    stored: Vec<u8>,
    gunzip: WholeGunzip,
    pending: Pending,
    /// Whether a digest names the object, so that its text is hashed.
    is_named: bool,
    text: Option<ReadText>,
}

impl Default for ObjectReader {
    /// A reader that does not need to save memory.
    fn default() -> Self {
        Self::within(WHOLE_BYTES + WHOLE_CONTENT_BYTES)
    }
}

impl ObjectReader {
    /// A reader that uses up to this many bytes to read objects as a whole.
    pub(crate) fn within(bytes: usize) -> Self {
        let stored = WHOLE_BYTES.min(bytes / STORED_SHARE);
        Self {
            whole: [stored, WHOLE_CONTENT_BYTES.min(bytes - stored)],
            stored: Vec::new(),
            gunzip: WholeGunzip::default(),
            pending: Pending::default(),
            is_named: false,
            text: None,
        }
    }

    /// Sets whether to hash the text of the objects that are read next.
    pub(crate) fn hash_next(&mut self, is_named: bool) {
        self.is_named = is_named;
        self.text = is_named.then_some(ReadText::Damaged);
    }

    /// Returns the hash of the text of the last object, if it was wanted.
    pub(crate) fn text(&self) -> Option<ReadText> {
        self.text
    }

    /// Passes a whole object of a store through `decoder`; calls `after_chunk` when rows may have been added.
    ///
    /// A problem with the object becomes a rejected row and marks the object as damaged. Fails only if the whole store is gone
    /// or if `after_chunk` fails.
    pub(crate) fn read(
        &mut self,
        store: &dyn Store,
        opened: Opened<'_>,
        max_bytes: u64,
        decoder: &mut dyn Decoder,
        rows: &mut Rows,
        mut after_chunk: impl FnMut(&mut Rows) -> Result<()>,
    ) -> Result<()> {
        decoder.begin(opened.key);
        match opened.content {
            Ok(object) => self.push(store, object, max_bytes, decoder, rows, &mut after_chunk)?,
            Err(error) if error.kind() == ErrorKind::Unusable => {
                store.check()?;
                Fault::unread(error.to_string()).note(0, None, rows);
            }
            Err(error) => return Err(error),
        }
        if self.is_named && rows.damage() == Damage::Unread {
            self.text = Some(ReadText::Unread);
        }
        after_chunk(rows)
    }

    fn push(
        &mut self,
        store: &dyn Store,
        mut object: Box<dyn Read + Send>,
        max_bytes: u64,
        decoder: &mut dyn Decoder,
        rows: &mut Rows,
        after_chunk: &mut impl FnMut(&mut Rows) -> Result<()>,
    ) -> Result<()> {
        let [max_stored, max_content] = self.whole;
        self.stored.clear();
        let front = object.by_ref().take(max_stored as u64).read_to_end(&mut self.stored);
        if front.as_ref().is_ok_and(|bytes| *bytes < max_stored) {
            let is_gzip = is_gzip(&self.stored);
            let content = if is_gzip {
                self.gunzip.unpack(&self.stored, max_content)
            } else {
                Some(self.stored.as_slice())
            };
            let is_read_whole = |content: &&[u8]| {
                let content = without_byte_order_mark(content);
                content.len() as u64 <= max_bytes && foreign(content).is_none()
            };
            if let Some(content) = content.filter(is_read_whole) {
                if self.is_named {
                    self.text = Some(ReadText::Whole(Sha256::digest(content).into()));
                }
                return push_whole(without_byte_order_mark(content), decoder, rows, after_chunk);
            }
        }
        let rest = Rest { failed: front.err(), object };
        self.pending.begin();
        match Unpacked::new(self.stored.as_slice().chain(rest)) {
            Ok(content) => {
                let mut content = content.hashed(self.is_named);
                let pending = &mut self.pending;
                let fault = push_pieces(store, &mut content, max_bytes, pending, decoder, rows, after_chunk)?;
                let is_whole = fault.is_none();
                end_object(fault, pending.rest(), decoder, rows);
                if let Some(hash) = content.sha256().filter(|_| is_whole) {
                    self.text = Some(ReadText::Whole(hash));
                }
            }
            Err(error) => damage_of(error, store)?.note(0, None, rows),
        }
        Ok(())
    }
}

/// The part of an object after its first bytes: the error that ended it, or more of it.
struct Rest {
    failed: Option<std::io::Error>,
    object: Box<dyn Read + Send>,
}

impl Read for Rest {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.object.read(buffer),
        }
    }
}

/// Decodes content that is in memory.
fn push_whole(
    content: &[u8],
    decoder: &mut dyn Decoder,
    rows: &mut Rows,
    after_chunk: &mut impl FnMut(&mut Rows) -> Result<()>,
) -> Result<()> {
    let (mut at, mut end) = (0, 0);
    while end < content.len() {
        end = content.len().min(at + goal(end - at));
        at += decode_chunk(&content[at..end], decoder, rows, after_chunk)?;
    }
    decoder.finish(&content[at..], rows);
    Ok(())
}

/// Decodes the complete rows of a chunk; returns the number of bytes used. Hands over rejected rows in between when their
/// memory is full.
fn decode_chunk(
    chunk: &[u8],
    decoder: &mut dyn Decoder,
    rows: &mut Rows,
    after_chunk: &mut impl FnMut(&mut Rows) -> Result<()>,
) -> Result<usize> {
    let mut used = 0;
    loop {
        used += decoder.decode(&chunk[used..], rows);
        let stopped_early = rows.is_full_of_rejections();
        after_chunk(rows)?;
        if !stopped_early {
            return Ok(used);
        }
    }
}

/// What is wrong with content that begins with these bytes.
fn foreign(front: &[u8]) -> Option<Fault> {
    let (_, reason, detail) = FOREIGN.into_iter().find(|(mark, ..)| front.starts_with(mark))?;
    Some(Fault::of_content(reason, detail.to_owned()))
}

/// How many bytes to give to a decoder that left `left` of the last ones: a row longer than a chunk doubles the goal, so that
/// it is not walked over and over.
fn goal(left: usize) -> usize {
    CHUNK_BYTES.max(2 * left)
}

/// Decodes as much as can be read; returns the fault that ended it, if any.
fn push_pieces(
    store: &dyn Store,
    content: &mut impl Read,
    max_bytes: u64,
    pending: &mut Pending,
    decoder: &mut dyn Decoder,
    rows: &mut Rows,
    after_chunk: &mut impl FnMut(&mut Rows) -> Result<()>,
) -> Result<Option<Fault>> {
    let mut total = 0;
    loop {
        match pending.fill(content) {
            Ok(0) => return Ok(None),
            Ok(count) => total += count as u64,
            Err(error) => return damage_of(error, store).map(Some),
        }
        if let Some(fault) = foreign(pending.rest()).filter(|_| total == pending.rest().len() as u64) {
            pending.begin();
            return Ok(Some(fault));
        }
        pending.decode(decoder, rows, after_chunk)?;
        if total > max_bytes {
            let detail = format!("more than {max_bytes} bytes when unpacked");
            return Ok(Some(Fault::of_content("object_too_large", detail)));
        }
    }
}

fn end_object(fault: Option<Fault>, rest: &[u8], decoder: &mut dyn Decoder, rows: &mut Rows) {
    match fault {
        None => decoder.finish(rest, rows),
        Some(fault) => {
            let raw = Some(rest).filter(|rest| !rest.is_empty());
            fault.note(decoder.next_record(), raw, rows);
        }
    }
}

/// Turns a failed read into a fault of the object; fails if objects cannot be read at all.
fn damage_of(error: std::io::Error, store: &dyn Store) -> Result<Fault> {
    if is_damage(&error) {
        return Ok(Fault::of_content("damaged_gzip", error.to_string()));
    }
    let error = match error.downcast::<Error>() {
        Ok(of_store) if of_store.kind() != ErrorKind::Unusable => return Err(of_store),
        Ok(of_store) => std::io::Error::other(of_store),
        Err(error) => error,
    };
    store.check()?;
    Ok(Fault::unread(error.to_string()))
}

/// Unpacked bytes that the decoder has not used yet.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    filled: usize,
    /// An error after these bytes, which are decoded first.
    failed: Option<std::io::Error>,
}

impl Pending {
    /// Clears everything of the previous object: its bytes, its error, and the memory that a long row took.
    fn begin(&mut self) {
        self.filled = 0;
        self.failed = None;
        self.bytes.truncate(MAX_KEPT_BYTES);
        self.bytes.shrink_to(MAX_KEPT_BYTES);
    }

    /// Reads until a chunk is full or the object ends.
    fn fill(&mut self, content: &mut impl Read) -> std::io::Result<usize> {
        let goal = goal(self.filled);
        self.bytes.resize(goal.max(self.bytes.len()), 0);
        let before = self.filled;
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        while self.filled < goal {
            match content.read(&mut self.bytes[self.filled..goal]) {
                Ok(0) => break,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if self.filled > before => {
                    self.failed = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.filled - before)
    }

    fn decode(
        &mut self,
        decoder: &mut dyn Decoder,
        rows: &mut Rows,
        after_chunk: &mut impl FnMut(&mut Rows) -> Result<()>,
    ) -> Result<()> {
        let used = decode_chunk(&self.bytes[..self.filled], decoder, rows, after_chunk)?;
        self.bytes.copy_within(used..self.filled, 0);
        self.filled -= used;
        Ok(())
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{self, DecodeLimits};
    use crate::kst::DayRange;
    use crate::table::{Naming, Rejection};

    /// The maximum memory that rejected rows take at once, and their number.
    fn rejected(dataset: &str, content: &[u8], whole: bool) -> (usize, u64) {
        let dataset = dataset::named(dataset).unwrap();
        let schema = dataset.schema(Naming::Snake, &[]);
        let mut decoder = dataset.decoder(&schema, DecodeLimits::ATHENA);
        let mut rows = Rows::new(schema.decoded(), [0; 4]);
        rows.begin_object(0, DayRange::EVER);
        decoder.begin("");
        let (mut most, mut taken) = (0, 0);
        let mut after_chunk = |rows: &mut Rows| {
            let rejections = rows.take_rejections();
            let text = |rejection: &Rejection| {
                rejection.detail.len() + rejection.raw.as_ref().map_or(0, Vec::len) + size_of::<Rejection>()
            };
            most = most.max(rejections.iter().map(text).sum());
            taken += rejections.len() as u64;
            Ok(())
        };
        if whole {
            push_whole(content, decoder.as_mut(), &mut rows, &mut after_chunk).unwrap();
        } else {
            let mut pending = Pending::default();
            let mut content = content;
            while pending.fill(&mut content).unwrap() > 0 {
                pending.decode(decoder.as_mut(), &mut rows, &mut after_chunk).unwrap();
            }
            decoder.finish(pending.rest(), &mut rows);
        }
        after_chunk(&mut rows).unwrap();
        assert_eq!((rows.ledger().quarantined, rows.ledger().read), (taken, taken));
        (most, taken)
    }

    /// Everything that follows a long record is decoded at once: here some megabytes of empty records.
    #[test]
    fn rejected_rows_are_handed_over_before_they_take_much_memory() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(3 << 20));
        let records = format!("{{\"Records\":[{long}{}]}}", ",{}".repeat(800_000));
        let lines = format!("{long}\n{}", "x\n".repeat(800_000));
        let documents = "{}".repeat(200_000);
        for (dataset, content, expected) in [
            ("cloudtrail", &records, 800_001),
            ("cloudtrail", &documents, 200_000),
            ("s3-access", &lines, 800_001),
        ] {
            for whole in [true, false] {
                let (most, count) = rejected(dataset, content.as_bytes(), whole);
                assert_eq!(count, expected, "{dataset}");
                assert!(most < 6 << 20, "{most} bytes at once, {dataset}");
            }
        }
    }
}

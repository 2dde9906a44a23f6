//! The output of decoders: rows of the wanted days as Arrow columns, rejected rows as values, and counts.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::error::ArrowError;
use hashbrown::{DefaultHashBuilder, HashTable};
use highway::{HighwayHash, HighwayHasher, Key};
use serde::{Deserialize, Serialize};

use super::cells::{Cells, plain};
use super::column::Column;
use crate::kst::{DayRange, KstDay, UtcInstant, UtcWindow};
use crate::ledger::RowLedger;

/// The identity of a row: a keyed 128-bit hash of the bytes that make it unique.
///
/// Every run draws a new key, so that a log writer cannot prepare two rows that collide. The chance of any collision among a
/// billion rows is below 2^-68.
pub type Identity = [u64; 2];

/// The secret of [`Identity`].
pub type IdentityKey = [u64; 4];

/// The origin of a row. Of two duplicates, the one with the lower position is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Index of the object in the plan, whose objects are in order of their addresses.
    pub object: u32,
    /// Record or line number in the object, from 1. 0 is the object as a whole.
    pub record: u32,
}

impl Position {
    /// Returns the same position under other object numbers, if there are any.
    #[must_use]
    pub fn renumbered(self, numbers: Option<&[u32]>) -> Self {
        numbers.map_or(self, |numbers| Self { object: numbers[self.object as usize], ..self })
    }
}

/// The values by which a row is sorted before its event time, one for each cluster column of its table.
pub type Cluster = Arc<[Box<str>]>;

/// The facts about a row that are not cells.
#[derive(Debug, Clone, Copy)]
pub struct RowKey {
    /// Its cluster: an index into [`RowBatch::clusters`].
    pub cluster: u32,
    /// Event time.
    pub at: UtcInstant,
    /// KST day of the event time.
    pub day: KstDay,
    /// Origin.
    pub position: Position,
    /// Size in the raw object, in bytes.
    pub bytes: u32,
    /// Identity.
    pub identity: Identity,
}

/// A record or line that could not be decoded, or the rest of a damaged object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Its position.
    pub position: Position,
    /// Stable name of the reason, for example `bad_time`.
    pub reason: &'static str,
    /// A sentence that explains the reason.
    pub detail: String,
    /// The raw bytes, cut at [`Rejection::MAX_RAW_BYTES`]; `None` for an object as a whole.
    pub raw: Option<Vec<u8>>,
    /// Number of raw bytes before the cut.
    pub raw_bytes: usize,
}

impl Rejection {
    /// Longer raw bytes are cut. The raw object still has them.
    pub const MAX_RAW_BYTES: usize = 1 << 20;
    /// Longer details are cut. The raw bytes still have the value.
    pub const MAX_DETAIL_BYTES: usize = 4 << 10;
}

/// The memory of rejected rows at which a decoder stops until they are taken. Every two input bytes can give a rejected row.
const MAX_REJECTED_BYTES: usize = 4 << 20;

/// A batch of rows: cells as Arrow arrays in the order of the decoded columns, and keys in the order of the rows.
#[derive(Debug)]
pub struct RowBatch {
    /// One array for each decoded column. Text can also be a dictionary or an array of nulls: see [`Self::plain`].
    pub cells: Vec<ArrayRef>,
    /// One key for each row.
    pub keys: Vec<RowKey>,
    /// The distinct clusters, in order of first appearance.
    pub clusters: Vec<Cluster>,
}

/// Takes rows from a decoder. Keeps those of the wanted days and counts the others.
#[derive(Debug)]
pub struct Rows {
    /// Events that are wanted from the current object.
    window: UtcWindow,
    hash_key: IdentityKey,
    cells: Vec<Cells>,
    keys: Vec<RowKey>,
    clusters: Clusters,
    rejections: Vec<Rejection>,
    /// Memory of the rejections.
    rejected_bytes: usize,
    object: u32,
    ledger: RowLedger,
    /// Number of rows kept from the current object, by day.
    kept: Vec<(KstDay, u64)>,
    damage: Damage,
    /// The latest possible event time in the current object, judged by its name.
    until: UtcInstant,
    newer_than_name: u64,
}

/// How much of an object is lost, apart from rows that were rejected one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// Nothing.
    #[default]
    None,
    /// A part cannot be decoded, because the content is wrong.
    Content,
    /// The object could not be read. Another attempt may succeed.
    Unread,
}

impl Damage {
    /// Whether anything is lost.
    #[must_use]
    pub fn is_some(self) -> bool {
        self != Self::None
    }
}

/// The facts about a row that a decoder passes before the cells.
#[derive(Debug, Clone, Copy)]
pub struct RowHead<'a> {
    /// Record or line number, from 1.
    pub record: u32,
    /// Event time.
    pub at: UtcInstant,
    /// The raw text.
    pub raw: &'a [u8],
    /// The bytes that make the row unique.
    pub identity: &'a [u8],
    /// The values of the table's cluster columns, in their order.
    pub cluster: &'a [Option<&'a str>],
}

impl Rows {
    /// Returns an empty batch for the decoded columns of a table.
    pub fn new<'c>(columns: impl Iterator<Item = &'c Column>, hash_key: IdentityKey) -> Self {
        Self {
            window: DayRange::EVER.window(),
            hash_key,
            cells: columns.map(Cells::of).collect(),
            keys: Vec::new(),
            clusters: Clusters::default(),
            rejections: Vec::new(),
            rejected_bytes: 0,
            object: 0,
            ledger: RowLedger::default(),
            kept: Vec::new(),
            damage: Damage::None,
            until: UtcInstant(i64::MAX),
            newer_than_name: 0,
        }
    }

    /// Begins an object of the plan. Its rows outside `days` are counted and dropped.
    pub fn begin_object(&mut self, object: u32, days: DayRange) {
        self.object = object;
        self.window = days.window();
        self.ledger = RowLedger::default();
        self.kept.clear();
        self.damage = Damage::None;
        self.until = UtcInstant(i64::MAX);
        self.newer_than_name = 0;
    }

    /// Sets the latest possible event time in the current object, judged by its name.
    pub fn expect_events_until(&mut self, until: UtcInstant) {
        self.until = until;
    }

    /// Returns the number of rows whose events are newer than the name of the current object allows, because the logs were
    /// renamed or repackaged.
    #[must_use]
    pub fn newer_than_name(&self) -> u64 {
        self.newer_than_name
    }

    /// Returns how the current object is damaged. The number of lost rows is unknown.
    #[must_use]
    pub fn damage(&self) -> Damage {
        self.damage
    }

    /// Returns the counts of the current object. Rows of all wanted days count as written until duplicates are known.
    #[must_use]
    pub fn ledger(&self) -> RowLedger {
        self.ledger
    }

    /// Returns the number of rows kept from the current object, by day.
    #[must_use]
    pub fn kept(&self) -> &[(KstDay, u64)] {
        &self.kept
    }

    /// Begins a row and returns whether it belongs to a wanted day. If so, the caller appends exactly one cell to each
    /// column.
    pub fn begin_row(&mut self, head: &RowHead<'_>) -> bool {
        self.ledger.read += 1;
        self.newer_than_name += u64::from(head.at > self.until);
        if !self.window.contains(head.at) {
            self.ledger.other_day += 1;
            return false;
        }
        let day = KstDay::of(head.at);
        self.ledger.written += 1;
        match self.kept.iter_mut().rfind(|(known, _)| *known == day) {
            Some((_, rows)) => *rows += 1,
            None => self.kept.push((day, 1)),
        }
        self.keys.push(RowKey {
            cluster: self.clusters.index_of(head.cluster.iter().map(|value| sort_text(*value))),
            at: head.at,
            day,
            position: Position { object: self.object, record: head.record },
            bytes: u32::try_from(head.raw.len()).unwrap_or(u32::MAX),
            identity: HighwayHasher::new(Key(self.hash_key)).hash128(head.identity),
        });
        true
    }

    /// Returns the cells of a decoded column, by its place among the decoded columns.
    pub fn cell(&mut self, column: usize) -> &mut Cells {
        &mut self.cells[column]
    }

    /// Rejects a row. `raw` is cut at [`Rejection::MAX_RAW_BYTES`], `detail` at [`Rejection::MAX_DETAIL_BYTES`].
    pub fn reject(
        &mut self,
        record: u32,
        reason: &'static str,
        detail: impl Into<String>,
        raw: Option<&[u8]>,
    ) {
        self.ledger.read += 1;
        self.ledger.quarantined += 1;
        let mut detail = detail.into();
        if detail.len() > Rejection::MAX_DETAIL_BYTES {
            detail.truncate(detail.floor_char_boundary(Rejection::MAX_DETAIL_BYTES));
            detail.shrink_to_fit();
        }
        let raw_bytes = raw.map_or(0, <[u8]>::len);
        let raw = raw.map(|bytes| cut(bytes).to_vec());
        let text_bytes = detail.len() + raw.as_ref().map_or(0, Vec::len);
        self.rejected_bytes += std::mem::size_of::<Rejection>() + text_bytes;
        let position = Position { object: self.object, record };
        self.rejections.push(Rejection { position, reason, detail, raw, raw_bytes });
    }

    /// Rejects the rest of the current object as one row, and marks the object as damaged.
    pub fn reject_rest(
        &mut self,
        record: u32,
        reason: &'static str,
        detail: impl Into<String>,
        raw: Option<&[u8]>,
    ) {
        self.reject(record, reason, detail, raw);
        self.mark_damaged(Damage::Content);
    }

    /// Records that the current object has lost more than the rejected rows.
    pub fn mark_damaged(&mut self, damage: Damage) {
        self.damage = damage;
    }

    /// Whether the rejected rows use so much memory that the caller must take them before more is decoded.
    #[must_use]
    pub fn is_full_of_rejections(&self) -> bool {
        self.rejected_bytes > MAX_REJECTED_BYTES
    }

    /// Takes the rejected rows so far.
    pub fn take_rejections(&mut self) -> Vec<Rejection> {
        self.rejected_bytes = 0;
        std::mem::take(&mut self.rejections)
    }

    /// Returns the number of rows held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no row is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the memory of the rows held: their cells, keys and clusters.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let cells: usize = self.cells.iter().map(Cells::memory_bytes).sum();
        cells + self.keys.len() * size_of::<RowKey>() + self.clusters.bytes
    }

    /// Takes the rows held and starts an empty batch.
    pub fn take_batch(&mut self) -> RowBatch {
        debug_assert!(self.cells.iter().all(|cells| cells.len() == self.keys.len()), "a row lacks a cell");
        RowBatch {
            cells: self.cells.iter_mut().map(Cells::finish).collect(),
            keys: std::mem::take(&mut self.keys),
            clusters: self.clusters.take(),
        }
    }
}

impl RowBatch {
    /// Returns the memory of the rows.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let cells: usize = self.cells.iter().map(Array::get_array_memory_size).sum();
        let clusters: usize = self.clusters.iter().map(|cluster| cluster_bytes(cluster)).sum();
        cells + self.keys.capacity() * size_of::<RowKey>() + clusters
    }

    /// Returns the same rows with cells as arrays of their columns' types.
    pub fn plain(self) -> Result<Self, ArrowError> {
        let cells = self.cells.iter().map(plain).collect::<Result<_, _>>()?;
        Ok(Self { cells, ..self })
    }

    /// Splits the rows by day.
    pub fn by_day(self) -> Result<Vec<(KstDay, Self)>, ArrowError> {
        let mut days: Vec<(KstDay, Vec<u32>)> = Vec::new();
        for (row, key) in (0..).zip(&self.keys) {
            match days.iter_mut().rfind(|(known, _)| *known == key.day) {
                Some((_, rows)) => rows.push(row),
                None => days.push((key.day, vec![row])),
            }
        }
        match days.as_slice() {
            [(only, _)] => Ok(vec![(*only, self)]),
            days => days.iter().map(|(day, rows)| Ok((*day, self.select(rows)?))).collect(),
        }
    }

    /// Replaces the values by which rows are sorted. `value` receives the place of a cluster column and a [`sort_text`].
    pub(crate) fn replace_sort_texts(&mut self, value: impl for<'t> Fn(usize, &'t str) -> Cow<'t, str>) {
        let mut replaced = Clusters::default();
        let number = |cluster: &Cluster| {
            let texts = cluster.iter().enumerate();
            let texts: Vec<Cow<'_, str>> = texts.map(|(place, text)| value(place, text)).collect();
            replaced.index_of(texts.iter().map(AsRef::as_ref))
        };
        let numbers: Vec<u32> = self.clusters.iter().map(number).collect();
        for key in &mut self.keys {
            key.cluster = numbers[key.cluster as usize];
        }
        self.clusters = replaced.take();
    }

    /// Returns some of the rows, by their numbers.
    pub fn select(&self, rows: &[u32]) -> Result<Self, ArrowError> {
        let places = UInt32Array::from(rows.to_vec());
        let cells = self.cells.iter().map(|cells| take(cells, &places, None));
        Ok(Self {
            cells: cells.collect::<Result<_, _>>()?,
            keys: rows.iter().map(|row| self.keys[*row as usize]).collect(),
            clusters: self.clusters.clone(),
        })
    }
}

/// Returns the text by which rows with this value are sorted: nulls are first, then empty texts, then all others.
#[must_use]
pub fn sort_text(value: Option<&str>) -> &str {
    /// Precedes every text that logs have.
    const EMPTY_TEXT: &str = "\0";
    match value {
        None => "",
        Some("") => EMPTY_TEXT,
        Some(text) => text,
    }
}

/// Returns the memory of a distinct cluster: its texts, and its entries in the list and in the lookup table.
fn cluster_bytes<T: AsRef<str>>(cluster: &[T]) -> usize {
    /// Bookkeeping of an allocation.
    const ALLOCATION: usize = 16;
    /// The two counts in front of shared data.
    const COUNTS: usize = 2 * size_of::<usize>();
    let places = size_of::<Cluster>() + size_of::<(u64, u32)>() * 2;
    let text = |text: &T| size_of::<Box<str>>() + ALLOCATION + text.as_ref().len();
    places + COUNTS + ALLOCATION + cluster.iter().map(text).sum::<usize>()
}

/// Returns the front of raw bytes that is kept. Text is not cut inside a character.
fn cut(bytes: &[u8]) -> &[u8] {
    let kept = &bytes[..bytes.len().min(Rejection::MAX_RAW_BYTES)];
    match std::str::from_utf8(kept) {
        Err(error) if error.error_len().is_none() && kept.len() < bytes.len() => &kept[..error.valid_up_to()],
        _ => kept,
    }
}

/// Assigns numbers to distinct clusters. Equal clusters usually follow each other.
#[derive(Debug, Default)]
struct Clusters {
    known: Vec<Cluster>,
    /// Hash and number of each cluster.
    table: HashTable<(u64, u32)>,
    hasher: DefaultHashBuilder,
    last: u32,
    /// Memory of the clusters.
    bytes: usize,
}

impl Clusters {
    fn index_of<'t>(&mut self, cluster: impl Iterator<Item = &'t str> + Clone) -> u32 {
        let same = |known: &Cluster| known.iter().map(AsRef::as_ref).eq(cluster.clone());
        if self.known.get(self.last as usize).is_some_and(same) {
            return self.last;
        }
        let mut hasher = self.hasher.build_hasher();
        for text in cluster.clone() {
            text.hash(&mut hasher);
        }
        let hash = hasher.finish();
        let found =
            self.table.find(hash, |(known, number)| *known == hash && same(&self.known[*number as usize]));
        self.last = match found {
            Some((_, number)) => *number,
            None => self.add(hash, cluster),
        };
        self.last
    }

    fn add<'t>(&mut self, hash: u64, cluster: impl Iterator<Item = &'t str>) -> u32 {
        let number = u32::try_from(self.known.len())
            .expect("there are fewer clusters than rows, which are counted in 32 bits");
        self.table.insert_unique(hash, (hash, number), |(hash, _)| *hash);
        let cluster: Cluster = cluster.map(Box::from).collect();
        self.bytes += cluster_bytes(&cluster);
        self.known.push(cluster);
        number
    }

    fn take(&mut self) -> Vec<Cluster> {
        std::mem::take(self).known
    }
}

//! Searches raw objects for an id: scans their unpacked bytes, and decodes only objects that contain it.

use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, AsArray};
use memchr::memmem::Finder;
use rayon::prelude::*;

use super::budget::Budget;
use super::object::{ObjectReader, Opened};
use super::quarantine::QuarantinedRow;
use super::{ConvertOptions, Progress};
use crate::dataset::LogType;
use crate::error::{ErrorKind, Result};
use crate::kst::{DayRange, KstDay, UtcInstant};
use crate::plan::{PlannedObject, TablePlan};
use crate::rules::RowRules;
use crate::store::unpack::Unpacked;
use crate::store::{Connector, ObjectFeed, ObjectMeta, Store};
use crate::table::{Identifier, Identity, IdentityKey, RowBatch, RowKey, Rows, TableSchema};

/// Unpacked bytes per scan.
const SCAN_BYTES: usize = 256 << 10;

/// The id to search for.
#[derive(Debug, Clone, Copy)]
pub struct RawQuery<'a> {
    /// What the id identifies.
    pub what: Identifier,
    /// The id.
    pub id: &'a str,
    /// The secret of the row identities.
    pub identity_key: IdentityKey,
}

/// A row of a raw object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// Index of the object in the plan.
    pub object: usize,
    /// Record or line number, from 1.
    pub record: u32,
    /// Event time.
    pub at: UtcInstant,
    /// The KST day of the event time.
    pub day: KstDay,
    /// The row's identity: rows that repeat each other share it.
    pub identity: Identity,
    /// Whether a rule of the plan excludes it.
    pub left_out: bool,
}

/// Where an id occurs in raw objects. Everything is in the order of the plan.
#[derive(Debug, Default)]
pub struct RawFound {
    /// Rows with the id, of all days.
    pub rows: Vec<RawRow>,
    /// Rejected rows whose raw text contains it, with the index of their object.
    pub rejected: Vec<(usize, QuarantinedRow)>,
    /// Objects whose bytes contain it, although none of their rows has it.
    pub mentioned: Vec<usize>,
    /// Objects that could not be read to their end.
    pub damaged: Vec<usize>,
}

/// Searches every object of a plan for an id.
pub fn search_raw(
    plan: &TablePlan,
    query: RawQuery<'_>,
    options: &ConvertOptions,
    connector: &Connector,
    progress: &dyn Progress,
) -> Result<RawFound> {
    let spec = &plan.spec;
    let schema = spec.schema();
    let Some(column) = schema.decoded().position(|column| column.identifies == Some(query.what)) else {
        return Ok(RawFound::default());
    };
    let rules = spec.row_rules(&schema)?;
    let stores = spec.open_inputs(connector)?;
    let mut found = RawFound::default();
    for (input, store) in (0..).zip(&stores) {
        let own = plan.objects.iter().enumerate().filter(|(_, object)| object.input == input);
        let search = Search {
            store: store.as_ref(),
            dataset: spec.dataset,
            schema: &schema,
            column,
            rules: &rules,
            query,
            finder: is_written_as_it_is(query.id).then(|| Finder::new(query.id)),
            options,
            progress,
        };
        found.extend(search.all(&own.collect::<Vec<_>>())?);
    }
    Ok(found.in_order())
}

/// Whether JSON never escapes a character of the id, so that it can be found without decoding.
fn is_written_as_it_is(id: &str) -> bool {
    (1..1000).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether the bytes can be read to their end, within a limit, without the searched text.
fn lacks(finder: &Finder<'_>, mut content: impl Read, max_bytes: u64) -> bool {
    let (mut buffer, mut kept, mut total) = (vec![0; SCAN_BYTES], 0, 0);
    loop {
        match content.read(&mut buffer[kept..]) {
            Ok(0) => return true,
            Ok(count) => {
                let filled = kept + count;
                total += count as u64;
                if total > max_bytes || finder.find(&buffer[..filled]).is_some() {
                    return false;
                }
                // The searched text may cross the boundary.
                kept = filled.min(finder.needle().len().saturating_sub(1));
                buffer.copy_within(filled - kept..filled, 0);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}

impl RawFound {
    fn extend(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.rejected.extend(other.rejected);
        self.mentioned.extend(other.mentioned);
        self.damaged.extend(other.damaged);
    }

    fn in_order(mut self) -> Self {
        self.rows.sort_by_key(|row| (row.object, row.record));
        self.rejected.sort_by_key(|(object, row)| (*object, row.record));
        self.mentioned.sort_unstable();
        self.damaged.sort_unstable();
        self
    }
}

/// The state that the workers of one input share.
struct Search<'a> {
    store: &'a dyn Store,
    dataset: LogType,
    schema: &'a TableSchema,
    /// Index of the id among the decoded columns.
    column: usize,
    rules: &'a RowRules,
    query: RawQuery<'a>,
    /// Finds the id in unpacked bytes, if that is possible.
    finder: Option<Finder<'a>>,
    options: &'a ConvertOptions,
    progress: &'a dyn Progress,
}

impl Search<'_> {
    fn all(&self, objects: &[(usize, &PlannedObject)]) -> Result<RawFound> {
        let budget = Budget::of(self.options);
        let metas: Vec<ObjectMeta> = objects.iter().map(|(_, object)| object.meta()).collect();
        let feed = self.store.feed(metas, budget.read_ahead_bytes());
        let (next, found) = (AtomicUsize::new(0), Mutex::new(RawFound::default()));
        (0..budget.workers()).into_par_iter().with_max_len(1).try_for_each(|_| {
            let mut own = RawFound::default();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some((number, object)) = objects.get(place) else { break };
                let searched = self.object(*number, object, place, feed.as_ref(), &mut own);
                // If one worker fails, the others stop as well.
                searched.inspect_err(|_| next.store(objects.len(), Ordering::Relaxed))?;
            }
            found.lock().expect("a worker that panics ends the process").extend(own);
            Ok(())
        })?;
        Ok(found.into_inner().expect("a worker that panics ends the process"))
    }

    fn object(
        &self,
        number: usize,
        object: &PlannedObject,
        place: usize,
        feed: &dyn ObjectFeed,
        found: &mut RawFound,
    ) -> Result<()> {
        self.options.cancel.check()?;
        // Only bytes that could all be read rule an object out; in case of doubt it is decoded.
        let opened = feed.open(place);
        let ruled_out = match (&self.finder, opened) {
            (Some(finder), Ok(content)) => Unpacked::new(content)
                .is_ok_and(|content| lacks(finder, content, self.options.max_object_bytes)),
            (_, Err(error)) if error.kind() != ErrorKind::Unusable => return Err(error),
            _ => false,
        };
        let rows = if ruled_out { 0 } else { self.decode(number, object, found)? };
        self.progress.object_done(object.bytes, rows);
        Ok(())
    }

    /// Decodes an object and keeps the rows with the id; returns the number of rows read.
    fn decode(&self, number: usize, object: &PlannedObject, found: &mut RawFound) -> Result<u64> {
        let mut decoder = self.dataset.decoder(self.schema, self.options.limits);
        let mut rows = Rows::new(self.schema.decoded(), self.query.identity_key);
        rows.begin_object(0, DayRange::EVER);
        let hits = found.rows.len() + found.rejected.len();
        let opened = Opened { key: &object.key, content: self.store.open(&object.key) };
        let max_bytes = self.options.max_object_bytes;
        let mut reader = ObjectReader::within(Budget::of(self.options).unpack_bytes());
        reader.read(self.store, opened, max_bytes, decoder.as_mut(), &mut rows, |rows| {
            self.options.cancel.check()?;
            let id = self.query.id.as_bytes();
            let rejected = rows.take_rejections().into_iter().filter(|rejection| {
                let raw = rejection.raw.as_deref().unwrap_or_default();
                memchr::memmem::find(raw, id).is_some()
            });
            let rejected = rejected.map(|row| self.rules.mask(row));
            let rejected = rejected.map(|row| (number, QuarantinedRow::new(&row, &object.address)));
            found.rejected.extend(rejected);
            found.rows.extend(self.hits(&rows.take_batch(), number)?);
            Ok(())
        })?;
        if rows.damage().is_some() {
            found.damaged.push(number);
        }
        let is_mentioned = self.finder.is_some() && !rows.damage().is_some();
        if is_mentioned && hits == found.rows.len() + found.rejected.len() {
            found.mentioned.push(number);
        }
        Ok(rows.ledger().read)
    }

    fn hits(&self, batch: &RowBatch, object: usize) -> Result<Vec<RawRow>> {
        let ids = batch.cells[self.column].as_string::<i32>();
        let hits: Vec<usize> = (0..batch.keys.len())
            .filter(|row| ids.is_valid(*row) && ids.value(*row) == self.query.id)
            .collect();
        if hits.is_empty() {
            return Ok(Vec::new());
        }
        let left_out = self.rules.left_out(batch)?;
        let row = |row: &usize| {
            let RowKey { position, at, day, identity, .. } = batch.keys[*row];
            let left_out = left_out.as_ref().is_some_and(|left_out| left_out.value(*row));
            RawRow { object, record: position.record, at, day, identity, left_out }
        };
        Ok(hits.iter().map(row).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_that_json_never_escapes_are_found_without_decoding() {
        for (id, expected) in [
            ("8d1f5bd0-3c0b-4e0c-9a4e-000000000001", true),
            ("C3D13FE58DE4C810", true),
            ("a_b", true),
            ("dGVzdA==", false),
            ("a/b", false),
            ("é", false),
            ("", false),
        ] {
            assert_eq!(is_written_as_it_is(id), expected, "{id}");
        }
    }

    #[test]
    fn the_searched_text_is_found_at_any_position_and_with_reads_of_any_size() {
        let finder = Finder::new("needle");
        for place in SCAN_BYTES - 8..SCAN_BYTES + 8 {
            let mut content = vec![b'n'; SCAN_BYTES + 20];
            assert!(lacks(&finder, content.as_slice(), u64::MAX));
            content[place..place + 6].copy_from_slice(b"needle");
            assert!(!lacks(&finder, content.as_slice(), u64::MAX), "{place}");
            let (front, back) = content.split_at(place + 2);
            assert!(!lacks(&finder, front.chain(back), u64::MAX), "{place}");
        }
        assert!(!lacks(&finder, [b'x'; 9].as_slice(), 8), "a search that stops early rules nothing out");
    }
}

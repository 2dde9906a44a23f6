//! Explains what happened to the rows with an id, from published files, quarantine and raw objects together.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::find::PublishedRow;
use super::freshness::is_same;
use crate::convert::{QuarantinedRow, RawFound, RawRow};
use crate::kst::{KstDay, UtcInstant};
use crate::plan::PlannedObject;
use crate::publish::Manifest;
use crate::publish::inputs::InputLine;
use crate::table::Identity;

/// What happened to a row. If several rows have the id, the first fate in this order is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is published.
    InLake,
    /// It belongs to the day, but the day was never published.
    NotPublished,
    /// It belongs to the day, but the published run did not find its object.
    Late,
    /// It belongs to the day, but its object has changed since the published run.
    Changed,
    /// It belongs to the day, but a filter leaves it out.
    Filtered,
    /// It belongs to the day, and the published run read its object. It should be in the lake.
    Lost,
    /// It could not be decoded.
    Quarantined,
    /// It repeats an earlier row.
    Duplicate,
    /// It belongs to another day.
    OtherDay,
    /// Its object contains the id, but not as the id of a row.
    Mentioned,
    /// The id was not found anywhere.
    Absent,
    /// The published day does not have the id, and no raw logs were searched.
    Unknown,
}

/// A row or object that has the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// What happened to it.
    pub fate: Fate,
    /// Address of the raw object.
    pub object: String,
    /// Record or line number in it, from 1; `None` for the object as a whole.
    pub record: Option<u32>,
    /// Event time.
    pub at: Option<UtcInstant>,
    /// The row in the published files.
    pub published: Option<PublishedRow>,
    /// The row that it repeats.
    pub repeats: Option<(String, u32)>,
    /// Why it could not be decoded: the stable name and a sentence.
    pub rejected: Option<(String, String)>,
}

impl Trace {
    fn new(fate: Fate, object: &str, record: Option<u32>) -> Self {
        let (at, published, repeats, rejected) = Default::default();
        Self { fate, object: object.to_owned(), record, at, published, repeats, rejected }
    }

    /// Creates the trace of a published row, of this day or another one.
    #[must_use]
    pub fn of_published(row: PublishedRow, fate: Fate) -> Self {
        let record = row.source_record.and_then(|record| u32::try_from(record).ok());
        let trace = Self::new(fate, row.source_object.as_deref().unwrap_or_default(), record);
        Self { at: row.at, published: Some(row), ..trace }
    }

    /// Creates the trace of a rejected row.
    #[must_use]
    pub fn of_quarantined(row: QuarantinedRow) -> Self {
        let trace = Self::new(Fate::Quarantined, &row.object, row.record);
        Self { rejected: Some((row.reason, row.detail)), ..trace }
    }

    /// Returns the KST day of its event.
    #[must_use]
    pub fn day(&self) -> Option<KstDay> {
        self.at.map(KstDay::of)
    }

    fn place(&self) -> (&str, Option<u32>) {
        (&self.object, self.record)
    }
}

/// The manifest and inputs of a published day.
#[derive(Debug, Clone, Copy)]
pub struct PublishedDay<'a> {
    /// Its manifest.
    pub manifest: &'a Manifest,
    /// The objects that it read. Empty if they are unknown.
    pub inputs: &'a [InputLine],
}

/// Adds the rows found in raw objects to the traces of a day. Rows that already have a trace keep it unchanged.
pub fn add_raw(
    traces: &mut Vec<Trace>,
    day: KstDay,
    objects: &[PlannedObject],
    found: RawFound,
    published: Option<PublishedDay<'_>>,
) {
    let judge = Judge::new(day, objects, traces, published);
    let mut firsts: HashMap<Identity, &RawRow> = HashMap::new();
    let mut raw = Vec::new();
    for row in &found.rows {
        raw.push(if row.day == day && row.left_out {
            judge.trace(Fate::Filtered, row)
        } else if row.day == day {
            let first = *firsts.entry(row.identity).or_insert(row);
            judge.of_day(row, first)
        } else {
            judge.trace(Fate::OtherDay, row)
        });
    }
    raw.extend(found.rejected.into_iter().map(|(_, row)| Trace::of_quarantined(row)));
    let mentions = found.mentioned.into_iter();
    raw.extend(mentions.map(|object| Trace::new(Fate::Mentioned, &objects[object].address, None)));
    raw.retain(|new| traces.iter().all(|known| known.place() != new.place()));
    traces.extend(raw);
    traces.sort_by(|a, b| a.fate.cmp(&b.fate).then_with(|| a.place().cmp(&b.place())));
}

/// Decides the fate of a row of the day.
struct Judge<'a> {
    objects: &'a [PlannedObject],
    /// The places of the day's rows in the lake.
    in_lake: Vec<(String, Option<u32>)>,
    is_published: bool,
    inputs: BTreeMap<&'a str, &'a InputLine>,
}

impl<'a> Judge<'a> {
    fn new(
        day: KstDay,
        objects: &'a [PlannedObject],
        traces: &[Trace],
        published: Option<PublishedDay<'a>>,
    ) -> Self {
        let of_day = traces.iter().filter(|trace| trace.fate == Fate::InLake && trace.day() == Some(day));
        let inputs = published.map(|published| published.inputs).unwrap_or_default();
        Self {
            objects,
            in_lake: of_day.map(|trace| (trace.object.clone(), trace.record)).collect(),
            is_published: published.is_some(),
            inputs: inputs.iter().map(|input| (input.object.as_str(), input)).collect(),
        }
    }

    fn trace(&self, fate: Fate, row: &RawRow) -> Trace {
        let trace = Trace::new(fate, &self.objects[row.object].address, Some(row.record));
        Trace { at: Some(row.at), ..trace }
    }

    /// Creates the trace of a row of the day. `first` is the first row that is equal to it.
    fn of_day(&self, row: &RawRow, first: &RawRow) -> Trace {
        let is_first = (row.object, row.record) == (first.object, first.record);
        let first = (self.objects[first.object].address.clone(), first.record);
        if !is_first {
            return Trace { repeats: Some(first), ..self.trace(Fate::Duplicate, row) };
        }
        let fate = self.fate_of_first(&self.objects[row.object], row);
        // The row that it repeats may be in an object that no longer exists.
        let repeats = match self.in_lake.as_slice() {
            [(object, Some(record))] if fate == Fate::Duplicate => Some((object.clone(), *record)),
            _ => None,
        };
        Trace { repeats, ..self.trace(fate, row) }
    }

    fn fate_of_first(&self, object: &PlannedObject, row: &RawRow) -> Fate {
        let place = (object.address.clone(), Some(row.record));
        match self.inputs.get(object.address.as_str()) {
            _ if self.in_lake.contains(&place) => Fate::InLake,
            _ if !self.is_published => Fate::NotPublished,
            None => Fate::Late,
            Some(input) if !is_same(object, input) => Fate::Changed,
            Some(input) if input.ledger.duplicate > 0 && !self.in_lake.is_empty() => Fate::Duplicate,
            Some(_) => Fate::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::RowLedger;
    use crate::publish::inputs::tests::line;

    const DAY: &str = "2023-11-01";
    /// Noon of the KST day.
    const NOON: &str = "2023-11-01T03:00:00Z";

    fn object(address: &str, bytes: u64) -> PlannedObject {
        let (address, key) = (address.to_owned(), address.to_owned());
        PlannedObject {
            address,
            input: 0,
            key,
            bytes,
            etag: None,
            why: "".into(),
            events_until_ms: None,
            shard: 0,
            named: false,
        }
    }

    fn input(address: &str, duplicate: u64) -> InputLine {
        line(address, 1, None, RowLedger { duplicate, ..RowLedger::default() })
    }

    fn row(object: usize, record: u32, at: &str, identity: u64) -> RawRow {
        let at = UtcInstant::parse_iso8601(at).unwrap();
        RawRow { object, record, at, day: KstDay::of(at), identity: [identity, 0], left_out: false }
    }

    fn left_out(record: u32) -> RawRow {
        RawRow { left_out: true, ..row(2, record, NOON, 7) }
    }

    fn in_lake(object: &str, record: i64) -> Trace {
        let row = PublishedRow {
            file: "run/part".to_owned(),
            row_group: 0,
            row: 0,
            at: UtcInstant::parse_iso8601(NOON),
            cluster: vec![None, None],
            source_object: Some(object.to_owned()),
            source_record: Some(record),
        };
        Trace::of_published(row, Fate::InLake)
    }

    #[test]
    fn the_fate_of_a_raw_row_follows_from_its_day_its_duplicates_and_its_object() {
        use Fate::{Changed, Duplicate, Filtered, InLake, Late, Lost, NotPublished, OtherDay};
        let manifest = crate::publish::tests::manifest();
        let inputs = [input("a", 0), input("b", 1), input("c", 0)];
        let published = Some(PublishedDay { manifest: &manifest, inputs: &inputs });
        let objects = [object("a", 1), object("b", 1), object("c", 1), object("d", 1)];
        let changed = [object("a", 2)];
        let twins = || vec![row(0, 1, NOON, 7), row(1, 2, NOON, 7)];
        for (before, objects, rows, published, expected) in [
            (vec![in_lake("a", 1)], &objects[..], twins(), published, vec![InLake, Duplicate]),
            (vec![], &objects, twins(), None, vec![NotPublished, Duplicate]),
            (vec![], &objects, vec![row(3, 1, NOON, 7)], published, vec![Late]),
            (vec![], &objects, vec![left_out(1), row(2, 2, NOON, 7)], published, vec![Filtered, Lost]),
            (vec![], &objects, vec![row(0, 1, NOON, 7)], published, vec![Lost]),
            (vec![], &objects, vec![row(1, 1, NOON, 7)], published, vec![Lost]),
            (vec![], &changed, vec![row(0, 1, NOON, 7)], published, vec![Changed]),
            (
                vec![in_lake("gone", 1)],
                &objects,
                vec![row(1, 2, NOON, 7)],
                published,
                vec![InLake, Duplicate],
            ),
            (
                vec![],
                &objects,
                vec![row(0, 1, "2023-11-01T15:00:00Z", 7), row(0, 2, "2023-10-31T14:59:59Z", 7)],
                published,
                vec![OtherDay, OtherDay],
            ),
        ] {
            let mut traces = before;
            let found = RawFound { rows, ..RawFound::default() };
            add_raw(&mut traces, DAY.parse().unwrap(), objects, found, published);
            let fates: Vec<Fate> = traces.iter().map(|trace| trace.fate).collect();
            assert_eq!(fates, expected, "{traces:?}");
            for twin in traces.iter().filter(|trace| trace.fate == Duplicate) {
                let (object, record) = twin.repeats.clone().unwrap();
                assert_ne!((object.as_str(), Some(record)), twin.place());
            }
        }
    }
}

//! Whether a day is what its raw logs would give now: told from listings, manifests and reports, without reading a log.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::error::Result;
use crate::kst::{KstDay, UtcInstant};
use crate::plan::{DayObjects, ListedObjects, PlannedObject};
use crate::publish::inputs::{InputLine, read_inputs, renamed};
use crate::publish::manifest::Manifest;
use crate::publish::read_manifest;
use crate::publish::run_history::RunHistory;
use crate::publish::run_record::RunRecord;
use crate::store::Lake;
use crate::store::lake::{MANIFEST, Partition};

/// How a day stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DayState {
    /// Published, with all that has come.
    Published,
    /// Published, without a row.
    Empty,
    /// Never published, and before the first log of the table as far as that is known: nothing is lacking.
    NoLogs,
    /// Never published.
    Missing,
    /// Published, but objects have come or changed since.
    Stale,
    /// The last run of the day failed.
    Failed,
}

impl DayState {
    /// Every state, in the order in which they are told.
    pub const ALL: [Self; 6] =
        [Self::Published, Self::Empty, Self::NoLogs, Self::Missing, Self::Stale, Self::Failed];

    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Empty => "empty",
            Self::NoLogs => "no logs",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Failed => "failed",
        }
    }

    /// Whether a run would change what is published, or could.
    #[must_use]
    pub fn is_behind(self) -> bool {
        matches!(self, Self::Missing | Self::Stale | Self::Failed)
    }
}

/// What has become of the raw objects since a day was published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InputsChange {
    /// Objects that were not there.
    pub new: u64,
    /// Objects that had another size or `ETag`.
    pub changed: u64,
    /// Objects with rows that are not there any more: a rebuild would lose these.
    pub gone: u64,
    /// One that is new or has changed.
    pub example: Option<String>,
}

impl InputsChange {
    /// Holds what would be read against what was read; `is_gone` says of an object that is not there whether it was looked
    /// for.
    pub fn between<'a>(
        planned: impl Iterator<Item = &'a PlannedObject>,
        read: &[InputLine],
        is_gone: impl Fn(&InputLine) -> bool,
    ) -> Self {
        let mut read: BTreeMap<&str, &InputLine> =
            read.iter().map(|input| (input.object.as_str(), input)).collect();
        let mut change = Self::default();
        for object in planned {
            match read.remove(object.address.as_str()) {
                Some(input) if is_same(object, input) => continue,
                Some(_) => change.changed += 1,
                None => change.new += 1,
            }
            if change.example.as_ref().is_none_or(|example| *example > object.address) {
                change.example = Some(object.address.clone());
            }
        }
        // Without rows there is nothing to lose.
        let lost = read.into_values().filter(|input| input.ledger.written > 0 && is_gone(input));
        change.gone = lost.count() as u64;
        change
    }

    /// Whether the day lacks something.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.new + self.changed > 0
    }
}

/// Whether an object is what was read, as far as its listing tells.
pub(super) fn is_same(object: &PlannedObject, input: &InputLine) -> bool {
    // A folder knows no ETag, nor did early lists of inputs.
    let same_content = object.etag.is_none() || input.etag.is_none() || object.etag == input.etag;
    object.bytes == input.bytes && same_content && !input.unread
}

/// How a day of a table stands.
#[derive(Debug, Clone)]
pub struct DayStatus {
    /// The table and day.
    pub partition: Partition,
    /// In a word.
    pub state: DayState,
    /// Number of raw objects that a run would read now.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What was met beside them, without what is of another time.
    pub listed: ListedObjects,
    /// Whether logs from before the day were met.
    pub logs_before: bool,
    /// When they were listed.
    pub listed_at: UtcInstant,
    /// What has become of the raw objects since; nothing where the day was never published.
    pub change: InputsChange,
    /// The inputs from which the day was published, where they are called otherwise now.
    pub other_inputs: Option<Vec<String>>,
    /// The settings of the source under which the day was published otherwise than a run would publish it now.
    pub other_settings: Vec<&'static str>,
    /// Whether the day lacks nothing now, but may still do so.
    pub provisional: bool,
    /// The published day.
    pub manifest: Option<Manifest>,
    /// The newest run that has failed over the day as it is now, where that is remembered.
    pub failure: Option<RunRecord>,
    /// Why the catalog does not show the published day as far as the lake knows, where it should.
    pub not_registered: Option<String>,
}

impl DayStatus {
    /// Whether only what is known of earlier days tells if it is missing, or before the first log.
    #[must_use]
    pub fn may_be_before_logs(&self) -> bool {
        self.state == DayState::Missing && self.objects == 0
    }
}

/// The days of a table before which nothing is known: no raw object, and no published day.
///
/// Days are noted as they are looked at; what the lake has published is asked only when it matters.
pub struct FirstLogs<'a> {
    lake: &'a dyn Lake,
    table: String,
    /// The first day that was noted.
    noted: Option<KstDay>,
    /// Whether the lake was asked for its first published day.
    is_asked: bool,
    /// What it has answered.
    published: Option<KstDay>,
}

impl<'a> FirstLogs<'a> {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(lake: &'a dyn Lake, table: &str) -> Self {
        Self { lake, table: table.to_owned(), noted: None, is_asked: false, published: None }
    }

    /// Takes a day into account.
    pub fn note(&mut self, status: &DayStatus) {
        let day = status.partition.day;
        let has_logs = status.objects > 0 || status.manifest.as_ref().is_some_and(has_logs);
        let noted = has_logs.then_some(day).or_else(|| status.logs_before.then(|| day.previous()));
        self.noted = self.noted.into_iter().chain(noted).min();
    }

    /// Says of a missing day without raw objects that it is before all logs, where that is so by all that is known now.
    pub fn settle(&mut self, status: &mut DayStatus) -> Result<()> {
        if status.may_be_before_logs() && !self.lie_before(status.partition.day)? {
            status.state = DayState::NoLogs;
        }
        Ok(())
    }

    /// Whether a raw object of an earlier day, or an earlier published day, is known.
    pub fn lie_before(&mut self, day: KstDay) -> Result<bool> {
        if self.noted.is_some_and(|noted| noted < day) {
            return Ok(true);
        }
        if !self.is_asked {
            self.published = first_published(self.lake, &self.table)?;
            self.is_asked = true;
        }
        Ok(self.published.is_some_and(|published| published < day))
    }
}

/// Whether a published day has read a log: one that was published empty by mistake is not the beginning of any.
fn has_logs(manifest: &Manifest) -> bool {
    manifest.inputs_file.objects > 0
}

/// The first day of a table that is published with logs.
pub fn first_published(lake: &dyn Lake, table: &str) -> Result<Option<KstDay>> {
    let names = lake.names(table)?;
    let days = names.iter().filter_map(|name| name.strip_prefix("proc_ymd=")?.parse().ok());
    for day in days.collect::<BTreeSet<KstDay>>() {
        let partition = Partition { table: table.to_owned(), day };
        // A killed run can leave a folder without one.
        let manifest = lake.read(&format!("{partition}/{MANIFEST}"))?.map(Manifest::from_json);
        if manifest.is_some_and(|manifest| manifest.as_ref().map_or(true, has_logs)) {
            return Ok(Some(day));
        }
    }
    Ok(None)
}

/// Finds out how a day stands, given all that can feed it. `database` is the one of the catalog in which days are to be
/// registered; where there is none, that of the manifest counts.
pub fn day_status(
    lake: &dyn Lake,
    partition: Partition,
    about: &DayObjects<'_>,
    database: Option<&str>,
) -> Result<DayStatus> {
    let manifest = read_manifest(lake, &partition)?;
    let change = match &manifest {
        Some(manifest) => {
            let read = read_inputs(lake, &partition, manifest)?;
            let read = renamed(read, &manifest.inputs, &about.source.spec.inputs);
            let is_gone = |input: &InputLine| about.would_have(&input.object);
            InputsChange::between(about.objects.iter().copied(), &read, is_gone)
        }
        None => InputsChange::default(),
    };
    let remembered = RunHistory::list(lake, &partition)?;
    let failure = remembered.failure(manifest.as_ref())?;
    let not_registered = match &manifest {
        Some(manifest) => not_registered(&remembered, manifest, database)?,
        None => None,
    };
    let state = match &manifest {
        _ if failure.is_some() => DayState::Failed,
        None => DayState::Missing,
        Some(_) if change.is_stale() => DayState::Stale,
        Some(manifest) if manifest.ledger.written == 0 => DayState::Empty,
        Some(_) => DayState::Published,
    };
    let objects = about.objects.len() as u64;
    let bytes = about.objects.iter().map(|object| object.bytes).sum();
    let listed = ListedObjects::count(about.objects.len(), about.left.iter().cloned());
    let listed_at = about.listed_at;
    let other_inputs = manifest.as_ref().filter(|manifest| manifest.inputs != about.source.spec.inputs);
    let other_inputs = other_inputs.map(|manifest| manifest.inputs.clone());
    let other_settings =
        manifest.as_ref().map(|manifest| manifest.other_settings(&about.source.spec)).unwrap_or_default();
    let complete_at = manifest.as_ref().and_then(|manifest| UtcInstant::parse_iso8601(&manifest.complete_at));
    // What was provisional when it was published is not any more, once all late objects can have come and none has.
    let provisional = complete_at.is_some_and(|complete_at| listed_at < complete_at);
    Ok(DayStatus {
        partition,
        state,
        objects,
        bytes,
        listed,
        logs_before: about.logs_before,
        listed_at,
        change,
        other_inputs,
        other_settings,
        provisional,
        manifest,
        failure,
        not_registered,
    })
}

/// Why a published day is not registered as far as the lake knows; `None` where it is, or need not be.
fn not_registered(
    remembered: &RunHistory<'_>,
    manifest: &Manifest,
    database: Option<&str>,
) -> Result<Option<String>> {
    let Some(wanted) = database.or(manifest.database.as_deref()) else { return Ok(None) };
    if remembered.is_registered(&manifest.run, wanted) {
        return Ok(None);
    }
    let report = remembered.report(&manifest.run)?;
    let error = report.as_ref().and_then(|report| report.error.as_ref());
    // Earlier versions left no mark, but said how long the step took. A run that had no catalog to tell took none.
    let was_told = report.as_ref().is_some_and(|report| report.seconds.register.is_some());
    if was_told && error.is_none() && manifest.database.as_deref() == Some(wanted) {
        return Ok(None);
    }
    let no_mark = || format!("nothing shows that it was registered in database '{wanted}'");
    Ok(Some(error.map_or_else(no_mark, |error| error.message.clone())))
}

/// The newest run that has failed over a day as it is now.
pub fn last_failure(
    lake: &dyn Lake,
    partition: &Partition,
    manifest: Option<&Manifest>,
) -> Result<Option<RunRecord>> {
    RunHistory::list(lake, partition)?.failure(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::RowLedger;
    use crate::publish::inputs::tests::line;

    fn planned(address: &str, bytes: u64, etag: Option<&str>) -> PlannedObject {
        let (address, key, etag) = (address.to_owned(), address.to_owned(), etag.map(str::to_owned));
        PlannedObject { address, input: 0, key, bytes, etag, why: "".into(), events_until_ms: None, shard: 0 }
    }

    fn read(address: &str, bytes: u64, etag: Option<&str>) -> InputLine {
        let ledger = RowLedger { written: u64::from(address != "b"), ..RowLedger::default() };
        line(address, bytes, etag, ledger)
    }

    #[test]
    fn what_could_not_be_read_is_not_what_is_there_now() {
        let before = [InputLine { unread: true, ..read("a", 1, None) }];
        assert!(InputsChange::between([planned("a", 1, None)].iter(), &before, |_| true).is_stale());
    }

    #[test]
    fn inputs_that_are_called_otherwise_are_the_same() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (then, now, object, expected) in [
            (&["logs"][..], &["/data/logs/"][..], "logs/a/b", "/data/logs/a/b"),
            (&["s3://old/x/"], &["s3://new"], "s3://old/x/a", "s3://new/a"),
            (&["logs", "more"], &["logs"], "more/a", "more/a"),
            (&["logs", "more"], &["more", "logs"], "more/a", "more/a"),
            (&["logs", "logs2"], &["logs2", "/data/logs"], "logs2/a", "logs2/a"),
            (&["logs", "logs2"], &["logs2", "/data/logs"], "logs/a", "/data/logs/a"),
            (&["s3://b/web-"], &["s3://c/web-"], "s3://b/web-2023", "s3://c/web-2023"),
        ] {
            let found = renamed(vec![read(object, 1, None)], &names(then), &names(now));
            assert_eq!(found[0].object, expected);
        }
    }

    #[test]
    fn a_day_is_stale_when_objects_have_come_or_changed() {
        let before = [read("a", 1, Some("x")), read("b", 1, None), read("c", 1, None)];
        for (now, expected) in [
            (
                vec![planned("a", 1, Some("x")), planned("b", 1, Some("y")), planned("c", 1, None)],
                (0, 0, 0, None),
            ),
            (
                vec![planned("a", 1, Some("z")), planned("b", 1, None), planned("c", 1, None)],
                (0, 1, 0, Some("a")),
            ),
            (vec![planned("a", 1, None), planned("b", 2, None)], (0, 1, 0, Some("b"))),
            (
                vec![
                    planned("a", 1, None),
                    planned("b", 1, None),
                    planned("c", 1, None),
                    planned("e", 1, None),
                    planned("d", 1, None),
                ],
                (2, 0, 0, Some("d")),
            ),
            (vec![], (0, 0, 1, None)),
        ] {
            let change = InputsChange::between(now.iter(), &before, |input| input.object != "c");
            let found = (change.new, change.changed, change.gone, change.example.as_deref());
            assert_eq!(found, expected, "{now:?}");
            assert_eq!(change.is_stale(), expected.0 + expected.1 > 0);
        }
    }
}

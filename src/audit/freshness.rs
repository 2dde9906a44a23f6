//! Decides whether a published day still matches its raw logs, from listings, manifests and run records. It reads no log.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::digest::{LogName, Verdict};
use crate::error::Result;
use crate::kst::UtcInstant;
use crate::plan::{DayObjects, ListedObjects, PlannedObject, are_same_inputs};
use crate::publish::inputs::{InputLine, read_inputs, renamed};
use crate::publish::manifest::Manifest;
use crate::publish::read_manifest;
use crate::publish::run_history::RunHistory;
use crate::publish::run_record::RunRecord;
use crate::store::Lake;
use crate::store::lake::Partition;

/// The state of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DayState {
    /// Published, complete, and proved by digests.
    Proved,
    /// Published and complete: no new or changed objects.
    Published,
    /// Published without rows.
    Empty,
    /// Never published, and before the first known log of the table: nothing is missing.
    NoLogs,
    /// Never published.
    Missing,
    /// Published, but objects have arrived or changed since.
    Stale,
    /// The last run of the day failed.
    Failed,
}

impl DayState {
    /// Every state, in display order.
    pub const ALL: [Self; 7] =
        [Self::Proved, Self::Published, Self::Empty, Self::NoLogs, Self::Missing, Self::Stale, Self::Failed];

    /// Returns the name to display.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Published => "published",
            Self::Empty => "empty",
            Self::NoLogs => "no logs",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Failed => "failed",
        }
    }

    /// Whether a run would or could change the published day.
    #[must_use]
    pub fn is_behind(self) -> bool {
        matches!(self, Self::Missing | Self::Stale | Self::Failed)
    }
}

/// How the raw objects have changed since a day was published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InputsChange {
    /// Objects that did not exist then.
    pub new: u64,
    /// Objects whose size or `ETag` has changed.
    pub changed: u64,
    /// Deleted objects that gave rows. A rebuild would lose these rows.
    pub gone: u64,
    /// Files that digests name and that were not read, though the listing does not show them as new.
    #[serde(skip_serializing_if = "is_zero")]
    pub named: u64,
    /// One of the new or changed objects.
    pub example: Option<String>,
}

impl InputsChange {
    /// Compares the objects that a run would read now with those that were read. `is_gone` decides whether a missing object
    /// would have been listed, and so was deleted.
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
        // A deleted object without rows loses nothing.
        let lost = read.into_values().filter(|input| input.ledger.written > 0 && is_gone(input));
        change.gone = lost.count() as u64;
        change
    }

    /// Whether new or changed objects make the day stale.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.new + self.changed + self.named > 0
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Whether an object is still the one that was read, as far as the listing shows.
pub(super) fn is_same(object: &PlannedObject, input: &InputLine) -> bool {
    input.has_content(object.bytes, object.etag.as_deref()) && !input.unread
}

/// The status of a day of a table.
#[derive(Debug, Clone)]
pub struct DayStatus {
    /// The table and day.
    pub partition: Partition,
    /// Its state.
    pub state: DayState,
    /// Number of raw objects that a run would read now.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The counts of everything that the listing found, except objects of other times.
    pub listed: ListedObjects,
    /// Whether the listing found logs from before the day.
    pub logs_before: bool,
    /// When the inputs were listed.
    pub listed_at: UtcInstant,
    /// How the raw objects have changed since; no changes if the day was never published.
    pub change: InputsChange,
    /// The inputs that the day was published from, if their names differ now.
    pub other_inputs: Option<Vec<String>>,
    /// The settings that differ from those of the published day and affect its rows.
    pub other_settings: Vec<&'static str>,
    /// Whether late objects can still arrive, so that the day may become stale.
    pub provisional: bool,
    /// The manifest of the published day.
    pub manifest: Option<Manifest>,
    /// The newest recorded run that failed while the day was in its current state.
    pub failure: Option<RunRecord>,
    /// Why the catalog does not show the published day, as far as the lake knows; `None` if it does or need not.
    pub not_registered: Option<String>,
}

impl DayStatus {
    /// Whether the day has no raw object and was never published: it may be before the first log, after the last one, or
    /// missing. Only knowledge of other days can decide.
    #[must_use]
    pub fn has_no_logs(&self) -> bool {
        matches!(self.state, DayState::Missing | DayState::NoLogs) && self.objects == 0
    }
}

/// Determines the status of a day, given everything that can feed it. `database` is the catalog database in which days
/// should be registered. Without it, the database in the manifest counts.
pub fn day_status(
    lake: &dyn Lake,
    partition: Partition,
    about: &DayObjects<'_>,
    database: Option<&str>,
) -> Result<DayStatus> {
    let spec = &about.source.spec;
    let manifest = read_manifest(lake, &partition)?;
    let change = match &manifest {
        Some(manifest) => inputs_change(lake, &partition, manifest, about)?,
        None => InputsChange::default(),
    };
    let history = RunHistory::list(lake, &partition)?;
    let failure = history.failure(manifest.as_ref())?;
    let not_registered = match &manifest {
        Some(manifest) => not_registered(&history, manifest, database)?,
        None => None,
    };
    let state = match &manifest {
        _ if failure.is_some() => DayState::Failed,
        None => DayState::Missing,
        Some(_) if change.is_stale() => DayState::Stale,
        Some(manifest) if manifest.ledger.written == 0 => DayState::Empty,
        Some(manifest) if manifest.proof.as_ref().is_some_and(|proof| proof.verdict == Verdict::Proved) => {
            DayState::Proved
        }
        Some(_) => DayState::Published,
    };
    let other_inputs = manifest.as_ref().filter(|manifest| !are_same_inputs(&manifest.inputs, &spec.inputs));
    let other_settings = manifest.as_ref().map(|manifest| manifest.other_settings(spec));
    let complete_at = manifest.as_ref().and_then(|manifest| UtcInstant::parse_iso8601(&manifest.complete_at));
    // A provisional day becomes final once no late object can arrive any more and none has arrived.
    let provisional = complete_at.is_some_and(|complete_at| about.listed_at < complete_at);
    Ok(DayStatus {
        partition,
        state,
        objects: about.objects.len() as u64,
        bytes: about.objects.iter().map(|object| object.bytes).sum(),
        listed: ListedObjects::count(about.objects.len(), about.left.iter().cloned()),
        logs_before: about.logs_before,
        listed_at: about.listed_at,
        change,
        other_inputs: other_inputs.map(|manifest| manifest.inputs.clone()),
        other_settings: other_settings.unwrap_or_default(),
        provisional,
        manifest,
        failure,
        not_registered,
    })
}

/// Compares the objects that a published day read with those that exist now.
fn inputs_change(
    lake: &dyn Lake,
    partition: &Partition,
    manifest: &Manifest,
    about: &DayObjects<'_>,
) -> Result<InputsChange> {
    let read = read_inputs(lake, partition, manifest)?;
    let read = renamed(read, &manifest.inputs, &about.source.spec.inputs);
    let named = late_files(about, manifest, &read)?;
    let is_gone =
        |input: &InputLine| about.would_include(&input.object) || named.gone.contains(input.object.as_str());
    let planned = about.objects.iter().copied().chain(&named.there);
    let mut change = InputsChange::between(planned, &read, is_gone);
    if let Some(unread) = named_unread(about, manifest, &read)? {
        change.named = unread.files;
        change.example = change.example.or(unread.example);
    }
    Ok(change)
}

/// Files that a published day has read only because digests name them.
#[derive(Default)]
struct LateFiles<'a> {
    there: Vec<PlannedObject>,
    gone: BTreeSet<&'a str>,
}

/// Looks for the late files that a published day has read. They were delivered after the window of its proof, so no listing
/// chooses them.
fn late_files<'a>(
    about: &DayObjects<'_>,
    manifest: &Manifest,
    read: &'a [InputLine],
) -> Result<LateFiles<'a>> {
    let Some(proof) = &manifest.proof else { return Ok(LateFiles::default()) };
    let chosen: BTreeSet<&str> = about.objects.iter().map(|object| object.address.as_str()).collect();
    let is_late = |object: &&str| {
        !chosen.contains(object)
            && LogName::parse(object).is_some_and(|log| !proof.window.contains(log.delivered_at))
    };
    let late: Vec<&str> = read.iter().map(|input| input.object.as_str()).filter(is_late).collect();
    if late.is_empty() {
        return Ok(LateFiles::default());
    }
    let there = about.digests.late_files(&late)?;
    let found: BTreeSet<&str> = there.iter().map(|object| object.address.as_str()).collect();
    let gone = late.into_iter().filter(|object| !found.contains(object)).collect();
    Ok(LateFiles { there, gone })
}

/// Files that digests name and that a published day has not read.
struct NamedUnread {
    files: u64,
    example: Option<String>,
}

/// Looks for files that digests name, that exist, and that the listing does not show as new. Reads the digests only if their
/// list has changed since the day was published.
fn named_unread(
    about: &DayObjects<'_>,
    manifest: &Manifest,
    read: &[InputLine],
) -> Result<Option<NamedUnread>> {
    let known = manifest.proof.as_ref().map(|proof| &proof.digests);
    match about.digests.list()? {
        None => return Ok(None),
        // A missing file can be there now.
        Some(now) if known == Some(&now) && !misses_files(manifest) => return Ok(None),
        Some(_) => {}
    }
    let Some(proved) = about.digests.look(&about.objects)? else { return Ok(None) };
    let read: BTreeSet<&str> = read.iter().map(|input| input.object.as_str()).collect();
    let late = || proved.late.iter().filter(|object| !read.contains(object.address.as_str()));
    let example = late().map(|object| object.address.clone()).min();
    Ok(Some(NamedUnread { files: late().count() as u64, example }))
}

/// Whether digests named files that the run of the day could not read.
fn misses_files(manifest: &Manifest) -> bool {
    manifest.proof.as_ref().is_some_and(|proof| proof.files.missing > 0)
}

/// Returns why a published day is not registered, as far as the lake knows; `None` if it is registered or need not be.
fn not_registered(
    history: &RunHistory<'_>,
    manifest: &Manifest,
    database: Option<&str>,
) -> Result<Option<String>> {
    let Some(wanted) = database.or(manifest.database.as_deref()) else { return Ok(None) };
    if history.is_registered(&manifest.run, wanted) {
        return Ok(None);
    }
    let record = history.record(&manifest.run)?;
    let error = record.as_ref().and_then(|record| record.error.as_ref());
    // Earlier versions left no mark, but recorded the duration of the step. A run without a catalog recorded none.
    let was_registered = record.as_ref().is_some_and(|record| record.seconds.register.is_some());
    if was_registered && error.is_none() && manifest.database.as_deref() == Some(wanted) {
        return Ok(None);
    }
    let no_mark = || format!("no record of its registration in database '{wanted}'");
    Ok(Some(error.map_or_else(no_mark, |error| error.message.clone())))
}

/// Returns the newest run that failed while the day was in its current state.
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
        PlannedObject {
            address,
            input: 0,
            key,
            bytes,
            etag,
            why: "".into(),
            events_until_ms: None,
            shard: 0,
            named: false,
        }
    }

    fn read(address: &str, bytes: u64, etag: Option<&str>) -> InputLine {
        let ledger = RowLedger { written: u64::from(address != "b"), ..RowLedger::default() };
        line(address, bytes, etag, ledger)
    }

    #[test]
    fn an_object_that_was_not_read_to_its_end_makes_the_day_stale() {
        let before = [InputLine { unread: true, ..read("a", 1, None) }];
        assert!(InputsChange::between([planned("a", 1, None)].iter(), &before, |_| true).is_stale());
    }

    #[test]
    fn renamed_inputs_are_treated_as_the_same() {
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
    fn a_day_is_stale_if_objects_have_arrived_or_changed() {
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

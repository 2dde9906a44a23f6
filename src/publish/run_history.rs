//! The history of a day as one listing shows it: run records and registration marks.
//!
//! Runs are ordered by the time at which the lake received their records. The names of runs and the times in run records
//! come from the clocks of many machines, and one clock that is ahead must not outrank all later runs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::manifest::Manifest;
use super::run_record::{
    FoundDay, KEPT_RUNS, RunOutcome, RunRecord, inputs_copy_name, inputs_copy_path, mark_name, record_name,
    record_path, run_of,
};
use crate::error::Result;
use crate::kst::UtcInstant;
use crate::store::Lake;
use crate::store::lake::{LakeEntry, Partition, is_run_name};

/// The history files of a day, as one listing found them.
pub struct RunHistory<'a> {
    lake: &'a dyn Lake,
    partition: &'a Partition,
    files: Vec<LakeEntry>,
}

impl<'a> RunHistory<'a> {
    /// Lists the history files without reading any.
    pub fn list(lake: &'a dyn Lake, partition: &'a Partition) -> Result<Self> {
        Ok(Self { lake, partition, files: lake.entries(&partition.history())? })
    }

    /// Whether a mark shows that a run is registered in a database of the catalog.
    #[must_use]
    pub fn is_registered(&self, run: &str, database: &str) -> bool {
        self.has(&mark_name(run, database))
    }

    /// When the lake received the mark that a run is registered in a database of the catalog; `None` without a mark.
    #[must_use]
    pub fn registered_at(&self, run: &str, database: &str) -> Option<UtcInstant> {
        self.written_at(&mark_name(run, database))
    }

    /// Whether the history is full, so that older runs may have been removed from it.
    #[must_use]
    pub fn may_have_forgotten(&self) -> bool {
        let runs: BTreeSet<&str> = self.files.iter().filter_map(|file| run_of(&file.name)).collect();
        runs.len() >= KEPT_RUNS
    }

    /// Reads the run record of a run; `None` if it does not exist or this version cannot read it.
    pub fn record(&self, run: &str) -> Result<Option<RunRecord>> {
        if self.has(&record_name(run)) { self.read(run) } else { Ok(None) }
    }

    /// Reads all readable run records, newest first.
    pub fn records(&self) -> Result<Vec<RunRecord>> {
        let mut records = Vec::new();
        for (written_at, run) in self.runs() {
            records.extend(self.read(run)?.map(|record| (written_at, record)));
        }
        records
            .sort_by_key(|(written_at, record)| Reverse((*written_at, record.ended(), record.run.clone())));
        Ok(records.into_iter().map(|(_, record)| record).collect())
    }

    /// Reads the newest readable run record.
    pub fn last(&self) -> Result<Option<RunRecord>> {
        self.newest(|_| true, |_, _| true)
    }

    /// Returns the newest run that failed while the day was in its current state; `live` is the manifest of that state.
    /// Every commit replaces the manifest, so a failure of a run that found another manifest no longer counts, whatever the
    /// clocks show.
    pub fn failure(&self, live: Option<&Manifest>) -> Result<Option<RunRecord>> {
        let is_live = |run: &str| live.is_some_and(|live| live.run == run);
        // Only a published run leaves a list of inputs, so its record need not be read.
        let may_have_failed = |run: &str| !is_live(run) && !self.has(&inputs_copy_name(run));
        self.newest(may_have_failed, |record, written_at| {
            record.outcome == RunOutcome::Failed && self.counts(record, written_at, live)
        })
    }

    /// Returns the newest accepted run record among the runs whose names are wanted.
    fn newest(
        &self,
        is_wanted: impl Fn(&str) -> bool,
        accepts: impl Fn(&RunRecord, UtcInstant) -> bool,
    ) -> Result<Option<RunRecord>> {
        for moment in self.runs().chunk_by(|(one, _), (other, _)| one == other) {
            let mut accepted = Vec::new();
            for (written_at, run) in moment.iter().filter(|(_, run)| is_wanted(run)) {
                accepted.extend(self.read(run)?.filter(|record| accepts(record, *written_at)));
            }
            // S3 records whole seconds only. Within one second, the machines' clocks decide.
            let newest = accepted.into_iter().max_by_key(|record| (record.ended(), record.run.clone()));
            if newest.is_some() {
                return Ok(newest);
            }
        }
        Ok(None)
    }

    /// Whether a failure still applies to the current state of the day.
    fn counts(&self, record: &RunRecord, written_at: UtcInstant, live: Option<&Manifest>) -> bool {
        match &record.found {
            Some(found) => found.run.as_ref() == live.map(|live| &live.run),
            None => self.still_counts(record, written_at, live),
        }
    }

    /// The same check for a run record without `found`, as earlier versions wrote it. It counts if the lake received it after
    /// the record of the live run, and if by its own time its run ended after the day was published.
    fn still_counts(&self, record: &RunRecord, written_at: UtcInstant, live: Option<&Manifest>) -> bool {
        let Some(live) = live else { return true };
        let published_at = UtcInstant::parse_iso8601(&live.published_at);
        let recorded_at = self.written_at(&record_name(&live.run));
        published_at.is_none_or(|published_at| record.ended() > published_at)
            && recorded_at.is_none_or(|recorded_at| recorded_at <= written_at)
    }

    /// Returns the run and name of every file that does not belong to the `kept` newest runs. `newest` is always one of
    /// these, whatever the times show.
    fn older_than_the_newest(&self, kept: usize, newest: &str) -> Vec<(&str, &str)> {
        let mut last_written: BTreeMap<&str, UtcInstant> = BTreeMap::new();
        let files = || self.files.iter().filter_map(|file| Some((run_of(&file.name)?, file)));
        for (run, file) in files().filter(|(run, _)| *run != newest) {
            let written_at = last_written.entry(run).or_insert(file.written_at);
            *written_at = file.written_at.max(*written_at);
        }
        let mut others: Vec<(UtcInstant, &str)> =
            last_written.into_iter().map(|(run, at)| (at, run)).collect();
        others.sort_unstable_by_key(|other| Reverse(*other));
        let old: Vec<&str> = others.into_iter().skip(kept - 1).map(|(_, run)| run).collect();
        files().filter(|(run, _)| old.contains(run)).map(|(run, file)| (run, file.name.as_str())).collect()
    }

    /// Returns the runs that have a record, with the time at which the lake received it, newest first. Names decide only
    /// between records with the same time.
    fn runs(&self) -> Vec<(UtcInstant, &str)> {
        let records = self.files.iter().filter_map(|file| {
            let run = file.name.strip_suffix(".json").filter(|run| is_run_name(run))?;
            Some((file.written_at, run))
        });
        let mut runs: Vec<(UtcInstant, &str)> = records.collect();
        runs.sort_unstable_by_key(|run| Reverse(*run));
        runs
    }

    fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name == name)
    }

    fn written_at(&self, name: &str) -> Option<UtcInstant> {
        self.files.iter().find(|file| file.name == name).map(|file| file.written_at)
    }

    fn read(&self, run: &str) -> Result<Option<RunRecord>> {
        Ok(self.lake.read(&record_path(self.partition, run))?.and_then(RunRecord::from_json))
    }
}

/// Begins the grace of the runs that a published run replaced when the catalog was switched to it, which can be hours after
/// its commit. Without a mark, that may just have happened, unless `shows_another` is known of the catalog.
pub(super) fn superseding_since_shown(
    lake: &dyn Lake,
    live: Manifest,
    shows_another: bool,
    now: UtcInstant,
) -> Result<Manifest> {
    let Some(database) = live.database.as_ref().filter(|_| !live.superseded.is_empty()) else {
        return Ok(live);
    };
    let shown_at = RunHistory::list(lake, &live.partition())?.registered_at(&live.run, database);
    Ok(match shown_at {
        None if shows_another => live,
        shown_at => live.superseding_since(shown_at.unwrap_or(now)),
    })
}

/// Writes a run record to the lake and removes the oldest ones of the day. For a published day, it also stores a copy of
/// the list of inputs.
pub fn write(lake: &dyn Lake, record: &RunRecord) -> Result<()> {
    let partition = record.partition();
    let mut record = record.clone();
    if record.outcome == RunOutcome::Failed && record.found.is_none() {
        // The run failed before it locked the day. An unreadable manifest must not prevent the run record.
        let found = super::read_manifest(lake, &partition).ok();
        record.found = found.map(|found| FoundDay { run: found.map(|manifest| manifest.run) });
    }
    if let Some(manifest) = &record.manifest {
        let list = lake.read_up_to(&manifest.inputs_file.place(&partition), manifest.inputs_file.bytes)?;
        // A run that followed right after this one may have removed it.
        if let Some(list) = list {
            lake.write(&inputs_copy_path(&partition, &record.run), &list)?;
        }
    }
    lake.write(&record_path(&partition, &record.run), &record.to_json()?)?;
    forget(lake, &partition, &record.run)
}

/// Removes the files of all but the newest runs. It keeps `newest` whatever the clocks show, and the live run however many
/// runs have failed since.
fn forget(lake: &dyn Lake, partition: &Partition, newest: &str) -> Result<()> {
    let history = RunHistory::list(lake, partition)?;
    let old = history.older_than_the_newest(KEPT_RUNS, newest);
    if old.is_empty() {
        return Ok(());
    }
    let live = super::read_manifest(lake, partition)?.map(|manifest| manifest.run);
    for (_, name) in old.into_iter().filter(|(run, _)| live.as_deref() != Some(*run)) {
        lake.remove(&format!("{}/{name}", partition.history()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use super::super::run_record::{RECORD_VERSION, RegistrationMark, StepSeconds, inputs, mark_registered};
    use super::*;
    use crate::publish::SupersededRun;
    use crate::publish::manifest::tests::{manifest, manifest_of};
    use crate::store::LocalLake;

    fn run(number: usize) -> String {
        format!("20231102T0000{number:02}Z-0000000a")
    }

    fn record(number: usize) -> RunRecord {
        let partition = Partition { table: "s3_access".to_owned(), day: "2023-11-01".parse().unwrap() };
        RunRecord::begun(
            &partition,
            "s3-access",
            &run(number),
            UtcInstant(1000 * i64::try_from(number).unwrap()),
        )
    }

    fn lake(root: &Path) -> LocalLake {
        LocalLake::open(&root.to_string_lossy()).unwrap()
    }

    #[test]
    fn the_newest_runs_of_a_day_and_unrelated_files_are_kept() {
        let root = tempfile::tempdir().unwrap();
        let lake = lake(root.path());
        let partition = record(0).partition();
        let folder = root.path().join(partition.history());
        fs::create_dir_all(&folder).unwrap();
        for name in ["notes.txt", "README", &format!("{}.json.new", run(0))] {
            fs::write(folder.join(name), "x").unwrap();
        }
        for number in 1..=KEPT_RUNS + 2 {
            write(&lake, &record(number)).unwrap();
        }
        let runs: Vec<String> = RunHistory::list(&lake, &partition)
            .unwrap()
            .records()
            .unwrap()
            .into_iter()
            .map(|record| record.run)
            .collect();
        let expected: Vec<String> = (3..=KEPT_RUNS + 2).rev().map(run).collect();
        assert_eq!(runs, expected);
        assert_eq!(RunHistory::list(&lake, &partition).unwrap().last().unwrap().unwrap().run, expected[0]);
        let left = fs::read_dir(&folder).unwrap().count();
        assert_eq!(
            left,
            KEPT_RUNS + 2,
            "the unfinished file was removed with its run, unrelated files were kept"
        );
        write(&lake, &record(0)).unwrap();
        assert!(folder.join(run(0) + ".json").exists(), "a new run record is kept, whatever its name");
    }

    #[test]
    fn the_newest_runs_are_those_whose_records_arrived_last_whatever_their_names() {
        let root = tempfile::tempdir().unwrap();
        let lake = lake(root.path());
        let partition = record(0).partition();
        // A clock that was ahead named the earlier runs.
        let order = (50..50 + KEPT_RUNS).chain(0..4);
        for (seconds, number) in (0..).zip(order) {
            write(&lake, &record(number)).unwrap();
            let file = root.path().join(record_path(&partition, &run(number)));
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds);
            fs::File::options().append(true).open(file).unwrap().set_modified(at).unwrap();
        }
        let expected: Vec<String> = (54..60).chain(0..4).rev().map(run).collect();
        let history = RunHistory::list(&lake, &partition).unwrap();
        let runs: Vec<String> = history.records().unwrap().into_iter().map(|record| record.run).collect();
        assert_eq!(runs, expected);
        assert_eq!(history.last().unwrap().unwrap().run, run(3));
    }

    #[test]
    fn marks_are_removed_with_their_runs_except_that_of_the_live_run() {
        let root = tempfile::tempdir().unwrap();
        let lake = lake(root.path());
        let partition = record(0).partition();
        let mark = |number: usize| RegistrationMark {
            version: RECORD_VERSION,
            run: run(number),
            table: partition.table.clone(),
            day: partition.day,
            database: "logs".to_owned(),
            location: "s3://lake/s3_access/".to_owned(),
            registered_at: String::new(),
        };
        let live = manifest_of(&run(1));
        fs::create_dir_all(root.path().join(format!("{partition}/{}", live.run))).unwrap();
        lake.write(&partition.manifest(), &serde_json::to_vec(&live).unwrap()).unwrap();
        for number in 1..=KEPT_RUNS + 3 {
            mark_registered(&lake, &mark(number)).unwrap();
            write(&lake, &record(number)).unwrap();
        }
        let history = RunHistory::list(&lake, &partition).unwrap();
        let marked: Vec<usize> =
            (1..=KEPT_RUNS + 3).filter(|number| history.is_registered(&run(*number), "logs")).collect();
        let recorded: Vec<usize> =
            (1..=KEPT_RUNS + 3).filter(|number| history.record(&run(*number)).unwrap().is_some()).collect();
        assert_eq!((&marked, marked.len(), marked[0]), (&recorded, KEPT_RUNS + 1, 1));
        assert!(!history.is_registered(&run(1), "other"));
        assert_eq!(history.records().unwrap().len(), KEPT_RUNS + 1, "a mark is not a run record");
    }

    #[test]
    fn grace_begins_with_the_mark_of_the_live_run_or_now_if_the_catalog_may_have_been_switched() {
        let root = tempfile::tempdir().unwrap();
        let lake = lake(root.path());
        let at = |seconds: i64| UtcInstant(1_700_000_000_000 + 1000 * seconds);
        let superseded = vec![SupersededRun { run: run(1), since: at(0).to_string() }];
        let live = Manifest { database: Some("logs".to_owned()), superseded, ..manifest_of(&run(2)) };
        let since = |live: &Manifest, shows_another| {
            let counted = superseding_since_shown(&lake, live.clone(), shows_another, at(50)).unwrap();
            counted.superseded[0].since.clone()
        };
        let unregistered = Manifest { database: None, ..live.clone() };
        assert_eq!(since(&unregistered, false), at(0).to_string());
        assert_eq!(
            [true, false].map(|another| since(&live, another)),
            [at(0), at(50)].map(|at| at.to_string())
        );
        lake.write(&format!("{}/{}", live.partition().history(), mark_name(&run(2), "logs")), b"{}").unwrap();
        let mark = root.path().join(live.partition().history()).join(mark_name(&run(2), "logs"));
        let marked_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_020);
        fs::File::options().append(true).open(mark).unwrap().set_modified(marked_at).unwrap();
        assert_eq!(
            [true, false].map(|another| since(&live, another)),
            [at(20), at(20)].map(|at| at.to_string())
        );
    }

    #[test]
    fn a_run_record_is_read_as_written_and_an_unreadable_one_is_skipped() {
        let root = tempfile::tempdir().unwrap();
        let lake = lake(root.path());
        let written = RunRecord {
            outcome: RunOutcome::Published,
            seconds: StepSeconds { plan: Some(0.25), ..StepSeconds::default() },
            manifest: Some(manifest()),
            ..record(1)
        };
        let partition = written.partition();
        write(&lake, &written).unwrap();
        assert_eq!(RunHistory::list(&lake, &partition).unwrap().last().unwrap(), Some(written.clone()));
        let mut value = serde_json::to_value(&written).unwrap();
        value["invented_later"] = 1.into();
        lake.write(&record_path(&partition, &run(2)), value.to_string().as_bytes()).unwrap();
        value["version"] = 2.into();
        lake.write(&record_path(&partition, &run(3)), value.to_string().as_bytes()).unwrap();
        lake.write(&record_path(&partition, &run(4)), b"{").unwrap();
        let records = RunHistory::list(&lake, &partition).unwrap().records().unwrap();
        assert_eq!(records, [written.clone(), written]);
        assert_eq!(inputs(&lake, &partition, &manifest()).unwrap(), None, "its list no longer exists");
    }
}

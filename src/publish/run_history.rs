//! The history of a day as one listing shows it: run records and registration marks.
//!
//! Runs are ordered by the time at which the lake received their records. The names of runs and the times in run records
//! come from the clocks of many machines, and one clock that is ahead must not outrank all later runs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::manifest::Manifest;
use super::run_record::{
    KEPT_RUNS, RunOutcome, RunRecord, inputs_name, mark_name, record_name, record_path, run_of,
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
        let may_have_failed = |run: &str| !is_live(run) && !self.has(&inputs_name(run));
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
    pub(super) fn older_than_the_newest(&self, kept: usize, newest: &str) -> Vec<(&str, &str)> {
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

//! What a lake remembers of a day, seen through one listing: reports of runs, and marks of what a catalog was told.
//!
//! The order of runs is that in which the lake received their reports. The names of runs and the times in reports come from
//! the clocks of the machines that ran; one clock that is ahead must not decide for all later runs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::manifest::Manifest;
use super::run_record::{
    KEPT_RUNS, RunOutcome, RunRecord, inputs_name, mark_name, report_name, report_path, run_of,
};
use crate::error::Result;
use crate::kst::UtcInstant;
use crate::store::Lake;
use crate::store::lake::{LakeEntry, Partition, is_run_name};

/// The files that are remembered of a day, as one listing has found them.
pub struct RunHistory<'a> {
    lake: &'a dyn Lake,
    partition: &'a Partition,
    files: Vec<LakeEntry>,
}

impl<'a> RunHistory<'a> {
    /// Lists what is remembered; reads no report.
    pub fn list(lake: &'a dyn Lake, partition: &'a Partition) -> Result<Self> {
        Ok(Self { lake, partition, files: lake.entries(&partition.history())? })
    }

    /// Whether a mark says that a database of the catalog shows a run as the day.
    #[must_use]
    pub fn is_registered(&self, run: &str, database: &str) -> bool {
        self.has(&mark_name(run, database))
    }

    /// Whether so many runs are remembered that there may have been others before.
    #[must_use]
    pub fn may_have_forgotten(&self) -> bool {
        let runs: BTreeSet<&str> = self.files.iter().filter_map(|file| run_of(&file.name)).collect();
        runs.len() >= KEPT_RUNS
    }

    /// The report of a run; `None` where there is none that this version can read.
    pub fn report(&self, run: &str) -> Result<Option<RunRecord>> {
        if self.has(&report_name(run)) { self.read(run) } else { Ok(None) }
    }

    /// The reports that can be read, the newest first.
    pub fn reports(&self) -> Result<Vec<RunRecord>> {
        let mut reports = Vec::new();
        for (written_at, run) in self.runs() {
            reports.extend(self.read(run)?.map(|report| (written_at, report)));
        }
        reports
            .sort_by_key(|(written_at, report)| Reverse((*written_at, report.ended(), report.run.clone())));
        Ok(reports.into_iter().map(|(_, report)| report).collect())
    }

    /// The newest report that can be read.
    pub fn last(&self) -> Result<Option<RunRecord>> {
        self.newest(|_| true, |_, _| true)
    }

    /// The newest run that has failed while the day was what it is now: `live` is its manifest. Every commit replaces the
    /// manifest, so that the failure of a run that has found another one is over, whatever the clocks say.
    pub fn failure(&self, live: Option<&Manifest>) -> Result<Option<RunRecord>> {
        let is_live = |run: &str| live.is_some_and(|live| live.run == run);
        // Only a run that has published leaves a list of inputs: its report need not be read.
        let may_have_failed = |run: &str| !is_live(run) && !self.has(&inputs_name(run));
        self.newest(may_have_failed, |report, written_at| {
            report.outcome == RunOutcome::Failed && self.counts(report, written_at, live)
        })
    }

    /// The newest report that is accepted, of the runs that are wanted by their names.
    fn newest(
        &self,
        is_wanted: impl Fn(&str) -> bool,
        accepts: impl Fn(&RunRecord, UtcInstant) -> bool,
    ) -> Result<Option<RunRecord>> {
        for moment in self.runs().chunk_by(|(one, _), (other, _)| one == other) {
            let mut accepted = Vec::new();
            for (written_at, run) in moment.iter().filter(|(_, run)| is_wanted(run)) {
                accepted.extend(self.read(run)?.filter(|report| accepts(report, *written_at)));
            }
            // S3 knows seconds only; within one, the machines' clocks are all there is.
            let newest = accepted.into_iter().max_by_key(|report| (report.ended(), report.run.clone()));
            if newest.is_some() {
                return Ok(newest);
            }
        }
        Ok(None)
    }

    /// Whether a failure still says something about the day as it is.
    fn counts(&self, report: &RunRecord, written_at: UtcInstant, live: Option<&Manifest>) -> bool {
        match &report.found {
            Some(found) => found.run.as_ref() == live.map(|live| &live.run),
            None => self.still_counts(report, written_at, live),
        }
    }

    /// The same of a report that does not say what its run has found, as those of earlier versions: it counts if it was written
    /// after the report of the run that is the day, and if by its own time the run ended after the day was published.
    fn still_counts(&self, report: &RunRecord, written_at: UtcInstant, live: Option<&Manifest>) -> bool {
        let Some(live) = live else { return true };
        let published_at = UtcInstant::parse_iso8601(&live.published_at);
        let reported_at = self.written_at(&report_name(&live.run));
        published_at.is_none_or(|published_at| report.ended() > published_at)
            && reported_at.is_none_or(|reported_at| reported_at <= written_at)
    }

    /// Run and name of each file of all runs but the `kept` newest; `newest` is one of these whatever the times say.
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

    /// The runs with a report and when the lake received it, the newest first; names decide only between reports of one
    /// moment.
    fn runs(&self) -> Vec<(UtcInstant, &str)> {
        let reports = self.files.iter().filter_map(|file| {
            let run = file.name.strip_suffix(".json").filter(|run| is_run_name(run))?;
            Some((file.written_at, run))
        });
        let mut runs: Vec<(UtcInstant, &str)> = reports.collect();
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
        Ok(self.lake.read(&report_path(self.partition, run))?.and_then(RunRecord::from_json))
    }
}

//! What is said and known of the work on each table of a day: an event for each step, and a report that goes to the lake at
//! the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::json;

use super::day::cause_of;
use super::{About, DayRoad, Field, Registration, RegistrationWarning};
use crate::convert::CountedOnly;
use crate::error::{Error, ErrorKind};
use crate::kst::{KstDay, UtcInstant};
use crate::ledger::RowLedger;
use crate::plan::{TablePlan, TableSource};
use crate::publish::run_record::{self, FoundDay, RunError, RunOutcome, RunRecord, StepSeconds};
use crate::publish::{Manifest, StagedDay};
use crate::store::lake::Partition;

/// The reports of a run, by table and day.
#[derive(Clone, Default)]
pub(super) struct RunRecords(Arc<Mutex<BTreeMap<(String, KstDay), RunRecord>>>);

impl RunRecords {
    /// What is known of each table and day.
    pub(super) fn all(&self) -> Vec<RunRecord> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, KstDay), RunRecord>> {
        self.0.lock().expect("whoever panics takes the process with it")
    }
}

/// Where the time of a step is kept.
type Step = fn(&mut StepSeconds) -> &mut Option<f64>;

/// The steps of a table, in their order; what each event says is in `docs/observability.md`.
impl DayRoad<'_> {
    /// The work on a table begins.
    pub(super) fn open_report(&self, partition: &Partition, dataset: &str) {
        let report = RunRecord::begun(partition, dataset, &self.road.run, self.road.now());
        self.road.reports.lock().insert((partition.table.clone(), self.day), report);
    }

    /// A day that is published already is only to be registered.
    pub(super) fn open_registering(&self, manifest: &Manifest) {
        self.open_report(&manifest.partition(), &manifest.dataset);
        self.note(&manifest.table, |report| report.outcome = RunOutcome::Published);
    }

    /// The day is taken, and stays as it was found until this run commits. A manifest that cannot be read is not noted: it
    /// fails the run later.
    pub(super) fn note_found(&self, table: &str, staged: &StagedDay<'_>) {
        let found = staged.replaced().ok().map(|found| FoundDay { run: found.map(|manifest| manifest.run) });
        self.note(table, |report| report.found = found);
    }

    /// What is to be read is known.
    pub(super) fn note_plan(&self, plan: &TablePlan) {
        self.note(&plan.spec.table, |report| {
            report.planned_at = Some(self.planned_at.to_string());
            report.objects = plan.objects.len() as u64;
            report.input_bytes = plan.bytes();
        });
    }

    /// The rows of the day are counted.
    pub(super) fn note_rows(&self, table: &str, ledger: RowLedger, counted_only: Vec<CountedOnly>) {
        self.note(table, |report| {
            report.ledger = ledger;
            report.counted_only = counted_only;
        });
    }

    /// The rejected rows are in the lake, at this address.
    pub(super) fn note_quarantine(&self, table: &str, quarantine: Option<String>) {
        self.note(table, |report| report.quarantine = quarantine);
    }

    /// `seconds` is how long listing took, where it was for this day alone.
    pub(super) fn say_planned(&self, plan: &TablePlan, seconds: Option<f64>) {
        self.note_plan(plan);
        let listed = plan.listed();
        let facts = [
            ("objects", plan.objects.len().into()),
            ("bytes", plan.bytes().into()),
            ("listed", listed.listed.into()),
            ("left", listed.left_out().into()),
            ("requests", plan.requests.into()),
        ];
        self.step(&plan.spec.table, "planned", &facts, |times| &mut times.plan, seconds);
    }

    /// `seconds` is the share of the day in the walks that fed it.
    pub(super) fn say_read(&self, plan: &TablePlan, rows: u64, seconds: f64) {
        let facts = [("objects", plan.objects.len().into()), ("rows", rows.into())];
        self.step(&plan.spec.table, "read", &facts, |times| &mut times.read, Some(seconds));
    }

    /// The part files are written, though nobody sees them yet.
    pub(super) fn say_written(&self, manifest: &Manifest, began: UtcInstant) {
        let bytes: u64 = manifest.parts.iter().map(|part| part.bytes).sum();
        let facts = [
            ("files", manifest.parts.len().into()),
            ("bytes", bytes.into()),
            ("rows", manifest.ledger.written.into()),
        ];
        self.timed(&manifest.table, "written", &facts, |times| &mut times.write, began);
    }

    /// The day is public.
    pub(super) fn say_published(&self, manifest: &Manifest, began: UtcInstant) {
        let facts = [("ledger", json!(manifest.ledger)), ("provisional", manifest.provisional.into())];
        self.timed(&manifest.table, "published", &facts, |times| &mut times.publish, began);
    }

    /// The catalog shows the day.
    pub(super) fn say_registered(&self, registration: &Registration, began: UtcInstant) {
        let Registration { database, table, location, partition, warnings } = registration;
        for RegistrationWarning { text, cause, hint } in warnings {
            self.warn(table, text, &[("cause", json!(cause)), ("hint", json!(hint))]);
        }
        let facts = [
            ("database", database.clone().into()),
            ("partition", (*partition).into()),
            ("location", location.clone().into()),
        ];
        self.timed(table, "registered", &facts, |times| &mut times.register, began);
    }

    /// What the day supersedes is removed.
    pub(super) fn say_cleaned(&self, table: &str, began: UtcInstant) {
        self.timed(table, "cleaned", &[], |times| &mut times.clean, began);
    }

    /// The day is public, and all is done; `error` says why the catalog does not show it, where it should.
    pub(super) fn record_published(&self, manifest: &Manifest, error: Option<&Error>) {
        self.note(&manifest.table, |report| {
            report.outcome = RunOutcome::Published;
            report.files = manifest.parts.len() as u64;
            report.file_bytes = manifest.parts.iter().map(|part| part.bytes).sum();
            report.manifest = Some(manifest.clone());
        });
        self.end(&manifest.table, error);
        self.record(&manifest.table);
    }

    /// The day was not published. A run that was interrupted or gave way to another one leaves no report in the lake.
    pub fn record_failure(&self, table: &str, error: &Error) {
        self.end(table, Some(error));
        if !matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::Temporary) {
            self.record(table);
        }
    }

    /// The walk over many days of a table has failed: what it has to do with, no day can tell.
    pub fn record_walk(&self, source: &TableSource, error: &Error) {
        let spec = &source.spec;
        if self.report(&spec.table).is_some() {
            return self.road.observer.failed(&self.about(&spec.table), error);
        }
        self.open_report(&spec.partition(self.day), spec.dataset.name());
        self.end(&spec.table, Some(error));
    }

    /// Something about a table that somebody should look at.
    pub(super) fn warn(&self, table: &str, text: &str, facts: &[Field]) {
        self.road.observer.warn(&self.about(table), text, facts);
    }

    /// What a message about a table is about.
    pub(super) fn about<'t>(&self, table: &'t str) -> About<'t>
    where
        Self: 't,
    {
        let dataset = self.report(table).map(|report| report.dataset);
        About { run: &self.road.run, day: self.day, table, dataset }
    }

    fn timed(&self, table: &str, event: &str, facts: &[Field], step: Step, began: UtcInstant) {
        self.step(table, event, facts, step, Some(self.road.seconds_since(began)));
    }

    fn step(&self, table: &str, event: &str, facts: &[Field], step: Step, seconds: Option<f64>) {
        self.note(table, |report| *step(&mut report.seconds) = seconds);
        let mut all = facts.to_vec();
        all.extend(seconds.map(|seconds| ("seconds", seconds.into())));
        self.road.observer.step(&self.about(table), event, &all);
    }

    /// Changes the report of a table; one whose work has not begun has none.
    fn note(&self, table: &str, change: impl FnOnce(&mut RunRecord)) {
        if let Some(report) = self.road.reports.lock().get_mut(&(table.to_owned(), self.day)) {
            change(report);
        }
    }

    fn report(&self, table: &str) -> Option<RunRecord> {
        self.road.reports.lock().get(&(table.to_owned(), self.day)).cloned()
    }

    /// The work on a table ends.
    pub(super) fn end(&self, table: &str, error: Option<&Error>) {
        self.note(table, |report| {
            report.ended_at = self.road.now().to_string();
            report.error = error.map(RunError::from);
        });
        if let Some(error) = error {
            self.road.observer.failed(&self.about(table), error);
        }
        if let Some(report) = self.report(table) {
            self.road.observer.ended(&report);
        }
    }

    fn record(&self, table: &str) {
        let Some(report) = self.report(table) else { return };
        if let Err(error) = run_record::record(self.road.lake, &report) {
            self.warn(
                table,
                "cannot remember what the run did: the day itself is as it was said",
                &cause_of(&error),
            );
        }
    }
}

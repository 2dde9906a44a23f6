//! Reports the work on each table of a day: an event for each step, and a run record that is written to the lake at the
//! end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::json;

use super::day::cause_of;
use super::{About, Field, Registration, RegistrationWarning, Reporter};
use crate::convert::CountedOnly;
use crate::error::{Error, ErrorKind};
use crate::kst::{KstDay, UtcInstant};
use crate::ledger::RowLedger;
use crate::plan::TablePlan;
use crate::publish::run_history;
use crate::publish::run_record::{FoundDay, RunError, RunOutcome, RunRecord, StepSeconds};
use crate::publish::{Manifest, StagedDay};
use crate::store::lake::Partition;

/// The run records of a run, by table and day.
#[derive(Clone, Default)]
pub(super) struct RunRecords(Arc<Mutex<BTreeMap<(String, KstDay), RunRecord>>>);

impl RunRecords {
    /// Returns all run records.
    pub(super) fn all(&self) -> Vec<RunRecord> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, KstDay), RunRecord>> {
        self.0.lock().expect("a panic ends the process, so the lock is never poisoned")
    }
}

/// Selects the field for the duration of a step.
type Step = fn(&mut StepSeconds) -> &mut Option<f64>;

/// The steps of a table, in order. `docs/observability.md` documents each event.
impl Reporter<'_> {
    /// Opens the run record when the work on a table begins.
    pub(super) fn open_record(&self, partition: &Partition, dataset: &str) {
        let record = RunRecord::begun(partition, dataset, &self.road.run, self.road.now());
        self.road.records.lock().insert((partition.table.clone(), self.day), record);
    }

    /// Opens the run record of a published day that is only registered.
    pub(super) fn open_registering(&self, manifest: &Manifest) {
        self.open_record(&manifest.partition(), &manifest.dataset);
        self.note(&manifest.table, |record| record.outcome = RunOutcome::Published);
    }

    /// Notes the state in which this run found the day. The day is locked, so the state does not change before this run
    /// commits. An unreadable manifest is not noted; it fails the run later.
    pub(super) fn note_found(&self, table: &str, staged: &StagedDay<'_>) {
        let found = staged.replaced().ok().map(|found| FoundDay { run: found.map(|manifest| manifest.run) });
        self.note(table, |record| record.found = found);
    }

    /// Notes the plan.
    pub(super) fn note_plan(&self, plan: &TablePlan, planned_at: UtcInstant) {
        self.note(&plan.spec.table, |record| {
            record.planned_at = Some(planned_at.to_string());
            record.objects = plan.objects.len() as u64;
            record.input_bytes = plan.bytes();
        });
    }

    /// Notes the row counts of the day.
    pub(super) fn note_rows(&self, table: &str, ledger: RowLedger, counted_only: Vec<CountedOnly>) {
        self.note(table, |record| {
            record.ledger = ledger;
            record.counted_only = counted_only;
        });
    }

    /// Notes the address of the rejected rows in the lake.
    pub(super) fn note_quarantine(&self, table: &str, quarantine: Option<String>) {
        self.note(table, |record| record.quarantine = quarantine);
    }

    /// Reports the plan of a listing. `seconds` is the listing time, if the listing was for this day alone.
    pub(super) fn report_planned(&self, plan: &TablePlan, planned_at: UtcInstant, seconds: Option<f64>) {
        self.note_plan(plan, planned_at);
        let listed = plan.listed();
        let fields = [
            ("objects", plan.objects.len().into()),
            ("bytes", plan.bytes().into()),
            ("listed", listed.listed.into()),
            ("left", listed.left_out().into()),
            ("requests", plan.requests.into()),
        ];
        self.step(&plan.spec.table, "planned", &fields, |times| &mut times.plan, seconds);
    }

    /// Reports that the objects were read. `seconds` is the day's share of the reading time.
    pub(super) fn report_read(&self, plan: &TablePlan, rows: u64, seconds: f64) {
        let fields = [("objects", plan.objects.len().into()), ("rows", rows.into())];
        self.step(&plan.spec.table, "read", &fields, |times| &mut times.read, Some(seconds));
    }

    /// Reports that the part files are written but not public yet.
    pub(super) fn report_written(&self, manifest: &Manifest, began: UtcInstant) {
        let bytes: u64 = manifest.parts.iter().map(|part| part.bytes).sum();
        let fields = [
            ("files", manifest.parts.len().into()),
            ("bytes", bytes.into()),
            ("rows", manifest.ledger.written.into()),
        ];
        self.timed(&manifest.table, "written", &fields, |times| &mut times.write, began);
    }

    /// Reports that the day is public.
    pub(super) fn report_published(&self, manifest: &Manifest, began: UtcInstant) {
        let fields = [("ledger", json!(manifest.ledger)), ("provisional", manifest.provisional.into())];
        self.timed(&manifest.table, "published", &fields, |times| &mut times.publish, began);
    }

    /// Reports that the catalog shows the day.
    pub(super) fn report_registered(&self, registration: &Registration, began: UtcInstant) {
        let Registration { database, table, location, partition, warnings } = registration;
        for RegistrationWarning { text, cause, hint } in warnings {
            self.warn(table, text, &[("cause", json!(cause)), ("hint", json!(hint))]);
        }
        let fields = [
            ("database", database.clone().into()),
            ("partition", (*partition).into()),
            ("location", location.clone().into()),
        ];
        self.timed(table, "registered", &fields, |times| &mut times.register, began);
    }

    /// Reports that superseded files are removed.
    pub(super) fn report_cleaned(&self, table: &str, began: UtcInstant) {
        self.timed(table, "cleaned", &[], |times| &mut times.clean, began);
    }

    /// Ends the work on a published day. `error` is set if registration in the catalog failed.
    pub(super) fn record_published(&self, manifest: &Manifest, error: Option<&Error>) {
        self.note(&manifest.table, |record| {
            record.outcome = RunOutcome::Published;
            record.files = manifest.parts.len() as u64;
            record.file_bytes = manifest.parts.iter().map(|part| part.bytes).sum();
            record.manifest = Some(manifest.clone());
        });
        self.end(&manifest.table, error);
        self.record(&manifest.table);
    }

    /// Ends the work on a day that was not published. A run that was interrupted, or that yielded to another one, leaves no
    /// run record in the lake.
    pub fn record_failure(&self, table: &str, error: &Error) {
        self.end(table, Some(error));
        if !matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::Temporary) {
            self.record(table);
        }
    }

    /// Reports a warning about a table.
    pub(super) fn warn(&self, table: &str, text: &str, fields: &[Field]) {
        self.road.observer.warn(&self.about(table), text, fields);
    }

    /// Returns the subject of a message about a table.
    pub(super) fn about<'t>(&self, table: &'t str) -> About<'t>
    where
        Self: 't,
    {
        let dataset = self.run_record(table).map(|record| record.dataset);
        About { run: &self.road.run, day: self.day, table, dataset }
    }

    fn timed(&self, table: &str, event: &str, fields: &[Field], step: Step, began: UtcInstant) {
        self.step(table, event, fields, step, Some(self.road.seconds_since(began)));
    }

    fn step(&self, table: &str, event: &str, fields: &[Field], step: Step, seconds: Option<f64>) {
        self.note(table, |record| *step(&mut record.seconds) = seconds);
        let mut all = fields.to_vec();
        all.extend(seconds.map(|seconds| ("seconds", seconds.into())));
        self.road.observer.step(&self.about(table), event, &all);
    }

    /// Changes the run record of a table. Does nothing if the work on the table has not begun.
    fn note(&self, table: &str, change: impl FnOnce(&mut RunRecord)) {
        if let Some(record) = self.road.records.lock().get_mut(&(table.to_owned(), self.day)) {
            change(record);
        }
    }

    pub(super) fn run_record(&self, table: &str) -> Option<RunRecord> {
        self.road.records.lock().get(&(table.to_owned(), self.day)).cloned()
    }

    /// Ends the work on a table.
    pub(super) fn end(&self, table: &str, error: Option<&Error>) {
        if let Some(error) = error {
            self.road.observer.failed(&self.about(table), error);
        }
        self.end_record(table, error);
    }

    /// Ends the run record of a table.
    pub(super) fn end_record(&self, table: &str, error: Option<&Error>) {
        self.note(table, |record| {
            record.ended_at = self.road.now().to_string();
            record.error = error.map(RunError::from);
        });
        if let Some(record) = self.run_record(table) {
            self.road.observer.ended(&record);
        }
    }

    fn record(&self, table: &str) {
        let Some(record) = self.run_record(table) else { return };
        if let Err(error) = run_history::write(self.road.lake, &record) {
            self.warn(
                table,
                "cannot write the run record: the outcome of the day is not affected",
                &cause_of(&error),
            );
        }
    }
}

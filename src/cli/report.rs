//! What is known of the work on each table of a day: noted step by step, and put into the lake at its end.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::console;
use super::day::DayRun;
use super::exit::Exit;
use crate::error::{Error, ErrorKind};
use crate::kst::UtcInstant;
use crate::plan::TablePlan;
use crate::publish::Manifest;
use crate::publish::history::{self, RunError, RunOutcome, RunReport};
use crate::store::lake::Partition;

/// The reports of the tables of a day, by table.
#[derive(Default)]
pub(super) struct DayReports(Mutex<BTreeMap<String, RunReport>>);

impl DayReports {
    /// Changes the report of a table; one whose work has not begun has none.
    fn note(&self, table: &str, change: impl FnOnce(&mut RunReport)) {
        if let Some(report) = self.lock().get_mut(table) {
            change(report);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, RunReport>> {
        self.0.lock().expect("whoever panics takes the process with it")
    }
}

impl DayRun<'_> {
    /// The work on a table begins.
    pub(super) fn note_begin(&self, partition: &Partition, dataset: &str) {
        let report = RunReport::begun(partition, dataset, &self.run, console::now());
        self.reports.lock().insert(partition.table.clone(), report);
    }

    /// What is to be read is known.
    pub(super) fn note_plan(&self, plan: &TablePlan) {
        self.note(&plan.table, |report| {
            report.planned_at = Some(self.planned_at.to_string());
            report.objects = plan.objects.len() as u64;
            report.input_bytes = plan.bytes();
        });
    }

    /// Something about a table is known.
    pub(super) fn note(&self, table: &str, change: impl FnOnce(&mut RunReport)) {
        self.reports.note(table, change);
    }

    /// The day is public; `error` says why the catalog does not show it, where it should.
    pub(super) fn record_published(&self, manifest: &Manifest, error: Option<&Error>) {
        self.note(&manifest.table, |report| {
            report.outcome = RunOutcome::Published;
            report.error = error.map(run_error);
            report.files = manifest.parts.len() as u64;
            report.file_bytes = manifest.parts.iter().map(|part| part.bytes).sum();
            report.manifest = Some(manifest.clone());
        });
        self.record(&manifest.table);
    }

    /// The day was not published. A run that was interrupted or gave way to another one leaves no report in the lake.
    pub(super) fn record_failure(&self, table: &str, error: &Error) {
        self.note(table, |report| {
            report.error = Some(run_error(error));
            // Only those of a day that was refused for them are kept.
            report.quarantine.take_if(|_| error.kind() != ErrorKind::TooManyRejects);
        });
        if !matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::Temporary) {
            self.record(table);
        }
    }

    fn record(&self, table: &str) {
        self.note(table, |report| report.ended_at = console::now().to_string());
        let Some(report) = self.reports.lock().get(table).cloned() else { return };
        if let Err(error) = history::record(self.lake, &report) {
            self.console.warn(
                "cannot remember what the run did: the day itself is as it was said",
                &[
                    ("table", table.into()),
                    ("day", self.day.to_string().into()),
                    ("cause", error.to_string().into()),
                    ("hint", error.next_step().unwrap_or_default().into()),
                ],
            );
        }
    }
}

fn run_error(error: &Error) -> RunError {
    RunError {
        kind: error.kind().name().to_owned(),
        exit_code: Exit::from(error.kind()).code(),
        message: error.to_string(),
        hint: error.next_step().map(str::to_owned),
    }
}

/// The time since an instant; none where the clock was set back meanwhile.
pub(super) fn seconds_since(began: UtcInstant) -> f64 {
    (console::now().0 - began.0).max(0) as f64 / 1000.0
}

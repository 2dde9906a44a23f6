//! What is said and known of the work on each table of a day: one event a step, and a report that is put into the lake at
//! the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::json;

use super::catalog::CatalogSummary;
use super::console::{self, Fact};
use super::day::DayRun;
use super::exit::Exit;
use super::settings::LogFormat;
use super::{emf, metrics};
use crate::convert::CountedOnly;
use crate::error::{Error, ErrorKind};
use crate::kst::{KstDay, UtcInstant};
use crate::ledger::RowLedger;
use crate::plan::{TablePlan, TableSource};
use crate::publish::history::{self, FoundDay, RunError, RunOutcome, RunReport, StepSeconds};
use crate::publish::{Manifest, StagedDay};
use crate::store::lake::Partition;

/// The reports of a run, by table and day.
#[derive(Clone, Default)]
pub(super) struct Reports(Arc<Mutex<BTreeMap<(String, KstDay), RunReport>>>);

impl Reports {
    /// What is known of each table and day.
    pub(super) fn all(&self) -> Vec<RunReport> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, KstDay), RunReport>> {
        self.0.lock().expect("whoever panics takes the process with it")
    }
}

/// Where the time of a step is kept.
type Step = fn(&mut StepSeconds) -> &mut Option<f64>;

/// The steps of a table, in their order; what each event says is in `docs/observability.md`.
impl DayRun<'_> {
    /// The work on a table begins.
    pub(super) fn open_report(&self, partition: &Partition, dataset: &str) {
        let report = RunReport::begun(partition, dataset, &self.run, console::now());
        self.reports.lock().insert((partition.table.clone(), self.day), report);
    }

    /// A day that is published already is only to be registered.
    pub(super) fn open_registering(&self, manifest: &Manifest) {
        let partition = Partition { table: manifest.table.clone(), day: self.day };
        self.open_report(&partition, &manifest.dataset);
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
        self.note(&plan.table, |report| {
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
        self.step(&plan.table, "planned", facts, |times| &mut times.plan, seconds);
    }

    /// `seconds` is the share of the day in the walks that fed it.
    pub(super) fn say_read(&self, plan: &TablePlan, rows: u64, seconds: f64) {
        let facts = [("objects", plan.objects.len().into()), ("rows", rows.into())];
        self.step(&plan.table, "read", facts, |times| &mut times.read, Some(seconds));
    }

    pub(super) fn say_written(&self, manifest: &Manifest, began: UtcInstant) {
        let bytes: u64 = manifest.parts.iter().map(|part| part.bytes).sum();
        let facts = [
            ("files", manifest.parts.len().into()),
            ("bytes", bytes.into()),
            ("rows", manifest.ledger.written.into()),
        ];
        self.step(&manifest.table, "written", facts, |times| &mut times.write, Some(seconds_since(began)));
    }

    pub(super) fn say_published(&self, manifest: &Manifest, began: UtcInstant) {
        let facts = [("ledger", json!(manifest.ledger)), ("provisional", manifest.provisional.into())];
        self.step(
            &manifest.table,
            "published",
            facts,
            |times| &mut times.publish,
            Some(seconds_since(began)),
        );
    }

    pub(super) fn say_registered(&self, summary: &CatalogSummary, began: UtcInstant) {
        let facts = [
            ("database", summary.database.clone().into()),
            ("partition", summary.partition.into()),
            ("location", summary.location.clone().into()),
        ];
        self.step(
            &summary.table,
            "registered",
            facts,
            |times| &mut times.register,
            Some(seconds_since(began)),
        );
    }

    pub(super) fn say_cleaned(&self, table: &str, began: UtcInstant) {
        self.step(table, "cleaned", [], |times| &mut times.clean, Some(seconds_since(began)));
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
    pub(super) fn record_failure(&self, table: &str, error: &Error) {
        self.end(table, Some(error));
        if !matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::Temporary) {
            self.record(table);
        }
    }

    /// The walk over many days of a table has failed: what it has to do with, no day can tell.
    pub(super) fn record_walk(&self, source: &TableSource, error: &Error) {
        if self.report(&source.table).is_some() {
            return self.console.failed(error, self.about_table(&source.table));
        }
        let partition = Partition { table: source.table.clone(), day: self.day };
        self.open_report(&partition, source.dataset.name());
        self.end(&source.table, Some(error));
    }

    /// All tables are done.
    pub(super) fn say_finished(&self, exit: Exit) {
        let metrics_file = self.settings.watch.metrics_file.as_deref();
        metrics::write(metrics_file, &self.reports.all(), exit, self.console);
        let mut facts = self.about();
        facts.extend(totals(&self.reports.all(), exit));
        facts.push(("seconds", seconds_since(self.started_at).into()));
        self.console.finished(exit, &facts);
    }

    /// Something about a table that somebody should look at.
    pub(super) fn warn(&self, table: &str, text: &str, facts: Vec<Fact>) {
        let mut all = self.about_table(table);
        all.extend(facts);
        self.console.warn(text, &all);
    }

    /// Something about a table for those who want to know all.
    pub(super) fn debug(&self, table: &str, text: &str, facts: impl FnOnce() -> Vec<Fact>) {
        if self.console.verbose > 1 {
            let mut all = self.about_table(table);
            all.extend(facts());
            self.console.debug(text, &all);
        }
    }

    /// What an event of this run says of it.
    pub(super) fn about(&self) -> Vec<Fact> {
        vec![("run", self.run.clone().into()), ("day", self.day.to_string().into())]
    }

    /// What an event of a table says of it; people get to read what differs within a day.
    fn about_table(&self, table: &str) -> Vec<Fact> {
        if self.console.format == LogFormat::Text {
            return vec![("table", table.into()), ("day", self.day.to_string().into())];
        }
        let dataset = self.report(table).map(|report| report.dataset);
        let mut facts = self.about();
        facts.extend([("table", table.into()), ("dataset", dataset.into())]);
        facts
    }

    fn step<const N: usize>(
        &self,
        table: &str,
        event: &str,
        facts: [Fact; N],
        step: Step,
        seconds: Option<f64>,
    ) {
        self.note(table, |report| *step(&mut report.seconds) = seconds);
        let mut all = self.about_table(table);
        all.extend(facts);
        all.extend(seconds.map(|seconds| ("seconds", seconds.into())));
        self.console.step(event, &all);
    }

    /// Changes the report of a table; one whose work has not begun has none.
    fn note(&self, table: &str, change: impl FnOnce(&mut RunReport)) {
        if let Some(report) = self.reports.lock().get_mut(&(table.to_owned(), self.day)) {
            change(report);
        }
    }

    fn report(&self, table: &str) -> Option<RunReport> {
        self.reports.lock().get(&(table.to_owned(), self.day)).cloned()
    }

    /// The work on a table ends.
    pub(super) fn end(&self, table: &str, error: Option<&Error>) {
        self.note(table, |report| {
            report.ended_at = console::now().to_string();
            report.error = error.map(run_error);
        });
        if let Some(error) = error {
            self.console.failed(error, self.about_table(table));
        }
        if self.settings.watch.emf
            && let Some(report) = self.report(table)
        {
            console::to_stderr(&emf::line(&report));
        }
    }

    fn record(&self, table: &str) {
        let Some(report) = self.report(table) else { return };
        if let Err(error) = history::record(self.lake, &report) {
            self.warn(
                table,
                "cannot remember what the run did: the day itself is as it was said",
                vec![("cause", error.to_string().into()), ("hint", error.next_step().into())],
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

/// How many tables and days were done, and the sums over those that were published.
fn totals(reports: &[RunReport], exit: Exit) -> [Fact; 8] {
    let published = || reports.iter().filter(|report| report.outcome == RunOutcome::Published);
    let sum = |value: fn(&RunReport) -> u64| published().map(value).sum::<u64>().into();
    let mut ledger = RowLedger::default();
    published().for_each(|report| ledger += report.ledger);
    [
        ("exit_code", exit.code().into()),
        ("published", published().count().into()),
        ("failed", reports.iter().filter(|report| report.error.is_some()).count().into()),
        ("objects", sum(|report| report.objects)),
        ("input_bytes", sum(|report| report.input_bytes)),
        ("ledger", json!(ledger)),
        ("files", sum(|report| report.files)),
        ("file_bytes", sum(|report| report.file_bytes)),
    ]
}

/// The time since an instant; none where the clock was set back meanwhile.
pub(super) fn seconds_since(began: UtcInstant) -> f64 {
    (console::now().0 - began.0).max(0) as f64 / 1000.0
}

//! What the runs of a day did: a report of each, kept beside the tables.
//!
//! A run that failed leaves nothing in the partition, and one that was replaced takes its list of inputs with it. Here both
//! are remembered: whoever asks why a day is missing finds the error, and two runs can be held against each other.

use serde::{Deserialize, Serialize};

use super::inputs::{self, InputLine};
use super::manifest::Manifest;
use super::run_history::RunHistory;
use crate::convert::CountedOnly;
use crate::error::{Error, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::ledger::RowLedger;
use crate::plan::is_table_name;
use crate::store::Lake;
use crate::store::lake::{Partition, is_run_name};

/// The version of the report that this program writes.
pub const REPORT_VERSION: u32 = 1;

/// The runs of a day that are remembered; of older ones the newest are.
pub const KEPT_RUNS: usize = 10;

/// What a run did with one day of a table. Fields that a reader does not know are to be passed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of the file's form.
    pub version: u32,
    /// Version of the program.
    pub logmill: String,
    /// The run.
    pub run: String,
    /// Name of the table.
    pub table: String,
    /// Name of the log type.
    pub dataset: String,
    /// The day.
    pub day: KstDay,
    /// Whether the day is public.
    pub outcome: RunOutcome,
    /// What went wrong. A published day has an error where the catalog does not show it.
    #[serde(default)]
    pub error: Option<RunError>,
    /// The day as the run has found it when it took it. While that is so, the day counts as failed if the run failed. Absent
    /// where the run did not come so far, and in reports of earlier versions.
    #[serde(default)]
    pub found: Option<FoundDay>,
    /// When the work on the table and day began, UTC.
    pub started_at: String,
    /// When it ended, UTC.
    pub ended_at: String,
    /// When the inputs were listed, UTC; absent where the run did not come so far.
    #[serde(default)]
    pub planned_at: Option<String>,
    /// How long each step took.
    #[serde(default)]
    pub seconds: StepSeconds,
    /// Raw objects in the plan.
    #[serde(default)]
    pub objects: u64,
    /// Bytes of the raw objects.
    #[serde(default)]
    pub input_bytes: u64,
    /// What became of the rows, as far as the run came.
    #[serde(default)]
    pub ledger: RowLedger,
    /// Part files that were published.
    #[serde(default)]
    pub files: u64,
    /// Bytes of the part files.
    #[serde(default)]
    pub file_bytes: u64,
    /// Address of the rejected rows, where there are any.
    #[serde(default)]
    pub quarantine: Option<String>,
    /// Rejected rows that the quarantine has no room for, by reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted_only: Vec<CountedOnly>,
    /// The manifest, of a published day.
    #[serde(default)]
    pub manifest: Option<Manifest>,
}

/// How a run ended for a table and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Its day was made public.
    Published,
    /// It was not, as far as the run could tell: what stood before still stood.
    Failed,
}

/// A day as a run has found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundDay {
    /// The run that had published it; `None` where it was not published.
    pub run: Option<String>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    /// Name of the [kind](crate::error::ErrorKind::name).
    pub kind: String,
    /// The exit code of this failure alone.
    pub exit_code: u8,
    /// Message, facts and causes in one line.
    pub message: String,
    /// What to do next, where somebody knows.
    #[serde(default)]
    pub hint: Option<String>,
}

/// Seconds that each step took; a step that was not reached, or not taken, has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepSeconds {
    /// Inputs to a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<f64>,
    /// Objects to sorted runs of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<f64>,
    /// Sorted runs to part files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<f64>,
    /// Part files to a public day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish: Option<f64>,
    /// The catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register: Option<f64>,
    /// What the day supersedes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean: Option<f64>,
}

impl StepSeconds {
    /// The steps that were taken, in their order, by the names of the fields.
    pub fn by_step(self) -> impl Iterator<Item = (&'static str, f64)> {
        let Self { plan, read, write, publish, register, clean } = self;
        let steps = [
            ("plan", plan),
            ("read", read),
            ("write", write),
            ("publish", publish),
            ("register", register),
            ("clean", clean),
        ];
        steps.into_iter().filter_map(|(step, seconds)| Some((step, seconds?)))
    }
}

impl From<&Error> for RunError {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind().name().to_owned(),
            exit_code: error.kind().exit_code(),
            message: error.to_string(),
            hint: error.next_step().map(str::to_owned),
        }
    }
}

impl RunRecord {
    /// The report of a run that has done nothing yet: until it is told otherwise, it failed.
    #[must_use]
    pub fn begun(partition: &Partition, dataset: &str, run: &str, at: UtcInstant) -> Self {
        Self {
            version: REPORT_VERSION,
            logmill: env!("CARGO_PKG_VERSION").to_owned(),
            run: run.to_owned(),
            table: partition.table.clone(),
            dataset: dataset.to_owned(),
            day: partition.day,
            outcome: RunOutcome::Failed,
            error: None,
            found: None,
            started_at: at.to_string(),
            ended_at: at.to_string(),
            planned_at: None,
            seconds: StepSeconds::default(),
            objects: 0,
            input_bytes: 0,
            ledger: RowLedger::default(),
            files: 0,
            file_bytes: 0,
            quarantine: None,
            counted_only: Vec::new(),
            manifest: None,
        }
    }

    /// The table and day.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition { table: self.table.clone(), day: self.day }
    }

    /// When the work ended; the epoch where nobody can say.
    #[must_use]
    pub fn ended(&self) -> UtcInstant {
        UtcInstant::parse_iso8601(&self.ended_at).unwrap_or(UtcInstant(0))
    }

    /// Seconds from its beginning to its end.
    #[must_use]
    pub fn duration_seconds(&self) -> f64 {
        let began = UtcInstant::parse_iso8601(&self.started_at).unwrap_or(self.ended());
        (self.ended().0 - began.0).max(0) as f64 / 1000.0
    }

    fn to_json(&self) -> Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)
            .map_err(|cause| Error::bug("cannot write the report of a run as JSON").caused_by(cause))?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads a report; `None` where it is not one that this version knows.
    pub(super) fn from_json(mut json: Vec<u8>) -> Option<Self> {
        let report: Self = simd_json::serde::from_slice(&mut json).ok()?;
        let is_ours =
            report.version <= REPORT_VERSION && is_table_name(&report.table) && is_run_name(&report.run);
        let is_broken = report.manifest.as_ref().and_then(Manifest::implausible).is_some();
        (is_ours && !is_broken).then_some(report)
    }
}

/// Puts a report into the lake, with a copy of the list of inputs of a published day, and forgets the oldest runs of the
/// day.
pub fn record(lake: &dyn Lake, report: &RunRecord) -> Result<()> {
    let partition = report.partition();
    let mut report = report.clone();
    if report.outcome == RunOutcome::Failed && report.found.is_none() {
        // The run has not come so far as to take the day. A manifest that cannot be read must not cost the report.
        let found = super::read_manifest(lake, &partition).ok();
        report.found = found.map(|found| FoundDay { run: found.map(|manifest| manifest.run) });
    }
    if let Some(manifest) = &report.manifest {
        let list = lake
            .read_up_to(&format!("{partition}/{}", manifest.inputs_file.path), manifest.inputs_file.bytes)?;
        // A run that came right after this one may have removed it.
        if let Some(list) = list {
            lake.write(&inputs_path(&partition, &report.run), &list)?;
        }
    }
    lake.write(&report_path(&partition, &report.run), &report.to_json()?)?;
    forget(lake, &partition, &report.run)
}

/// What a catalog was told of a published day, kept beside the report of its run. Fields that a reader does not know are to
/// be passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationMark {
    /// Version of the file's form.
    pub version: u32,
    /// The run that the catalog shows.
    pub run: String,
    /// Name of the table.
    pub table: String,
    /// The day.
    pub day: KstDay,
    /// The database of the catalog.
    pub database: String,
    /// The folder that engines read.
    pub location: String,
    /// When it was registered, UTC.
    pub registered_at: String,
}

/// Remembers that the catalog shows a published day: the mark is written when it does, by whichever command told it, and so
/// says more than a report, which a killed run does not leave. Its name says all that is asked of it later.
pub fn mark_registered(lake: &dyn Lake, mark: &RegistrationMark) -> Result<()> {
    let partition = Partition { table: mark.table.clone(), day: mark.day };
    let mut json = serde_json::to_vec_pretty(mark)
        .map_err(|cause| Error::bug("cannot write the mark of a registration as JSON").caused_by(cause))?;
    json.push(b'\n');
    lake.write(&format!("{}/{}", partition.history(), mark_name(&mark.run, &mark.database)), &json)
}

/// Takes the error out of the report of a run whose day the catalog shows by now, though the run could not tell it.
pub fn clear_error(lake: &dyn Lake, partition: &Partition, run: &str) -> Result<()> {
    match report(lake, partition, run)? {
        Some(report) if report.outcome == RunOutcome::Published && report.error.is_some() => {
            lake.rewrite(&report_path(partition, run), &RunRecord { error: None, ..report }.to_json()?)
        }
        _ => Ok(()),
    }
}

/// The report of a run; `None` where there is none that this version can read.
pub fn report(lake: &dyn Lake, partition: &Partition, run: &str) -> Result<Option<RunRecord>> {
    Ok(lake.read(&report_path(partition, run))?.and_then(RunRecord::from_json))
}

/// What a published run read, also when another one has replaced it; `None` where that is not remembered.
pub fn inputs(lake: &dyn Lake, partition: &Partition, manifest: &Manifest) -> Result<Option<Vec<InputLine>>> {
    inputs::read(lake, &inputs_path(partition, &manifest.run), &manifest.inputs_file)
}

/// Name of the report of a run.
pub(super) fn report_name(run: &str) -> String {
    format!("{run}.json")
}

/// Name of the copy of the list of inputs of a run that has published.
pub(super) fn inputs_name(run: &str) -> String {
    format!("{run}.inputs.jsonl.gz")
}

/// Name of the mark of a run that a database shows. It has the database in it, so that a listing tells whether a day is
/// registered there.
pub(super) fn mark_name(run: &str, database: &str) -> String {
    format!("{run}.registered.{database}.json")
}

/// The run after which a file is named.
pub(super) fn run_of(name: &str) -> Option<&str> {
    name.split_once('.').map(|(run, _)| run).filter(|run| is_run_name(run))
}

pub(super) fn report_path(partition: &Partition, run: &str) -> String {
    format!("{}/{}", partition.history(), report_name(run))
}

fn inputs_path(partition: &Partition, run: &str) -> String {
    format!("{}/{}", partition.history(), inputs_name(run))
}

/// Removes what is remembered of all but the newest runs. `newest` stays whatever the clocks say, and the run that is the
/// day, however many have failed since.
fn forget(lake: &dyn Lake, partition: &Partition, newest: &str) -> Result<()> {
    let remembered = RunHistory::list(lake, partition)?;
    let old = remembered.older_than_the_newest(KEPT_RUNS, newest);
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

    use super::*;
    use crate::publish::manifest::tests::{manifest, manifest_of};
    use crate::store::LocalLake;

    fn run(number: usize) -> String {
        format!("20231102T0000{number:02}Z-0000000a")
    }

    fn report(number: usize) -> RunRecord {
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
    fn the_newest_runs_of_a_day_are_remembered_and_other_files_stay() {
        let root = tempfile::tempdir().unwrap();
        let lake = lake(root.path());
        let partition = report(0).partition();
        let folder = root.path().join(partition.history());
        fs::create_dir_all(&folder).unwrap();
        for name in ["notes.txt", "README", &format!("{}.json.new", run(0))] {
            fs::write(folder.join(name), "x").unwrap();
        }
        for number in 1..=KEPT_RUNS + 2 {
            record(&lake, &report(number)).unwrap();
        }
        let runs: Vec<String> = RunHistory::list(&lake, &partition)
            .unwrap()
            .reports()
            .unwrap()
            .into_iter()
            .map(|report| report.run)
            .collect();
        let expected: Vec<String> = (3..=KEPT_RUNS + 2).rev().map(run).collect();
        assert_eq!(runs, expected);
        assert_eq!(RunHistory::list(&lake, &partition).unwrap().last().unwrap().unwrap().run, expected[0]);
        let left = fs::read_dir(&folder).unwrap().count();
        assert_eq!(left, KEPT_RUNS + 2, "the unfinished file went with its run, the foreign ones stayed");
        record(&lake, &report(0)).unwrap();
        assert!(folder.join(run(0) + ".json").exists(), "what is recorded now stays, whatever its name");
    }

    #[test]
    fn the_newest_runs_are_those_whose_reports_came_last_whatever_they_are_called() {
        let root = tempfile::tempdir().unwrap();
        let lake = lake(root.path());
        let partition = report(0).partition();
        // The names of earlier runs come from a clock that was ahead.
        let order = (50..50 + KEPT_RUNS).chain(0..4);
        for (seconds, number) in (0..).zip(order) {
            record(&lake, &report(number)).unwrap();
            let file = root.path().join(report_path(&partition, &run(number)));
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds);
            fs::File::options().append(true).open(file).unwrap().set_modified(at).unwrap();
        }
        let expected: Vec<String> = (54..60).chain(0..4).rev().map(run).collect();
        let remembered = RunHistory::list(&lake, &partition).unwrap();
        let runs: Vec<String> = remembered.reports().unwrap().into_iter().map(|report| report.run).collect();
        assert_eq!(runs, expected);
        assert_eq!(remembered.last().unwrap().unwrap().run, run(3));
    }

    #[test]
    fn marks_are_forgotten_with_their_runs_and_that_of_the_day_stays() {
        let root = tempfile::tempdir().unwrap();
        let lake = lake(root.path());
        let partition = report(0).partition();
        let mark = |number: usize| RegistrationMark {
            version: REPORT_VERSION,
            run: run(number),
            table: partition.table.clone(),
            day: partition.day,
            database: "logs".to_owned(),
            location: "s3://lake/s3_access/".to_owned(),
            registered_at: String::new(),
        };
        let live = manifest_of(&run(1));
        lake.write(&format!("{partition}/_manifest.json"), &serde_json::to_vec(&live).unwrap()).unwrap();
        for number in 1..=KEPT_RUNS + 3 {
            mark_registered(&lake, &mark(number)).unwrap();
            record(&lake, &report(number)).unwrap();
        }
        let remembered = RunHistory::list(&lake, &partition).unwrap();
        let marked: Vec<usize> =
            (1..=KEPT_RUNS + 3).filter(|number| remembered.is_registered(&run(*number), "logs")).collect();
        let reported: Vec<usize> = (1..=KEPT_RUNS + 3)
            .filter(|number| remembered.report(&run(*number)).unwrap().is_some())
            .collect();
        assert_eq!((&marked, marked.len(), marked[0]), (&reported, KEPT_RUNS + 1, 1));
        assert!(!remembered.is_registered(&run(1), "other"));
        assert_eq!(remembered.reports().unwrap().len(), KEPT_RUNS + 1, "a mark is no report");
    }

    #[test]
    fn a_report_is_read_as_it_was_written_and_one_that_is_not_understood_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let lake = lake(root.path());
        let written = RunRecord {
            outcome: RunOutcome::Published,
            seconds: StepSeconds { plan: Some(0.25), ..StepSeconds::default() },
            manifest: Some(manifest()),
            ..report(1)
        };
        let partition = written.partition();
        record(&lake, &written).unwrap();
        assert_eq!(RunHistory::list(&lake, &partition).unwrap().last().unwrap(), Some(written.clone()));
        let mut value = serde_json::to_value(&written).unwrap();
        value["invented_later"] = 1.into();
        lake.write(&report_path(&partition, &run(2)), value.to_string().as_bytes()).unwrap();
        value["version"] = 2.into();
        lake.write(&report_path(&partition, &run(3)), value.to_string().as_bytes()).unwrap();
        lake.write(&report_path(&partition, &run(4)), b"{").unwrap();
        let reports = RunHistory::list(&lake, &partition).unwrap().reports().unwrap();
        assert_eq!(reports, [written.clone(), written]);
        assert_eq!(inputs(&lake, &partition, &manifest()).unwrap(), None, "its list is not there any more");
    }
}

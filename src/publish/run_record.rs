//! The run record: one JSON file per run and day, kept in `_runs` outside the tables.
//!
//! A failed run leaves nothing else in the lake, and a replaced run loses its manifest and its list of inputs. The run record
//! keeps both: it shows why a day is missing, and it lets two runs be compared.

use serde::{Deserialize, Serialize};

use super::inputs::{self, InputLine};
use super::manifest::Manifest;
use crate::convert::CountedOnly;
use crate::error::{Error, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::ledger::RowLedger;
use crate::plan::is_table_name;
use crate::store::Lake;
use crate::store::lake::{Partition, is_run_name};

/// The version of the run record that this program writes.
pub const RECORD_VERSION: u32 = 1;

/// How many runs of a day keep their records. The oldest are removed first.
pub const KEPT_RUNS: usize = 10;

/// What a run did with one day of a table. Readers must ignore unknown fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of the file format.
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
    /// What went wrong. A published day has an error if its registration in the catalog failed.
    #[serde(default)]
    pub error: Option<RunError>,
    /// The day as the run found it when it locked the day. If the run failed, the day counts as failed for as long as that
    /// state lasts. Absent if the run did not get that far, and in run records of earlier versions.
    #[serde(default)]
    pub found: Option<FoundDay>,
    /// When the work on the table and day began, UTC.
    pub started_at: String,
    /// When it ended, UTC.
    pub ended_at: String,
    /// When the inputs were listed, UTC. Absent if the run did not get that far.
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
    /// The row counts, as far as the run got.
    #[serde(default)]
    pub ledger: RowLedger,
    /// Part files that were published.
    #[serde(default)]
    pub files: u64,
    /// Bytes of the part files.
    #[serde(default)]
    pub file_bytes: u64,
    /// Address of the rejected rows, if any.
    #[serde(default)]
    pub quarantine: Option<String>,
    /// Rejected rows that did not fit into the quarantine, by reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted_only: Vec<CountedOnly>,
    /// The manifest, if the run published the day.
    #[serde(default)]
    pub manifest: Option<Manifest>,
}

/// How a run ended for a table and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// It published the day.
    Published,
    /// As far as the run knew, it did not publish the day, and the previous state remained.
    Failed,
}

/// The state in which a run found a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundDay {
    /// The run that published it; `None` if the day was not published.
    pub run: Option<String>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    /// Name of the [kind](crate::error::ErrorKind::name).
    pub kind: String,
    /// The exit code that this failure alone would give.
    pub exit_code: u8,
    /// Message, facts and causes in one line.
    pub message: String,
    /// What to do next, if known.
    #[serde(default)]
    pub hint: Option<String>,
}

/// Seconds that each step took. A step that the run skipped or did not reach has no value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepSeconds {
    /// Listing the inputs and planning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<f64>,
    /// Reading objects into sorted runs of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<f64>,
    /// Merging sorted runs into part files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<f64>,
    /// Publishing the part files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish: Option<f64>,
    /// Registering the day in the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register: Option<f64>,
    /// Removing superseded files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean: Option<f64>,
}

impl StepSeconds {
    /// Returns the executed steps in order, under the names of the fields.
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
    /// Creates the run record of a run that has done nothing yet. It counts as failed until it is changed.
    #[must_use]
    pub fn begun(partition: &Partition, dataset: &str, run: &str, at: UtcInstant) -> Self {
        Self {
            version: RECORD_VERSION,
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

    /// Returns the table and day.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition { table: self.table.clone(), day: self.day }
    }

    /// Returns when the work ended, or the epoch if that is unknown.
    #[must_use]
    pub fn ended(&self) -> UtcInstant {
        UtcInstant::parse_iso8601(&self.ended_at).unwrap_or(UtcInstant(0))
    }

    /// Returns the seconds from the start of the work to its end.
    #[must_use]
    pub fn duration_seconds(&self) -> f64 {
        let began = UtcInstant::parse_iso8601(&self.started_at).unwrap_or(self.ended());
        (self.ended().0 - began.0).max(0) as f64 / 1000.0
    }

    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)
            .map_err(|cause| Error::bug("cannot write the run record as JSON").caused_by(cause))?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads a run record; `None` if this version cannot read it.
    pub(crate) fn from_json(mut json: Vec<u8>) -> Option<Self> {
        let record: Self = simd_json::serde::from_slice(&mut json).ok()?;
        let is_ours =
            record.version <= RECORD_VERSION && is_table_name(&record.table) && is_run_name(&record.run);
        let is_broken = record.manifest.as_ref().and_then(Manifest::implausible).is_some();
        (is_ours && !is_broken).then_some(record)
    }
}

/// A published day as it was registered in a catalog. The mark is stored next to the run record. Readers must ignore
/// unknown fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationMark {
    /// Version of the file format.
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

/// Records that the catalog shows a published day. Every command that registers a day writes this mark. It is more reliable
/// than the run record, which a killed run does not leave. Its name alone answers all later questions.
pub fn mark_registered(lake: &dyn Lake, mark: &RegistrationMark) -> Result<()> {
    let partition = Partition { table: mark.table.clone(), day: mark.day };
    let mut json = serde_json::to_vec_pretty(mark)
        .map_err(|cause| Error::bug("cannot write the registration mark as JSON").caused_by(cause))?;
    json.push(b'\n');
    lake.write(&format!("{}/{}", partition.history(), mark_name(&mark.run, &mark.database)), &json)
}

/// Removes the error from a run record once a later command has registered the day.
pub fn clear_error(lake: &dyn Lake, partition: &Partition, run: &str) -> Result<()> {
    match read(lake, partition, run)? {
        Some(record) if record.outcome == RunOutcome::Published && record.error.is_some() => {
            lake.rewrite(&record_path(partition, run), &RunRecord { error: None, ..record }.to_json()?)
        }
        _ => Ok(()),
    }
}

/// Reads the run record of a run; `None` if it does not exist or this version cannot read it.
pub fn read(lake: &dyn Lake, partition: &Partition, run: &str) -> Result<Option<RunRecord>> {
    Ok(lake.read(&record_path(partition, run))?.and_then(RunRecord::from_json))
}

/// Lists what a published run read, even if another run has replaced it; `None` if the list is no longer stored.
pub fn inputs(lake: &dyn Lake, partition: &Partition, manifest: &Manifest) -> Result<Option<Vec<InputLine>>> {
    inputs::read(lake, &inputs_copy_path(partition, &manifest.run), &manifest.inputs_file)
}

/// Returns the file name of a run record.
pub(super) fn record_name(run: &str) -> String {
    format!("{run}.json")
}

/// Returns the file name of a published run's copy of the list of inputs.
pub(super) fn inputs_copy_name(run: &str) -> String {
    format!("{run}.inputs.jsonl.gz")
}

/// Returns the file name of a registration mark. It contains the database, so that a listing shows whether a day is
/// registered there.
pub(super) fn mark_name(run: &str, database: &str) -> String {
    format!("{run}.registered.{database}.json")
}

/// Returns the run that a file belongs to, by the file's name.
pub(super) fn run_of(name: &str) -> Option<&str> {
    name.split_once('.').map(|(run, _)| run).filter(|run| is_run_name(run))
}

pub(super) fn record_path(partition: &Partition, run: &str) -> String {
    format!("{}/{}", partition.history(), record_name(run))
}

/// Returns the path of a published run's copy of the list of inputs, below the lake.
pub(super) fn inputs_copy_path(partition: &Partition, run: &str) -> String {
    format!("{}/{}", partition.history(), inputs_copy_name(run))
}

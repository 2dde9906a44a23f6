//! The manifest: the one small file that defines a published day.

use serde::{Deserialize, Serialize};

use crate::convert::{CountedOnly, PartFile, part_path};
use crate::dataset::{LogType, TableShape};
use crate::digest::DayProof;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::ledger::{MAX_COUNT, RowLedger};
use crate::plan::{ListedObjects, TableSpec, is_table_name};
use crate::store::Lake;
use crate::store::lake::{INPUTS, Partition, StoredManifest, is_run_name};
use crate::table::{Naming, Promotion};

/// The version of the manifest that this program writes.
pub const MANIFEST_VERSION: u32 = 1;

/// Returns the path of a run's list of inputs, below the partition, as earlier versions published it.
pub(crate) fn inside_inputs_path(run: &str) -> String {
    format!("{INPUTS}/{run}.jsonl.gz")
}

/// The levels of [`inside_inputs_path`]. A path below the lake has more.
const INSIDE_LEVELS: usize = 2;

/// Describes a published day of a table. Readers must ignore unknown fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the file format.
    pub version: u32,
    /// Version of the program that published the day.
    pub logmill: String,
    /// Name of the table.
    pub table: String,
    /// Name of the log type.
    pub dataset: String,
    /// The day.
    pub day: KstDay,
    /// The run that published it, which is also the name of its folder.
    pub run: String,
    /// When it was published, UTC.
    pub published_at: String,
    /// When its inputs were listed, UTC.
    pub planned_at: String,
    /// Whether its inputs were listed while late objects could still arrive.
    pub provisional: bool,
    /// The time from which a run of the day is final, UTC.
    pub complete_at: String,
    /// The naming of the columns.
    pub naming: Naming,
    /// JSON values that have columns of their own.
    #[serde(default)]
    pub promote: Vec<Promotion>,
    /// `snake_case` names of the columns that were not written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop_columns: Vec<String>,
    /// Rules that left rows out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<String>,
    /// JSON paths whose values were masked, and query parameters, each written as `?` and its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redact: Vec<String>,
    /// Name of the column with the event time in UTC.
    pub event_time_column: String,
    /// The counts that account for every row read.
    pub ledger: RowLedger,
    /// Bytes of the raw objects.
    pub input_bytes: u64,
    /// Addresses of the inputs that were listed.
    pub inputs: Vec<String>,
    /// The objects that the listing found, except those of other times. Absent in manifests of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<ListedObjects>,
    /// The list of raw objects.
    pub inputs_file: InputsFile,
    /// The file of rejected rows.
    pub quarantine: Option<QuarantineFile>,
    /// Rejected rows in the ledger that did not fit into the quarantine, by reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted_only: Vec<CountedOnly>,
    /// What CloudTrail's digests prove about the day. Absent without digests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<DayProof>,
    /// The part files, in the order of their rows.
    pub parts: Vec<PartFile>,
    /// The catalog database in which the day should be registered, if any.
    #[serde(default)]
    pub database: Option<String>,
    /// Earlier runs of the day whose files may still exist for running queries.
    #[serde(default)]
    pub superseded: Vec<SupersededRun>,
}

/// A run whose day was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupersededRun {
    /// The run.
    pub run: String,
    /// When it was superseded, UTC.
    pub since: String,
}

impl SupersededRun {
    /// Whether readers may still be using it.
    #[must_use]
    pub fn is_kept(&self, grace_ms: i64, now: UtcInstant) -> bool {
        grace_ms > 0
            && UtcInstant::parse_iso8601(&self.since).is_some_and(|since| since.plus_ms(grace_ms) > now)
    }
}

/// The list of raw objects, gzipped JSON lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputsFile {
    /// Path below the lake. Days of earlier versions have it below the partition: `_inputs/<run>.jsonl.gz`.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Number of objects.
    pub objects: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// The rejected rows, JSON lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineFile {
    /// Path below the lake.
    pub path: String,
    /// Number of rows in it: the first ones, in the order of objects and records, if not all are kept.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

impl InputsFile {
    /// Whether it is inside the partition, as earlier versions published it.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.path.split('/').count() == INSIDE_LEVELS
    }

    /// Returns its path below the lake.
    #[must_use]
    pub fn place(&self, partition: &Partition) -> String {
        if self.is_inside() { format!("{partition}/{}", self.path) } else { self.path.clone() }
    }
}

impl Manifest {
    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)
            .map_err(|cause| Error::bug("cannot write the manifest as JSON").caused_by(cause))?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads the manifest that a lake stores.
    pub fn of(lake: &dyn Lake, stored: StoredManifest) -> Result<Self> {
        let read = Self::from_json(stored.json);
        let manifest = read.map_err(|error| error.with("path", lake.address(&stored.path)))?;
        Ok(match stored.written_at {
            Some(written_at) => manifest.superseding_since(written_at),
            None => manifest,
        })
    }

    /// Begins the grace of the runs that this one replaced at this time, if that is later than its run expected: the run may
    /// have been paused before its commit. These are the last ones of the list, with the same time.
    pub(super) fn superseding_since(mut self, at: UtcInstant) -> Self {
        let expected = self.superseded.last().map(|last| last.since.clone()).unwrap_or_default();
        if UtcInstant::parse_iso8601(&expected).is_some_and(|expected| expected < at) {
            for replaced in self.superseded.iter_mut().filter(|old| old.since == expected) {
                replaced.since = at.to_string();
            }
        }
        self
    }

    /// Reads a manifest.
    pub fn from_json(mut json: Vec<u8>) -> Result<Self> {
        let unusable = |cause: Box<dyn std::error::Error + Send + Sync>| {
            Error::unusable("cannot read the manifest", std::io::Error::other(cause))
                .hint("the file was changed after logmill wrote it: remove it and publish the day again")
        };
        let manifest: Self =
            simd_json::serde::from_slice(&mut json).map_err(|cause| unusable(cause.into()))?;
        if manifest.version > MANIFEST_VERSION {
            return Err(Error::new(ErrorKind::Unusable, "a newer version of logmill published the day")
                .with("version", manifest.version)
                .hint("use that version, or remove the manifest and publish the day again"));
        }
        match manifest.implausible() {
            Some(what) => Err(unusable(what.into())),
            None => Ok(manifest),
        }
    }

    /// Returns the partition of the day.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition { table: self.table.clone(), day: self.day }
    }

    /// Returns what decides the published columns. Fails if this version does not know the log type.
    pub fn shape(&self) -> Result<TableShape> {
        let dataset = LogType::require(&self.dataset).map_err(|error| error.with("table", &self.table))?;
        let (table, promote, drop_columns) =
            (self.table.clone(), self.promote.clone(), self.drop_columns.clone());
        Ok(TableShape { table, dataset, naming: self.naming, promote, drop_columns })
    }

    /// Returns the settings of a table that show in its rows and differ from those of this day.
    #[must_use]
    pub fn other_settings(&self, spec: &TableSpec) -> Vec<&'static str> {
        let settings = [
            ("naming", self.naming != spec.naming),
            ("promote", self.promote != spec.promote),
            ("drop_columns", self.drop_columns != spec.drop_columns),
            ("filter", self.filter != spec.filter),
            ("redact", self.redact != spec.redact.texts()),
        ];
        settings.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }

    /// Finds a value that logmill cannot have written. Later code follows the paths and adds up the numbers, so no path may
    /// lead outside the folder of the day, and no sum may overflow.
    pub(super) fn implausible(&self) -> Option<String> {
        let runs = self.superseded.iter().map(|superseded| &superseded.run).chain([&self.run]);
        let place = self.paths().find(|(path, expected)| path != expected);
        let number = self.numbers().find(|number| *number > MAX_COUNT);
        let run =
            || runs.into_iter().find(|run| !is_run_name(run)).map(|run| format!("invalid run name '{run}'"));
        let table = || (!is_table_name(&self.table)).then(|| format!("invalid table name '{}'", self.table));
        let place = || place.map(|(path, expected)| format!("found path '{path}', expected '{expected}'"));
        let number = || number.map(|number| format!("the number {number} is too large"));
        table().or_else(run).or_else(place).or_else(number)
    }

    /// Returns the paths in the manifest, each with the path it must have.
    fn paths(&self) -> impl Iterator<Item = (&str, String)> {
        let parts = self.parts.iter().enumerate();
        let parts = parts.map(|(number, part)| (part.path.as_str(), part_path(&self.run, number)));
        let partition = self.partition();
        let inputs = if self.inputs_file.is_inside() {
            inside_inputs_path(&self.run)
        } else {
            partition.inputs_file(&self.run)
        };
        let quarantine = self.quarantine.iter();
        let quarantine =
            quarantine.map(move |file| (file.path.as_str(), partition.quarantine_file(&self.run)));
        parts.chain(quarantine).chain([(self.inputs_file.path.as_str(), inputs)])
    }

    /// Returns the numbers in the manifest, except those that are only displayed.
    fn numbers(&self) -> impl Iterator<Item = u64> {
        let RowLedger { read, written, other_day, duplicate, quarantined, filtered } = self.ledger;
        let parts = self.parts.iter().flat_map(|part| [part.bytes, part.rows, part.row_groups]);
        let quarantine = self.quarantine.iter().flat_map(|file| [file.rows, file.bytes]);
        let listed = self.listed.iter().flat_map(ListedObjects::numbers);
        let proof = self.proof.iter().flat_map(DayProof::numbers);
        let inputs = [self.input_bytes, self.inputs_file.bytes, self.inputs_file.objects];
        let ledger = [read, written, other_day, duplicate, quarantined, filtered];
        parts.chain(quarantine).chain(listed).chain(proof).chain(inputs).chain(ledger)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the manifest of a day with one part file that the given run published.
    pub(crate) fn manifest_of(run: &str) -> Manifest {
        let mut manifest = Manifest { run: run.to_owned(), ..manifest() };
        manifest.parts[0].path = part_path(run, 0);
        manifest.inputs_file.path = manifest.partition().inputs_file(run);
        manifest
    }

    /// Returns the manifest of a day with one part file.
    pub(crate) fn manifest() -> Manifest {
        let json = serde_json::json!({
            "version": 1, "logmill": "0.1.0", "table": "s3_access", "dataset": "s3-access", "day": "2023-11-01",
            "run": "20231102T000000Z-0000000a", "published_at": "2023-11-02T00:00:00Z",
            "planned_at": "2023-11-02T00:00:00Z", "provisional": false, "complete_at": "2023-11-02T15:00:00Z",
            "naming": "snake", "event_time_column": "event_time",
            "ledger": {"read": 7, "written": 7, "other_day": 0, "duplicate": 0, "quarantined": 0},
            "input_bytes": 1, "inputs": ["s3://raw/"],
            "inputs_file": {
                "path": "_inputs/s3_access/proc_ymd=20231101/20231102T000000Z-0000000a.jsonl.gz",
                "bytes": 1, "objects": 1, "sha256": "",
            },
            "quarantine": null,
            "parts": [{
                "path": "20231102T000000Z-0000000a/part-00000.zstd.parquet", "bytes": 1234, "rows": 7,
                "row_groups": 1, "sha256": "", "min_event_time": "", "max_event_time": "",
            }],
        });
        Manifest::from_json(json.to_string().into_bytes()).unwrap()
    }

    #[test]
    fn a_replaced_run_is_kept_within_the_grace_and_never_without_one() {
        let old = SupersededRun { run: "a".to_owned(), since: "2023-11-02T05:00:00Z".to_owned() };
        // The time of S3 is known to the second and as late as its last answer, so it can be behind that of a file.
        for (grace_ms, now, is_kept) in [
            (3000, "2023-11-02T05:00:02Z", true),
            (3000, "2023-11-02T05:00:03Z", false),
            (3000, "2023-11-02T04:59:58Z", true),
            (0, "2023-11-02T04:59:58Z", false),
        ] {
            assert_eq!(
                old.is_kept(grace_ms, UtcInstant::parse_iso8601(now).unwrap()),
                is_kept,
                "{grace_ms} {now}"
            );
        }
    }

    #[test]
    fn the_grace_of_a_replaced_run_begins_when_the_manifest_is_written() {
        let old = |run: &str, since: &str| SupersededRun { run: run.to_owned(), since: since.to_owned() };
        let (first, second) = ("2023-11-02T00:00:00Z", "2023-11-02T05:00:00.123Z");
        for (written_at, expected) in [
            (first, second),
            ("2023-11-02T05:00:00Z", second),
            ("2023-11-03T07:00:00Z", "2023-11-03T07:00:00Z"),
        ] {
            let superseded = vec![old("a", first), old("b", second), old("c", second)];
            let read = Manifest { superseded, ..manifest() }
                .superseding_since(UtcInstant::parse_iso8601(written_at).unwrap());
            assert_eq!(read.superseded, [old("a", first), old("b", expected), old("c", expected)]);
        }
        let nothing_replaced = manifest().superseding_since(UtcInstant(i64::MAX));
        assert_eq!(nothing_replaced, manifest());
    }

    #[test]
    fn a_manifest_with_foreign_paths_or_impossible_numbers_is_rejected() {
        let good = serde_json::to_value(manifest()).unwrap();
        let run = manifest().run;
        for (pointer, value) in [
            ("/run", "../20231102T000000Z-0000000a".into()),
            ("/table", "../s3_access".into()),
            ("/inputs_file/path", "/dev/zero".into()),
            ("/inputs_file/path", format!("{run}/_inputs.jsonl.gz").into()),
            ("/inputs_file/path", "../x.jsonl.gz".into()),
            ("/inputs_file/path", format!("_inputs/other/proc_ymd=20231101/{run}.jsonl.gz").into()),
            ("/parts/0/path", format!("{run}/../../x.parquet").into()),
            ("/parts/0/path", format!("{run}/part-00001.zstd.parquet").into()),
            ("/parts/0/bytes", u64::MAX.into()),
            ("/parts/0/rows", (1_u64 << 63).into()),
            ("/ledger/read", u64::MAX.into()),
            ("/inputs_file/objects", u64::MAX.into()),
            ("/quarantine", serde_json::json!({"path": "/etc/passwd", "rows": 1, "bytes": 1, "sha256": ""})),
            ("/superseded", serde_json::json!([{"run": "..", "since": ""}])),
        ] {
            let mut changed = good.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            let error = Manifest::from_json(changed.to_string().into_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unusable, "{pointer}");
        }
        let mut inside = good;
        inside["inputs_file"]["path"] = format!("_inputs/{run}.jsonl.gz").into();
        let inside = Manifest::from_json(inside.to_string().into_bytes()).unwrap();
        let place = inside.inputs_file.place(&inside.partition());
        assert_eq!(place, format!("s3_access/proc_ymd=20231101/_inputs/{run}.jsonl.gz"));
        let deep = format!("{{\"unknown\": {}", "[".repeat(1 << 20));
        assert_eq!(Manifest::from_json(deep.into_bytes()).unwrap_err().kind(), ErrorKind::Unusable);
    }
}

//! Metrics of a run, as a file for the textfile collector of Prometheus' node exporter.
//!
//! The file is replaced as a whole at the end of a run. No series names a day, because that would add series every day. If a
//! run covers several days, counts are sums over them.
//!
//! <https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md>

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::console::Console;
use super::exit::Exit;
use super::whole_file::WholeFile;
use crate::digest::{DayProof, Verdict};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::ledger::RowLedger;
use crate::publish::run_record::{RunOutcome, RunRecord};

/// Values by label, for example `table="cloudtrail"`.
type Samples = BTreeMap<String, f64>;

struct Family {
    name: &'static str,
    help: &'static str,
    /// Returns the samples of one table.
    samples: fn(&TableRun<'_>) -> Samples,
}

const LAST_SUCCESS: &str = "logmill_last_success_timestamp_seconds";
const NEWEST_DAY: &str = "logmill_newest_day_timestamp_seconds";
const NEWEST_DAY_PROVISIONAL: &str = "logmill_newest_day_provisional";

/// All families with labels. `docs/observability.md` explains each number.
const FAMILIES: [Family; 18] = [
    family("logmill_last_run_timestamp_seconds", "When the last run of the table ended.", |run| {
        run.one(run.ended_at())
    }),
    family(LAST_SUCCESS, "When the last run of the table without failures ended.", |run| {
        if run.first_error().is_none() { run.one(run.ended_at()) } else { Samples::new() }
    }),
    family("logmill_last_run_exit_code", "Exit code of the first failure of the table, or 0.", |run| {
        run.one(
            run.first_error()
                .map_or(0.0, |record| record.error.as_ref().map_or(0.0, |error| f64::from(error.exit_code))),
        )
    }),
    family(NEWEST_DAY, "When the newest published KST day began.", |run| {
        run.newest_day().map_or_else(Samples::new, |day| run.one(seconds(day.day.window().start)))
    }),
    family(NEWEST_DAY_PROVISIONAL, "Whether late objects may still arrive for that day.", |run| {
        run.newest_day().map_or_else(Samples::new, |day| {
            let provisional = day.manifest.as_ref().is_some_and(|manifest| manifest.provisional);
            run.one(f64::from(u8::from(provisional)))
        })
    }),
    family("logmill_run_days", "Days of the last run, by outcome.", |run| {
        let published = run.published().count();
        let days = [("published", published), ("failed", run.records.len() - published)];
        run.each("outcome", days.map(|(outcome, days)| (outcome, days as f64)))
    }),
    family("logmill_run_failures", "Failures of the last run, by reason.", |run| {
        let mut reasons: BTreeMap<&str, f64> = BTreeMap::new();
        for error in run.records.iter().filter_map(|record| record.error.as_ref()) {
            *reasons.entry(&error.kind).or_default() += 1.0;
        }
        run.each("reason", reasons)
    }),
    family(
        "logmill_run_rows_read",
        "Rows found in the raw objects of the days that the last run published.",
        |run| run.sum(|record| record.ledger.read),
    ),
    family("logmill_run_rows", "Those rows by outcome; the sum equals the rows read.", |run| {
        let RowLedger { read: _, written, other_day, duplicate, quarantined, filtered } = run.ledger();
        let rows = [
            ("written", written),
            ("other_day", other_day),
            ("duplicate", duplicate),
            ("quarantined", quarantined),
            ("filtered", filtered),
        ];
        run.each("outcome", rows.map(|(outcome, rows)| (outcome, rows as f64)))
    }),
    family("logmill_run_objects", "Raw objects of the days that the last run published.", |run| {
        run.sum(|record| record.objects)
    }),
    family("logmill_run_input_bytes", "Size of those objects, as stored.", |run| {
        run.sum(|record| record.input_bytes)
    }),
    family("logmill_run_proofs", "Published days of the last run with digests, by verdict.", |run| {
        let verdicts = Verdict::ALL.map(|verdict| {
            let days = run.proofs().filter(|proof| proof.verdict == verdict).count();
            (verdict.word(), days as f64)
        });
        if run.proofs().next().is_some() { run.each("verdict", verdicts) } else { Samples::new() }
    }),
    family("logmill_run_files_named", "Log files of those days that digests name.", |run| {
        run.of_proofs(|proof| proof.files.named)
    }),
    family("logmill_run_files", "Those files by outcome; the sum equals the files named.", |run| {
        let sum = |value: fn(&DayProof) -> u64| run.proofs().map(value).sum::<u64>() as f64;
        let files = [
            ("right", sum(|proof| proof.files.right)),
            ("altered", sum(|proof| proof.files.altered)),
            ("missing", sum(|proof| proof.files.missing)),
        ];
        if run.proofs().next().is_some() { run.each("outcome", files) } else { Samples::new() }
    }),
    family(
        "logmill_run_files_unnamed",
        "Files of those days that were read but that no digest names.",
        |run| run.of_proofs(|proof| proof.unnamed),
    ),
    family("logmill_run_output_files", "Part files that the last run published.", |run| {
        run.sum(|record| record.files)
    }),
    family("logmill_run_output_bytes", "Size of those files.", |run| run.sum(|record| record.file_bytes)),
    family("logmill_run_step_seconds", "Time of the last run, by step.", |run| {
        let mut steps: BTreeMap<&str, f64> = BTreeMap::new();
        for (step, seconds) in run.records.iter().flat_map(|record| record.seconds.by_step()) {
            *steps.entry(step).or_default() += seconds;
        }
        run.each("step", steps)
    }),
];

const fn family(name: &'static str, help: &'static str, samples: fn(&TableRun<'_>) -> Samples) -> Family {
    Family { name, help, samples }
}

/// The records of a run for one table and one or more days.
struct TableRun<'a> {
    /// The labels of the table.
    labels: String,
    records: Vec<&'a RunRecord>,
}

impl<'a> TableRun<'a> {
    /// Groups run records by table.
    fn all(records: &'a [RunRecord]) -> Vec<Self> {
        let mut tables: BTreeMap<String, Vec<&RunRecord>> = BTreeMap::new();
        for record in records {
            let labels = format!("table=\"{}\",dataset=\"{}\"", record.table, record.dataset);
            tables.entry(labels).or_default().push(record);
        }
        tables.into_iter().map(|(labels, records)| Self { labels, records }).collect()
    }

    fn published(&self) -> impl Iterator<Item = &'a RunRecord> {
        self.records.iter().copied().filter(|record| record.outcome == RunOutcome::Published)
    }

    fn proofs(&self) -> impl Iterator<Item = &'a DayProof> {
        self.published().filter_map(|record| record.manifest.as_ref()?.proof.as_ref())
    }

    fn of_proofs(&self, value: fn(&DayProof) -> u64) -> Samples {
        let values: Vec<u64> = self.proofs().map(value).collect();
        if values.is_empty() { Samples::new() } else { self.one(values.iter().sum::<u64>() as f64) }
    }

    fn first_error(&self) -> Option<&'a RunRecord> {
        self.records.iter().copied().find(|record| record.error.is_some())
    }

    fn newest_day(&self) -> Option<&'a RunRecord> {
        self.published().max_by_key(|record| record.day)
    }

    fn ended_at(&self) -> f64 {
        self.records.iter().map(|record| record.ended()).max().map_or(0.0, seconds)
    }

    fn ledger(&self) -> RowLedger {
        let mut ledger = RowLedger::default();
        self.published().for_each(|record| ledger += record.ledger);
        ledger
    }

    fn one(&self, value: f64) -> Samples {
        Samples::from([(self.labels.clone(), value)])
    }

    fn sum(&self, value: fn(&RunRecord) -> u64) -> Samples {
        self.one(self.published().map(value).sum::<u64>() as f64)
    }

    fn each<'n>(&self, label: &str, values: impl IntoIterator<Item = (&'n str, f64)>) -> Samples {
        let labelled = |(name, value)| (format!("{},{label}=\"{name}\"", self.labels), value);
        values.into_iter().map(labelled).collect()
    }
}

fn seconds(at: UtcInstant) -> f64 {
    at.0 as f64 / 1000.0
}

/// Fails before any work is done if the file cannot be created.
pub(super) fn check(file: Option<&Path>) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    // A device or pipe, such as /dev/stdout, cannot return the earlier metrics to keep.
    let is_place = file.is_file() || !file.exists();
    let refused = || Error::new(ErrorKind::Usage, "cannot write the metrics").with("file", file.display());
    let hint = "pass --metrics-file a path in an existing, writable folder";
    if !is_place {
        return Err(refused().hint(hint));
    }
    let checked = WholeFile::at(file).and_then(|place| place.check());
    checked.map_err(|cause| refused().caused_by(cause).hint(hint))
}

/// Writes the metrics of a run, including failed tables. A failure to write is a warning and does not change the exit code.
pub(super) fn write(file: Option<&Path>, records: &[RunRecord], exit: Exit, console: Console) {
    let Some(file) = file else { return };
    // A missing or foreign file has no metrics of earlier runs.
    let old = fs::read_to_string(file).unwrap_or_default();
    let text = text(records, exit, &old);
    if let Err(cause) = WholeFile::at(file).and_then(|place| place.replace(&text)) {
        console.warn(
            "cannot write the metrics: the file still has those of an earlier run",
            &[("file", file.display().to_string().into()), ("cause", cause.to_string().into())],
        );
    }
}

/// Returns the new content of the file. `old` is the content that it replaces.
fn text(records: &[RunRecord], exit: Exit, old: &str) -> String {
    let mut families: BTreeMap<&str, Samples> = BTreeMap::new();
    for run in TableRun::all(records) {
        for family in &FAMILIES {
            families.entry(family.name).or_default().extend((family.samples)(&run));
        }
    }
    keep(&mut families, old);
    let mut text = block("logmill_exit_code", "Exit code of the last run.", [("", f64::from(exit.code()))]);
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    text +=
        &block("logmill_build_info", "Version of logmill that wrote this file.", [(version.as_str(), 1.0)]);
    for family in &FAMILIES {
        let samples = families.get(family.name).into_iter().flatten();
        text += &block(family.name, family.help, samples.map(|(labels, value)| (labels.as_str(), *value)));
    }
    text
}

/// Keeps the last success and the newest day of earlier runs if this run has nothing newer.
fn keep(families: &mut BTreeMap<&str, Samples>, old: &str) {
    let provisional = samples_in(old, NEWEST_DAY_PROVISIONAL);
    for (labels, old_day) in samples_in(old, NEWEST_DAY) {
        let days = families.entry(NEWEST_DAY).or_default();
        if days.get(&labels).is_none_or(|new_day| *new_day < old_day) {
            days.insert(labels.clone(), old_day);
            let kept = provisional.get(&labels).copied().unwrap_or_default();
            families.entry(NEWEST_DAY_PROVISIONAL).or_default().insert(labels, kept);
        }
    }
    let successes = families.entry(LAST_SUCCESS).or_default();
    for (labels, old_success) in samples_in(old, LAST_SUCCESS) {
        successes.entry(labels).or_insert(old_success);
    }
}

/// Parses the samples of a family in a file that logmill wrote. Skips other lines.
fn samples_in(text: &str, name: &str) -> Samples {
    let sample = |line: &str| {
        let (labels, value) = line.strip_prefix(name)?.strip_prefix('{')?.split_once("} ")?;
        let value: f64 = value.trim().parse().ok()?;
        value.is_finite().then(|| (labels.to_owned(), value))
    };
    text.lines().filter_map(sample).collect()
}

fn block<'a>(name: &str, help: &str, samples: impl IntoIterator<Item = (&'a str, f64)>) -> String {
    let mut block = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
    for (labels, value) in samples {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        block += &format!("{name}{labels} {value}\n");
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::run_record::RunError;
    use crate::store::lake::Partition;

    const LABELS: &str = "table=\"t\",dataset=\"d\"";

    fn record(day: &str, outcome: RunOutcome, rows: u64, ended_at: &str) -> RunRecord {
        let partition = Partition { table: "t".to_owned(), day: day.parse().unwrap() };
        let error = RunError { kind: "denied".to_owned(), exit_code: 4, message: String::new(), hint: None };
        let mut record = RunRecord::begun(&partition, "d", "run", UtcInstant(0));
        record.outcome = outcome;
        record.error = (outcome == RunOutcome::Failed).then_some(error);
        record.ended_at = ended_at.to_owned();
        record.ledger = RowLedger { read: rows, written: rows, ..RowLedger::default() };
        record.seconds.read = Some(1.5);
        record
    }

    fn published(day: &str, rows: u64) -> RunRecord {
        record(day, RunOutcome::Published, rows, "1970-01-01T00:00:10Z")
    }

    fn failed(day: &str) -> RunRecord {
        record(day, RunOutcome::Failed, 99, "1970-01-01T00:00:20Z")
    }

    fn value(text: &str, series: &str) -> Option<f64> {
        let line =
            text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
        line.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }

    fn check(records: &[RunRecord], old: &str, expected: &[(&str, &str, Option<f64>)]) -> String {
        let text = text(records, Exit::Done, old);
        for (name, label, expected) in expected {
            let series = format!("{name}{{{LABELS}{label}}}");
            assert_eq!(value(&text, &series), *expected, "{series} in\n{text}");
        }
        text
    }

    const DAY_1: f64 = 1_698_764_400.0;
    const DAY_2: f64 = DAY_1 + 86_400.0;

    #[test]
    fn counts_are_sums_over_days_and_a_failed_day_adds_only_time() {
        let days = [published("2023-11-02", 7), failed("2023-11-03"), published("2023-11-01", 5)];
        check(
            &days,
            "",
            &[
                ("logmill_run_days", ",outcome=\"published\"", Some(2.0)),
                ("logmill_run_days", ",outcome=\"failed\"", Some(1.0)),
                ("logmill_run_failures", ",reason=\"denied\"", Some(1.0)),
                ("logmill_run_rows", ",outcome=\"written\"", Some(12.0)),
                ("logmill_run_rows_read", "", Some(12.0)),
                ("logmill_run_step_seconds", ",step=\"read\"", Some(4.5)),
                ("logmill_last_run_exit_code", "", Some(4.0)),
                ("logmill_last_run_timestamp_seconds", "", Some(20.0)),
                (LAST_SUCCESS, "", None),
                (NEWEST_DAY, "", Some(DAY_2)),
            ],
        );
    }

    #[test]
    fn the_last_success_and_the_newest_day_are_kept_until_a_run_has_newer_ones() {
        let first = check(&[published("2023-11-01", 5)], "", &[(LAST_SUCCESS, "", Some(10.0))]);
        let kept = [(LAST_SUCCESS, "", Some(10.0)), (NEWEST_DAY, "", Some(DAY_1))];
        let second = check(&[failed("2023-11-02")], &first, &kept);
        let third = check(&[], &second, &kept);
        let newer = [(NEWEST_DAY, "", Some(DAY_2)), (NEWEST_DAY_PROVISIONAL, "", Some(0.0))];
        let fourth = check(&[published("2023-11-02", 5)], &third, &newer);
        check(&[published("2023-11-01", 5)], &fourth, &newer);
        let provisional =
            fourth.replace(&format!("provisional{{{LABELS}}} 0"), &format!("provisional{{{LABELS}}} 1"));
        check(&[published("2023-11-01", 5)], &provisional, &[(NEWEST_DAY_PROVISIONAL, "", Some(1.0))]);
    }

    #[test]
    fn a_foreign_file_is_ignored() {
        for old in
            ["\0\u{ff}", &format!("{LAST_SUCCESS}{{{LABELS}}} NaN\n"), &format!("{LAST_SUCCESS}{{{LABELS}")]
        {
            check(&[failed("2023-11-01")], old, &[(LAST_SUCCESS, "", None), (NEWEST_DAY, "", None)]);
        }
    }
}

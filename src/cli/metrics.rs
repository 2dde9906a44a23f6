//! The numbers of a run in a file for the textfile collector of Prometheus' node exporter.
//!
//! The file is replaced as a whole at the end of a run. No series names a day: there would be one more every day. Where a run
//! goes over several days, counts are sums over them.
//!
//! <https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md>

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::console::Console;
use super::exit::Exit;
use super::whole_file::WholeFile;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::ledger::RowLedger;
use crate::publish::run_record::{RunOutcome, RunRecord};

/// Values by their labels, such as `table="cloudtrail"`.
type Samples = BTreeMap<String, f64>;

struct Family {
    name: &'static str,
    help: &'static str,
    /// What a run tells of a table.
    samples: fn(&TableRun<'_>) -> Samples,
}

const LAST_SUCCESS: &str = "logmill_last_success_timestamp_seconds";
const NEWEST_DAY: &str = "logmill_newest_day_timestamp_seconds";
const NEWEST_DAY_PROVISIONAL: &str = "logmill_newest_day_provisional";

/// Every family with labels; what each number means is in `docs/observability.md`.
const FAMILIES: [Family; 14] = [
    family("logmill_last_run_timestamp_seconds", "When the last run of the table ended.", |run| {
        run.one(run.ended_at())
    }),
    family(LAST_SUCCESS, "When the last run of the table without any failure ended.", |run| {
        if run.first_error().is_none() { run.one(run.ended_at()) } else { Samples::new() }
    }),
    family("logmill_last_run_exit_code", "Exit code of the first failure of the table, or 0.", |run| {
        run.one(
            run.first_error()
                .map_or(0.0, |report| report.error.as_ref().map_or(0.0, |error| f64::from(error.exit_code))),
        )
    }),
    family(NEWEST_DAY, "When the newest published KST day began.", |run| {
        run.newest_day().map_or_else(Samples::new, |day| run.one(seconds(day.day.window().start)))
    }),
    family(NEWEST_DAY_PROVISIONAL, "Whether late objects of that day could still come.", |run| {
        run.newest_day().map_or_else(Samples::new, |day| {
            let provisional = day.manifest.as_ref().is_some_and(|manifest| manifest.provisional);
            run.one(f64::from(u8::from(provisional)))
        })
    }),
    family("logmill_run_days", "Days of the last run, by outcome.", |run| {
        let published = run.published().count();
        let days = [("published", published), ("failed", run.reports.len() - published)];
        run.each("outcome", days.map(|(outcome, days)| (outcome, days as f64)))
    }),
    family("logmill_run_failures", "Failures of the last run, by reason.", |run| {
        let mut reasons: BTreeMap<&str, f64> = BTreeMap::new();
        for error in run.reports.iter().filter_map(|report| report.error.as_ref()) {
            *reasons.entry(&error.kind).or_default() += 1.0;
        }
        run.each("reason", reasons)
    }),
    family(
        "logmill_run_rows_read",
        "Rows found in the raw objects of the days that the last run published.",
        |run| run.sum(|report| report.ledger.read),
    ),
    family("logmill_run_rows", "What became of those rows: the sum is what was read.", |run| {
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
        run.sum(|report| report.objects)
    }),
    family("logmill_run_input_bytes", "Size of those objects, as stored.", |run| {
        run.sum(|report| report.input_bytes)
    }),
    family("logmill_run_output_files", "Part files that the last run published.", |run| {
        run.sum(|report| report.files)
    }),
    family("logmill_run_output_bytes", "Size of those files.", |run| run.sum(|report| report.file_bytes)),
    family("logmill_run_step_seconds", "Time of the last run, by step.", |run| {
        let mut steps: BTreeMap<&str, f64> = BTreeMap::new();
        for (step, seconds) in run.reports.iter().flat_map(|report| report.seconds.by_step()) {
            *steps.entry(step).or_default() += seconds;
        }
        run.each("step", steps)
    }),
];

const fn family(name: &'static str, help: &'static str, samples: fn(&TableRun<'_>) -> Samples) -> Family {
    Family { name, help, samples }
}

/// What a run did with a table, on one day or more.
struct TableRun<'a> {
    /// Its labels.
    labels: String,
    reports: Vec<&'a RunRecord>,
}

impl<'a> TableRun<'a> {
    /// One for each table.
    fn all(reports: &'a [RunRecord]) -> Vec<Self> {
        let mut tables: BTreeMap<String, Vec<&RunRecord>> = BTreeMap::new();
        for report in reports {
            let labels = format!("table=\"{}\",dataset=\"{}\"", report.table, report.dataset);
            tables.entry(labels).or_default().push(report);
        }
        tables.into_iter().map(|(labels, reports)| Self { labels, reports }).collect()
    }

    fn published(&self) -> impl Iterator<Item = &'a RunRecord> {
        self.reports.iter().copied().filter(|report| report.outcome == RunOutcome::Published)
    }

    fn first_error(&self) -> Option<&'a RunRecord> {
        self.reports.iter().copied().find(|report| report.error.is_some())
    }

    fn newest_day(&self) -> Option<&'a RunRecord> {
        self.published().max_by_key(|report| report.day)
    }

    fn ended_at(&self) -> f64 {
        self.reports.iter().map(|report| report.ended()).max().map_or(0.0, seconds)
    }

    fn ledger(&self) -> RowLedger {
        let mut ledger = RowLedger::default();
        self.published().for_each(|report| ledger += report.ledger);
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

/// Refuses a file that cannot be made: better before the work than after.
pub(super) fn check(file: Option<&Path>) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    // What is not a file, such as /dev/stdout, has no earlier metrics that could be kept.
    let is_place = file.is_file() || !file.exists();
    let refused =
        || Error::new(ErrorKind::Usage, "the metrics cannot be written there").with("file", file.display());
    let hint = "give --metrics-file a file in a folder that exists and may be written to";
    if !is_place {
        return Err(refused().hint(hint));
    }
    let checked = WholeFile::at(file).and_then(|place| place.check());
    checked.map_err(|cause| refused().caused_by(cause).hint(hint))
}

/// Writes what a run did, also with tables that failed. What cannot be written is a warning: the days are as they are.
pub(super) fn write(file: Option<&Path>, reports: &[RunRecord], exit: Exit, console: Console) {
    let Some(file) = file else { return };
    // A file that is not there, or not ours, says nothing about earlier runs.
    let old = fs::read_to_string(file).unwrap_or_default();
    let text = text(reports, exit, &old);
    if let Err(cause) = WholeFile::at(file).and_then(|place| place.replace(&text)) {
        console.warn(
            "cannot write the metrics: the file is that of an earlier run",
            &[("file", file.display().to_string().into()), ("cause", cause.to_string().into())],
        );
    }
}

/// The new file; `old` is the one that it replaces.
fn text(reports: &[RunRecord], exit: Exit, old: &str) -> String {
    let mut families: BTreeMap<&str, Samples> = BTreeMap::new();
    for run in TableRun::all(reports) {
        for family in &FAMILIES {
            families.entry(family.name).or_default().extend((family.samples)(&run));
        }
    }
    keep(&mut families, old);
    let mut text = block("logmill_exit_code", "Exit code of the last run.", [("", f64::from(exit.code()))]);
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    text += &block("logmill_build_info", "The program that wrote this file.", [(version.as_str(), 1.0)]);
    for family in &FAMILIES {
        let samples = families.get(family.name).into_iter().flatten();
        text += &block(family.name, family.help, samples.map(|(labels, value)| (labels.as_str(), *value)));
    }
    text
}

/// What an earlier run has achieved stays when this one has not achieved more: the last success, and the newest day.
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

/// The samples of a family in a file of ours; lines that are not as we write them are passed over.
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

    fn report(day: &str, outcome: RunOutcome, rows: u64, ended_at: &str) -> RunRecord {
        let partition = Partition { table: "t".to_owned(), day: day.parse().unwrap() };
        let error = RunError { kind: "denied".to_owned(), exit_code: 4, message: String::new(), hint: None };
        let mut report = RunRecord::begun(&partition, "d", "run", UtcInstant(0));
        report.outcome = outcome;
        report.error = (outcome == RunOutcome::Failed).then_some(error);
        report.ended_at = ended_at.to_owned();
        report.ledger = RowLedger { read: rows, written: rows, ..RowLedger::default() };
        report.seconds.read = Some(1.5);
        report
    }

    fn published(day: &str, rows: u64) -> RunRecord {
        report(day, RunOutcome::Published, rows, "1970-01-01T00:00:10Z")
    }

    fn failed(day: &str) -> RunRecord {
        report(day, RunOutcome::Failed, 99, "1970-01-01T00:00:20Z")
    }

    fn value(text: &str, series: &str) -> Option<f64> {
        let line =
            text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
        line.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }

    fn check(reports: &[RunRecord], old: &str, expected: &[(&str, &str, Option<f64>)]) -> String {
        let text = text(reports, Exit::Done, old);
        for (name, label, expected) in expected {
            let series = format!("{name}{{{LABELS}{label}}}");
            assert_eq!(value(&text, &series), *expected, "{series} in\n{text}");
        }
        text
    }

    const DAY_1: f64 = 1_698_764_400.0;
    const DAY_2: f64 = DAY_1 + 86_400.0;

    #[test]
    fn over_several_days_counts_are_sums_and_a_failed_day_adds_time_only() {
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
    fn what_was_achieved_earlier_stays_until_more_is() {
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
    fn a_file_that_is_not_ours_says_nothing() {
        for old in
            ["\0\u{ff}", &format!("{LAST_SUCCESS}{{{LABELS}}} NaN\n"), &format!("{LAST_SUCCESS}{{{LABELS}")]
        {
            check(&[failed("2023-11-01")], old, &[(LAST_SUCCESS, "", None), (NEWEST_DAY, "", None)]);
        }
    }
}

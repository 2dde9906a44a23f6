//! Metrics of a table and day for CloudWatch: one log line in the Embedded Metric Format.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use serde_json::{Map, Value, json};

use crate::digest::{DayProof, Verdict};
use crate::publish::run_record::{RunOutcome, RunRecord};

const NAMESPACE: &str = "logmill";

/// The only dimension. Days and runs are not dimensions, because each value would be a separate metric.
const DIMENSION: &str = "table";

struct Metric {
    name: &'static str,
    unit: &'static str,
    value: fn(&RunRecord) -> u64,
}

const fn metric(name: &'static str, unit: &'static str, value: fn(&RunRecord) -> u64) -> Metric {
    Metric { name, unit, value }
}

/// Metrics of every day.
const ALWAYS: [Metric; 2] = [
    metric("DaysPublished", "Count", |record| u64::from(record.outcome == RunOutcome::Published)),
    metric("Failures", "Count", |record| u64::from(record.error.is_some())),
];

/// Metrics of published days only.
const OF_PUBLISHED: [Metric; 11] = [
    metric("RowsRead", "Count", |record| record.ledger.read),
    metric("RowsWritten", "Count", |record| record.ledger.written),
    metric("RowsOtherDay", "Count", |record| record.ledger.other_day),
    metric("RowsDuplicate", "Count", |record| record.ledger.duplicate),
    metric("RowsQuarantined", "Count", |record| record.ledger.quarantined),
    metric("RowsFiltered", "Count", |record| record.ledger.filtered),
    metric("Objects", "Count", |record| record.objects),
    metric("InputBytes", "Bytes", |record| record.input_bytes),
    metric("OutputFiles", "Count", |record| record.files),
    metric("OutputBytes", "Bytes", |record| record.file_bytes),
    metric("DaysProvisional", "Count", |record| {
        u64::from(record.manifest.as_ref().is_some_and(|manifest| manifest.provisional))
    }),
];

/// Metrics of published days with digests only.
const OF_PROVED: [Metric; 5] = [
    metric("DaysProved", "Count", |record| {
        u64::from(proof(record).is_some_and(|proof| proof.verdict == Verdict::Proved))
    }),
    metric("FilesNamed", "Count", |record| proof(record).map_or(0, |proof| proof.files.named)),
    metric("FilesAltered", "Count", |record| proof(record).map_or(0, |proof| proof.files.altered)),
    metric("FilesMissing", "Count", |record| proof(record).map_or(0, |proof| proof.files.missing)),
    metric("FilesUnnamed", "Count", |record| proof(record).map_or(0, |proof| proof.unnamed)),
];

fn proof(record: &RunRecord) -> Option<&DayProof> {
    record.manifest.as_ref()?.proof.as_ref()
}

/// Returns the line of a run record.
pub(super) fn line(record: &RunRecord) -> String {
    let of_published = if record.outcome == RunOutcome::Published { &OF_PUBLISHED[..] } else { &[] };
    let (mut definitions, mut values) = (Vec::new(), Map::new());
    let mut add = |name: &str, unit: &str, value: Value| {
        definitions.push(json!({"Name": name, "Unit": unit}));
        values.insert(name.to_owned(), value);
    };
    add("Duration", "Seconds", record.duration_seconds().into());
    let of_proved = if proof(record).is_some() { &OF_PROVED[..] } else { &[] };
    for metric in ALWAYS.iter().chain(of_published).chain(of_proved) {
        add(metric.name, metric.unit, (metric.value)(record).into());
    }
    let mut line = json!({
        "_aws": {
            "Timestamp": record.ended().0,
            "CloudWatchMetrics": [
                {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": definitions},
            ],
        },
        DIMENSION: record.table,
        "dataset": record.dataset,
        "day": record.day,
        "run": record.run,
        "outcome": record.outcome,
        "error": record.error.as_ref().map(|error| &error.kind),
    });
    if let Some(members) = line.as_object_mut() {
        members.extend(values);
    }
    line.to_string()
}

//! A table and day as CloudWatch takes metrics out of logs: one line in the Embedded Metric Format.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use serde_json::{Map, Value, json};

use crate::publish::run_record::{RunOutcome, RunRecord};

const NAMESPACE: &str = "logmill";

/// The one member that is a dimension: days and runs would be a metric each.
const DIMENSION: &str = "table";

struct Metric {
    name: &'static str,
    unit: &'static str,
    value: fn(&RunRecord) -> u64,
}

const fn metric(name: &'static str, unit: &'static str, value: fn(&RunRecord) -> u64) -> Metric {
    Metric { name, unit, value }
}

/// What is told of every day.
const ALWAYS: [Metric; 2] = [
    metric("DaysPublished", "Count", |report| u64::from(report.outcome == RunOutcome::Published)),
    metric("Failures", "Count", |report| u64::from(report.error.is_some())),
];

/// What is told of a published day.
const OF_PUBLISHED: [Metric; 11] = [
    metric("RowsRead", "Count", |report| report.ledger.read),
    metric("RowsWritten", "Count", |report| report.ledger.written),
    metric("RowsOtherDay", "Count", |report| report.ledger.other_day),
    metric("RowsDuplicate", "Count", |report| report.ledger.duplicate),
    metric("RowsQuarantined", "Count", |report| report.ledger.quarantined),
    metric("RowsFiltered", "Count", |report| report.ledger.filtered),
    metric("Objects", "Count", |report| report.objects),
    metric("InputBytes", "Bytes", |report| report.input_bytes),
    metric("OutputFiles", "Count", |report| report.files),
    metric("OutputBytes", "Bytes", |report| report.file_bytes),
    metric("DaysProvisional", "Count", |report| {
        u64::from(report.manifest.as_ref().is_some_and(|manifest| manifest.provisional))
    }),
];

/// The line of a report.
pub(super) fn line(report: &RunRecord) -> String {
    let of_published = if report.outcome == RunOutcome::Published { &OF_PUBLISHED[..] } else { &[] };
    let (mut definitions, mut values) = (Vec::new(), Map::new());
    let mut tell = |name: &str, unit: &str, value: Value| {
        definitions.push(json!({"Name": name, "Unit": unit}));
        values.insert(name.to_owned(), value);
    };
    tell("Duration", "Seconds", report.duration_seconds().into());
    for metric in ALWAYS.iter().chain(of_published) {
        tell(metric.name, metric.unit, (metric.value)(report).into());
    }
    let mut line = json!({
        "_aws": {
            "Timestamp": report.ended().0,
            "CloudWatchMetrics": [
                {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": definitions},
            ],
        },
        DIMENSION: report.table,
        "dataset": report.dataset,
        "day": report.day,
        "run": report.run,
        "outcome": report.outcome,
        "error": report.error.as_ref().map(|error| &error.kind),
    });
    if let Some(members) = line.as_object_mut() {
        members.extend(values);
    }
    line.to_string()
}

//! Compares two published runs of a day by their manifests and lists of inputs: their settings, and the row counts of each
//! raw object.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::kst::UtcInstant;
use crate::publish::inputs::{self, InputLine};
use crate::publish::manifest::Manifest;
use crate::publish::read_manifest;
use crate::publish::run_history::RunHistory;
use crate::publish::run_record::{self, RunRecord};
use crate::store::Lake;
use crate::store::lake::Partition;

/// A published run of a day, live or superseded.
#[derive(Debug, Clone)]
pub struct RunVersion {
    /// Its manifest.
    pub manifest: Manifest,
    /// The objects that it read; `None` if they are no longer recorded.
    pub inputs: Option<Vec<InputLine>>,
    /// Whether it is the live run.
    pub is_live: bool,
}

/// The recorded published runs of a day: the live one first, then the others, newest first.
pub struct PublishedRuns<'a> {
    lake: &'a dyn Lake,
    partition: &'a Partition,
    live: Option<Manifest>,
    superseded: Vec<Manifest>,
}

impl<'a> PublishedRuns<'a> {
    /// Reads the manifest and the run records.
    pub fn read(lake: &'a dyn Lake, partition: &'a Partition) -> Result<Self> {
        let live = read_manifest(lake, partition)?;
        let manifest_of = |record: RunRecord| record.manifest;
        let mut superseded: Vec<Manifest> =
            RunHistory::list(lake, partition)?.records()?.into_iter().filter_map(manifest_of).collect();
        superseded.retain(|old| live.as_ref().is_none_or(|live| live.run != old.run));
        Ok(Self { lake, partition, live, superseded })
    }

    /// Returns the names of all runs.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.live.iter().chain(&self.superseded).map(|manifest| manifest.run.as_str()).collect()
    }

    /// Returns the run with a name: `live`, `previous` for the run before it, or a run's own name.
    pub fn named(&self, name: &str) -> Result<Option<RunVersion>> {
        let manifest = match name {
            "live" => self.live.as_ref(),
            "previous" => self.superseded.first(),
            name => self.live.iter().chain(&self.superseded).find(|manifest| manifest.run == name),
        };
        manifest.map(|manifest| self.version(manifest)).transpose()
    }

    fn version(&self, manifest: &Manifest) -> Result<RunVersion> {
        let path = manifest.inputs_file.place(self.partition);
        let inputs = match inputs::read(self.lake, &path, &manifest.inputs_file)? {
            Some(inputs) => Some(inputs),
            None => run_record::inputs(self.lake, self.partition, manifest)?,
        };
        let is_live = self.live.as_ref().is_some_and(|live| live.run == manifest.run);
        Ok(RunVersion { manifest: manifest.clone(), inputs, is_live })
    }
}

/// Fields of a manifest that are not settings: results, and names of the run.
const NOT_SETTINGS: [&str; 15] = [
    "version",
    "table",
    "day",
    "run",
    "published_at",
    "planned_at",
    "provisional",
    "complete_at",
    "ledger",
    "input_bytes",
    "inputs_file",
    "quarantine",
    "counted_only",
    "parts",
    "superseded",
];

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingDiff {
    /// Its name in the manifest, or `lateness`.
    pub name: String,
    /// Its value in the first run; null if it was not set.
    pub a: Value,
    /// Its value in the second run; null if it was not set.
    pub b: Value,
}

/// Returns the settings that differ, including those that this version does not know.
pub fn setting_diffs(a: &Manifest, b: &Manifest) -> Result<Vec<SettingDiff>> {
    let (a, b) = (settings(a)?, settings(b)?);
    let names: Vec<&String> = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))).collect();
    let value = |of: &Map<String, Value>, name: &str| of.get(name).cloned().unwrap_or_default();
    let pairs = names.into_iter().map(|name| (name, value(&a, name), value(&b, name)));
    let differing = pairs.filter(|(_, a, b)| a != b);
    Ok(differing.map(|(name, a, b)| SettingDiff { name: name.clone(), a, b }).collect())
}

fn settings(manifest: &Manifest) -> Result<Map<String, Value>> {
    let value = serde_json::to_value(manifest)
        .map_err(|cause| Error::bug("cannot write the manifest as JSON").caused_by(cause))?;
    let Value::Object(mut fields) = value else { return Ok(Map::new()) };
    fields.retain(|name, _| !NOT_SETTINGS.contains(&name.as_str()));
    let complete_at = UtcInstant::parse_iso8601(&manifest.complete_at);
    let lateness_ms = complete_at.and_then(|at| u64::try_from(at.0 - manifest.day.window().end.0).ok());
    let lateness = lateness_ms.map(|millis| humantime::format_duration(Duration::from_millis(millis)));
    fields.insert("lateness".to_owned(), json!(lateness.map(|lateness| lateness.to_string())));
    Ok(fields)
}

/// How a raw object differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectChange {
    /// Only the first run read it.
    OnlyA,
    /// Only the second run read it.
    OnlyB,
    /// Its size or `ETag` differs.
    Changed,
    /// It is the same object, but its rows differ.
    OtherRows,
}

/// A raw object that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectDiff {
    /// Its address.
    pub object: String,
    /// How it differs.
    pub change: ObjectChange,
    /// Its entry in the first run.
    pub a: Option<InputLine>,
    /// Its entry in the second run.
    pub b: Option<InputLine>,
}

/// Returns the raw objects that differ, in address order.
#[must_use]
pub fn object_diffs(a: &[InputLine], b: &[InputLine]) -> Vec<ObjectDiff> {
    let mut pairs: BTreeMap<&str, (Option<&InputLine>, Option<&InputLine>)> = BTreeMap::new();
    for line in a {
        pairs.entry(&line.object).or_default().0 = Some(line);
    }
    for line in b {
        pairs.entry(&line.object).or_default().1 = Some(line);
    }
    let diff = |(object, (a, b)): (&str, (Option<&InputLine>, Option<&InputLine>))| {
        let change = match (a, b) {
            (Some(_), None) => ObjectChange::OnlyA,
            (None, _) => ObjectChange::OnlyB,
            (Some(a), Some(b)) if !a.has_content(b.bytes, b.etag.as_deref()) => ObjectChange::Changed,
            (Some(a), Some(b)) if (a.ledger, a.damaged) != (b.ledger, b.damaged) => ObjectChange::OtherRows,
            _ => return None,
        };
        Some(ObjectDiff { object: object.to_owned(), change, a: a.cloned(), b: b.cloned() })
    };
    pairs.into_iter().filter_map(diff).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::RowLedger;
    use crate::table::Naming;

    fn line(object: &str, bytes: u64, etag: Option<&str>, written: u64) -> InputLine {
        let ledger = RowLedger { read: written, written, ..RowLedger::default() };
        crate::publish::inputs::tests::line(object, bytes, etag, ledger)
    }

    #[test]
    fn objects_differ_by_presence_content_and_rows() {
        use ObjectChange::{Changed, OnlyA, OnlyB, OtherRows};
        let a =
            [line("a", 1, None, 1), line("b", 1, Some("x"), 1), line("c", 1, None, 1), line("d", 1, None, 1)];
        let b = [
            line("b", 1, Some("y"), 1),
            line("c", 2, None, 1),
            line("d", 1, Some("z"), 2),
            line("e", 1, None, 0),
        ];
        let found: Vec<_> = object_diffs(&a, &b).into_iter().map(|diff| (diff.object, diff.change)).collect();
        let expected = [("a", OnlyA), ("b", Changed), ("c", Changed), ("d", OtherRows), ("e", OnlyB)];
        assert_eq!(found, expected.map(|(object, change)| (object.to_owned(), change)));
        assert!(object_diffs(&a, &a).is_empty());
    }

    #[test]
    fn settings_are_compared_without_the_results_of_the_runs() {
        let a = crate::publish::manifest::tests::manifest();
        let mut b = Manifest { run: "other".to_owned(), published_at: "later".to_owned(), ..a.clone() };
        assert!(setting_diffs(&a, &b).unwrap().is_empty());
        b.naming = Naming::Compact;
        b.complete_at = "2023-11-01T16:00:00Z".to_owned();
        let found = setting_diffs(&a, &b).unwrap();
        let names: Vec<&str> = found.iter().map(|diff| diff.name.as_str()).collect();
        assert_eq!(names, ["naming", "lateness"]);
        assert_eq!((&found[1].a, &found[1].b), (&json!("1day"), &json!("1h")));
    }
}

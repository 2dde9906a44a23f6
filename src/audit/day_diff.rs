//! Compares two runs of a day: their settings, their objects and their rows.

use super::row_diff::{RowDiff, RowDiffOptions, has_files, row_diff};
use super::run_diff::{ObjectDiff, RunVersion, SettingDiff, object_diffs, setting_diffs};
use crate::error::Result;
use crate::store::Lake;
use crate::store::lake::Partition;

/// The differences between two runs of a day.
pub struct DayDiff {
    /// The first run.
    pub a: RunVersion,
    /// The second run.
    pub b: RunVersion,
    /// The settings that differ.
    pub settings: Vec<SettingDiff>,
    /// The objects that differ; `None` if the inputs of one run are no longer recorded.
    pub objects: Option<Vec<ObjectDiff>>,
    /// The rows that differ; `None` if the files of one run have been removed.
    pub rows: Option<RowDiff>,
}

impl DayDiff {
    /// Compares two runs of a day. Runs on the current pool of workers.
    pub fn between(
        lake: &dyn Lake,
        partition: &Partition,
        [a, b]: [RunVersion; 2],
        options: &RowDiffOptions,
    ) -> Result<Self> {
        let manifests = [&a.manifest, &b.manifest];
        let have_files = has_files(lake, partition, &a.manifest)? && has_files(lake, partition, &b.manifest)?;
        let rows = have_files.then(|| row_diff(lake, partition, manifests, options)).transpose()?;
        let objects = match (&a.inputs, &b.inputs) {
            (Some(a), Some(b)) => Some(object_diffs(a, b)),
            _ => None,
        };
        let settings = setting_diffs(&a.manifest, &b.manifest)?;
        Ok(Self { a, b, settings, objects, rows })
    }
}

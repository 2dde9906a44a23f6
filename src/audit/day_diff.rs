//! The comparison of two runs of a day.

use crate::audit::{ObjectDiff, RowDiff, RowDiffOptions, RunVersion, SettingDiff};
use crate::cli::context::{Context, on_workers};
use crate::cli::settings::Settings;
use crate::error::Result;
use crate::road::identity_key;
use crate::store::Lake;
use crate::store::lake::Partition;

/// The differences between two runs of a day.
pub(super) struct Diff {
    pub(super) a: RunVersion,
    pub(super) b: RunVersion,
    pub(super) settings: Vec<SettingDiff>,
    /// `None` if the inputs of one run are no longer recorded.
    pub(super) objects: Option<Vec<ObjectDiff>>,
    /// `None` if the files of one run have been removed.
    pub(super) rows: Option<RowDiff>,
}

impl Diff {
    pub(super) fn of(
        lake: &dyn Lake,
        partition: &Partition,
        [a, b]: [RunVersion; 2],
        examples: usize,
        settings: &Settings,
        context: &Context,
    ) -> Result<Self> {
        let manifests = [&a.manifest, &b.manifest];
        let has_files = |manifest| crate::audit::has_files(lake, partition, manifest);
        let rows = if has_files(&a.manifest)? && has_files(&b.manifest)? {
            let memory = settings.convert_options(&context.cancel).memory;
            let options =
                RowDiffOptions { examples, memory, key: identity_key()?, cancel: context.cancel.clone() };
            let compare = || crate::audit::row_diff(lake, partition, manifests, &options);
            Some(on_workers(settings.threads, compare)??)
        } else {
            None
        };
        let objects = match (&a.inputs, &b.inputs) {
            (Some(a), Some(b)) => Some(crate::audit::object_diffs(a, b)),
            _ => None,
        };
        let settings = crate::audit::setting_diffs(&a.manifest, &b.manifest)?;
        Ok(Self { a, b, settings, objects, rows })
    }
}

//! `logmill diff`: compares two runs of a day. [`show`] prints the differences.

mod show;

use super::args::{DiffArgs, GlobalArgs};
use super::exit::Exit;
use super::settings::{Flags, Settings};
use super::{Context, console, on_workers, verify};
use crate::audit::{ObjectDiff, PublishedRuns, RowDiff, RowDiffOptions, RunVersion, SettingDiff};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::road::identity_key;
use crate::store::Lake;
use crate::store::lake::Partition;

pub(super) fn run(args: &DiffArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags { lake: Some(&args.lake), ..Flags::default() })?;
    let connector = context.connector(&settings);
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    let day = KstDay::parse(&args.day.day, console::now())?;
    let (mut known, mut compared) = (Vec::new(), 0);
    for table in verify::tables(args.table.as_deref(), lake.as_ref(), day)? {
        let partition = Partition { table, day };
        let runs = PublishedRuns::read(lake.as_ref(), &partition)?;
        known.extend(runs.names().iter().map(|name| format!("{name} of {}", partition.table)));
        if let (Some(a), Some(b)) = (runs.named(&args.a)?, runs.named(&args.b)?) {
            let diff = Diff::of(lake.as_ref(), &partition, [a, b], args.limit, &settings, context)?;
            show::print(&partition, &diff, args.limit, args.format)?;
            compared += 1;
        }
    }
    if compared == 0 {
        return Err(Error::new(ErrorKind::Unusable, "no table of the day has both runs")
            .with("day", day)
            .with("runs", format!("{} and {}", args.a, args.b))
            .hint(format!("choose from the recorded runs: {}", known.join(", "))));
    }
    Ok(Exit::Done)
}

/// The differences between two runs of a day.
struct Diff {
    a: RunVersion,
    b: RunVersion,
    settings: Vec<SettingDiff>,
    /// `None` if the inputs of one run are no longer recorded.
    objects: Option<Vec<ObjectDiff>>,
    /// `None` if the files of one run have been removed.
    rows: Option<RowDiff>,
}

impl Diff {
    fn of(
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

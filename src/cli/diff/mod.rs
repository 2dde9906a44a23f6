//! `logmill diff`: compares two runs of a day. [`show`] prints the differences.

mod show;

use super::args::{DiffArgs, GlobalArgs};
use super::context::{Context, on_workers};
use super::exit::Exit;
use super::settings::Flags;
use super::{console, verify};
use crate::audit::{DayDiff, PublishedRuns, RowDiffOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::road::identity_key;
use crate::store::lake::Partition;

pub(super) fn run(args: &DiffArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags::of([&*args.lake]))?;
    let connector = context.connector(&settings);
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    let day = KstDay::parse(&args.day.day, console::now())?;
    let options = RowDiffOptions {
        examples: args.limit,
        memory: settings.convert_options(&context.cancel).memory,
        key: identity_key()?,
        cancel: context.cancel.clone(),
    };
    let (mut known, mut compared) = (Vec::new(), 0);
    for table in verify::tables(args.table.as_deref(), lake.as_ref(), day)? {
        let partition = Partition { table, day };
        let runs = PublishedRuns::read(lake.as_ref(), &partition)?;
        known.extend(runs.names().iter().map(|name| format!("{name} of {}", partition.table)));
        if let (Some(a), Some(b)) = (runs.named(&args.a)?, runs.named(&args.b)?) {
            let compare = || DayDiff::between(lake.as_ref(), &partition, [a, b], &options);
            let diff = on_workers(settings.threads, compare)??;
            show::print(&partition, &diff, args.limit, args.format)?;
            compared += 1;
        }
    }
    if compared == 0 {
        return Err(Error::new(ErrorKind::Unusable, "no table of the day has both runs")
            .with("day", day)
            .with("runs", format!("{} and {}", args.a, args.b))
            .hint(match &known[..] {
                [] => format!("publish the day with 'logmill run --day {day}'"),
                known => format!("choose from the recorded runs: {}", known.join(", ")),
            }));
    }
    Ok(Exit::Done)
}

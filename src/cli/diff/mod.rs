//! `logmill diff`: compares two runs of a day. [`show`] prints the differences.

mod show;

use super::args::{DiffArgs, GlobalArgs};
use super::context::{Context, on_workers};
use super::exit::Exit;
use super::settings::Flags;
use super::{published_days, verify};
use crate::audit::{DayDiff, PublishedRuns, RowDiffOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::road::identity_key;
use crate::store::lake::Partition;

pub(super) fn run(args: &DiffArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags::of([&*args.lake]))?;
    let connector = context.connector(&settings);
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    let day = published_days::day_of(&args.day, lake.as_ref(), args.table.as_deref())?;
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
        if let (Some(a), Some(b)) = (runs.named(&args.a)?, runs.named(&args.b)?) {
            let compare = || DayDiff::between(lake.as_ref(), &partition, [a, b], &options);
            let diff = on_workers(settings.threads, compare)??;
            show::print(&partition, &diff, args, context.console.out)?;
            compared += 1;
        }
        let names = runs.names().into_iter().map(str::to_owned).collect();
        known.push(KnownRuns { table: partition.table, names });
    }
    if compared == 0 { Err(not_compared(args, day, &known)) } else { Ok(Exit::Done) }
}

/// The recorded runs of a table.
struct KnownRuns {
    table: String,
    names: Vec<String>,
}

/// Explains why no table has both runs.
fn not_compared(args: &DiffArgs, day: KstDay, known: &[KnownRuns]) -> Error {
    let names =
        known.iter().flat_map(|of| of.names.iter().map(move |name| format!("{name} of {}", of.table)));
    let names = names.collect::<Vec<_>>().join(", ");
    let has_one_run = known.iter().all(|of| of.names.len() < 2);
    if has_one_run && args.a == "previous" && !names.is_empty() {
        return Error::new(ErrorKind::Unusable, "the day has only one recorded run, so there is nothing to compare")
            .with("day", day)
            .with("run", names)
            .hint(format!(
                "compare after another run of the day, for example 'logmill run --day {day}'; 'logmill status --day {day}' \
                 shows its rows"
            ));
    }
    Error::new(ErrorKind::Unusable, "no table of the day has both runs")
        .with("day", day)
        .with("runs", format!("{} and {}", args.a, args.b))
        .hint(if names.is_empty() {
            format!("publish the day with 'logmill run --day {day}'")
        } else {
            format!("choose from the recorded runs: {names}")
        })
}

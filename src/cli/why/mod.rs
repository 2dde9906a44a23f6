//! `logmill why`: finds an event, or explains why it is not in the lake.
//!
//! [`IdSearch`] searches, and [`show`] prints the result.

mod show;

use super::args::{GlobalArgs, WhyArgs};
use super::context::{Context, on_workers};
use super::exit::Exit;
use super::progress::Bar;
use super::settings::{Flags, rows};
use super::{console, existing_lake, published_days};
use crate::audit::Fate;
use crate::audit::why::{IdSearch, recorded_dataset};
use crate::convert;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::kst::{DayRange, KstDay};
use crate::plan::{TablePlan, TableSource};
use crate::road::{Tables, Work, identity_key};
use crate::store::lake::Partition;

pub(super) fn run(args: &WhyArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let day = day_of(args, global, context)?;
    let named = dataset_of_lone_table(args, day, global, context)?;
    let mut flags = Flags::of([&*args.source, &args.lake, &args.read]).with_sources();
    if let Some(dataset) = named {
        flags = flags.or(&rows::DATASET, dataset.name());
    }
    let settings = context.settings(global, &flags)?;
    let connector = context.connector(&settings);
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    if settings.sources.iter().all(|source| source.spec.inputs.is_empty()) {
        existing_lake::require(lake.as_ref(), context.console)?;
    }
    let tables = Tables::of_lake(&settings.sources, DayRange::only(day), &connector, lake.as_ref())?;
    let refused = tables.refused.into_iter().flat_map(|refusal| refusal.sources);
    let sources: Vec<TableSource> = tables.sources.into_iter().chain(refused).collect();
    let (what, id) = args.id.given();
    let begin_bar = |plan: &TablePlan| -> Box<dyn convert::Progress> {
        Box::new(Bar::begin(context.console, &plan.spec.table, Work::Read(plan.bytes())))
    };
    let search = IdSearch {
        sources: &sources,
        connector: &connector,
        lake: lake.as_ref(),
        day,
        what,
        id,
        identity_key: identity_key()?,
        options: settings.convert_options(&context.cancel),
        only_sources: flags.has(&rows::TABLE) || flags.has(&rows::DATASET),
        deep: args.deep,
        progress: &begin_bar,
    };
    let findings = on_workers(settings.threads, || search.run())??;
    show::print(&search, &findings, args.format, context.console.out)?;
    let is_found = findings.iter().any(|table| table.fate() == Fate::InLake);
    Ok(if is_found { Exit::Done } else { Exit::NoInput })
}

/// Returns the given day, or an error that proposes published days.
fn day_of(args: &WhyArgs, global: &GlobalArgs, context: &Context) -> Result<KstDay> {
    if let Some(day) = args.day.given(console::now())? {
        return Ok(day);
    }
    let settings = context.settings(global, &Flags::of([&*args.lake]))?;
    let lake = context.connector(&settings).lake(settings.output()?, &settings.lake.access)?;
    published_days::day_of(&args.day, lake.as_ref(), args.source.one(&rows::TABLE).as_deref())
}

/// Returns the log type that the lake records for a table that is named without one.
fn dataset_of_lone_table(
    args: &WhyArgs,
    day: KstDay,
    global: &GlobalArgs,
    context: &Context,
) -> Result<Option<&'static dyn Dataset>> {
    let (Some(table), None) = (args.source.one(&rows::TABLE), args.source.one(&rows::DATASET)) else {
        return Ok(None);
    };
    let settings = context.settings(global, &Flags::of([&*args.lake]))?;
    let connector = context.connector(&settings);
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    recorded_dataset(lake.as_ref(), &Partition { table, day })
}

//! `logmill run`: plan, convert, publish and register a day.

use std::collections::BTreeMap;

use serde_json::json;

use super::args::{GlobalArgs, RunArgs, day_count};
use super::backfill;
use super::catalog::Registrar;
use super::console;
use super::day::{DayRun, PublishedTable, identity_key};
use super::exit::Exit;
use super::outcomes::{conclude, each_table};
use super::run_report::seconds_since;
use super::settings::Flags;
use super::tables::Tables;
use super::{Context, metrics, on_workers};
use crate::error::Result;
use crate::kst::DayRange;
use crate::plan::{TableSource, plan_table};

pub(super) fn run(args: &RunArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags::from(&args.road))?;
    metrics::check(settings.watch.metrics_file.as_deref())?;
    let day = args.day.begun(console::now())?;
    let lookback = args.lookback.as_deref().map(day_count).transpose()?;
    let output = settings.output()?;
    let connector = context.connector(&settings);
    let registrar = Registrar::open(&settings, &connector, context.console)?;
    let lake = connector.lake(output, &settings.lake.access)?;
    let day_run = DayRun::new(&settings, lake.as_ref(), day, context, &connector, registrar.as_ref())?;
    let days = DayRange { first: day.minus_days(lookback.unwrap_or(0)), last: day };
    let Tables { sources, refused, not_built } = Tables::of(&settings, days, &connector, context.console)?;
    Registrar::foresee(registrar.as_ref(), lake.as_ref(), &sources)?;
    let (mut outcomes, rebuilt) = on_workers(settings.threads, || match lookback {
        None => {
            let run_one = |table: &TableSource| run_table(&day_run, table);
            (each_table(&day_run, &sources, |table| table.table.as_str(), run_one), BTreeMap::new())
        }
        Some(days) => backfill::look_back(&day_run, &sources, days),
    })?;
    for (source, error) in refused {
        day_run.record_walk(&source, &error);
        outcomes.add(&source.table, Err(error));
    }
    let summary_json = args.road.write.summary_json.as_deref();
    Ok(conclude(&day_run, outcomes, rebuilt, not_built, summary_json)?.0)
}

/// The whole road of one table.
fn run_table(day_run: &DayRun<'_>, source: &TableSource) -> Result<PublishedTable> {
    let began = console::now();
    let staged = day_run.begin(&source.table, source.dataset.name(), true)?;
    let day_run = &day_run.listing_now();
    let planning = day_run.planned_at;
    let plan = plan_table(source, day_run.day, day_run.connector)?;
    day_run.say_planned(&plan, Some(seconds_since(planning)));
    day_run.warn_of_left(&plan.table, plan.left.iter());
    day_run.warn_of_no_object(&plan);
    for left in &plan.left {
        let facts = || vec![("object", json!(left.address)), ("why", json!(left.why))];
        day_run.debug(&plan.table, "left out", facts);
    }
    day_run.cancel.check()?;
    let scattered = day_run.scatter(&plan, identity_key()?, &staged)?;
    day_run.finish(&plan, scattered, staged, began)
}

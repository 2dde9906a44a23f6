//! `logmill publish`: a day whose shards have all been converted.

use std::collections::BTreeMap;

use super::args::{GlobalArgs, PublishArgs, begun};
use super::catalog::Registrar;
use super::day::DayRun;
use super::exit::Exit;
use super::outcomes::{conclude, each_table};
use super::plan_file::{PlanFile, staging};
use super::settings::Flags;
use super::{Context, console, metrics, on_workers};
use crate::convert::Scattered;
use crate::error::Result;

pub(super) fn run(args: &PublishArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags {
        lake: Some(&args.lake),
        write: Some(&args.write),
        catalog: Some(&args.catalog),
        ..Flags::default()
    };
    let settings = context.settings(global, &flags)?;
    metrics::check(settings.watch.metrics_file.as_deref())?;
    let connector = context.connector(&settings);
    let plan_file = PlanFile::at(&args.plan, &settings, &connector)?;
    let (plan, plan_id) = plan_file.read()?;
    begun(plan.day, console::now())?;
    let staging = staging(&args.staging, plan.day, &settings, &connector)?;
    let registrar = Registrar::open(&settings, &connector, context.console)?;
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    Registrar::foresee(registrar.as_ref(), lake.as_ref(), &plan.tables)?;
    let day_run = DayRun {
        planned_at: plan.planned_at()?,
        ..DayRun::new(&settings, lake.as_ref(), plan.day, context, &connector, registrar.as_ref())?
    };
    let publish_table = |table: &crate::plan::TablePlan| {
        let began = console::now();
        let staged = day_run.begin(&table.table, &table.dataset, true)?;
        day_run.note_plan(table);
        day_run.warn_of_no_object(table);
        let scratch = staged.scratch().path();
        let scattered = Scattered::of_shards(&staging, &table.table, plan.shards, &plan_id, scratch)?;
        day_run.finish(table, scattered, staged, began)
    };
    let outcomes = on_workers(settings.threads, || {
        each_table(&day_run, &plan.tables, |table| table.table.as_str(), publish_table)
    })?;
    let exit = conclude(&day_run, outcomes, BTreeMap::new(), Vec::new(), args.write.summary_json.as_deref())?;
    if args.remove_staging && exit == Exit::Done {
        on_workers(settings.threads, || {
            plan.tables.iter().try_for_each(|table| staging.remove(&table.table))
        })??;
        plan_file.remove()?;
    }
    Ok(exit)
}

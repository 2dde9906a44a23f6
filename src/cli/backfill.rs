//! `logmill backfill`: builds a range of days, reading each raw object once.

use super::args::{BackfillArgs, GlobalArgs};
use super::conclusion::Conclusion;
use super::context::{Context, on_workers};
use super::exit::Exit;
use super::{console, forecast, metrics, tables};
use crate::error::Result;
use crate::kst::KstDay;
use crate::road::backfill::backfill;
use crate::road::{Registrar, Reporter, Road};

pub(super) fn run(args: &BackfillArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &args.road.flags())?;
    metrics::check(settings.watch.metrics_file.as_deref())?;
    let days = args.days.range(console::now(), None)?;
    let (rule, order) = (args.rule()?, args.order.into());
    let output = settings.output()?;
    let connector = context.connector(&settings);
    let registrar = settings.registrar(&connector, console::now)?;
    let lake = connector.lake(output, &settings.lake.access)?;
    let (announcer, options) = (context.announcer(&settings), settings.road_options(&context.cancel));
    let road = Road::new(lake.as_ref(), &connector, registrar.as_ref(), options, &announcer, console::now)?;
    let wanted: Vec<KstDay> = days.days().collect();
    let tables = tables::of_inputs(&settings, days, &connector, context)?;
    if args.dry_run {
        return forecast::run(&road, &tables.all()?, &wanted, order, &rule, context.console);
    }
    Registrar::foresee(registrar.as_ref(), lake.as_ref(), &tables.sources)?;
    let mut found = on_workers(settings.threads, || backfill(&road, &tables.sources, &wanted, order, &rule))?;
    for refusal in tables.refused {
        Reporter::of_walk(&road, &wanted).record_refusal(&refusal);
        found.failed.extend(refusal.failures());
    }
    let summary_json = args.road.write.summary_json.as_deref();
    Conclusion { road: &road, settings: &settings, console: context.console, day: days.last, summary_json }
        .of_days(&found, days, tables.not_built)
}

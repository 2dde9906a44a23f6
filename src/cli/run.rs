//! `logmill run`: plans, converts, publishes and registers a day.

use super::args::{GlobalArgs, RunArgs, day_count};
use super::conclusion::Conclusion;
use super::context::{Context, on_workers};
use super::exit::Exit;
use super::{console, metrics, proposal, tables};
use crate::error::Result;
use crate::kst::DayRange;
use crate::plan::TableSource;
use crate::road::backfill::{LookedBack, look_back};
use crate::road::{DayRoad, Registrar, Road, Tables, each_table};

pub(super) fn run(args: &RunArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &args.road.flags())?;
    metrics::check(settings.watch.metrics_file.as_deref())?;
    let day = proposal::day_of(args.day.begun(console::now())?, &settings, context)?;
    let lookback = args.lookback.as_deref().map(day_count).transpose()?;
    let output = settings.output()?;
    let connector = context.connector(&settings);
    let registrar = settings.registrar(&connector, console::now)?;
    let lake = connector.lake(output, &settings.lake.access)?;
    let (announcer, options) = (context.announcer(&settings), settings.road_options(&context.cancel));
    let road = Road::new(lake.as_ref(), &connector, registrar.as_ref(), options, &announcer, console::now)?;
    let days = DayRange { first: day.minus_days(lookback.unwrap_or(0)), last: day };
    let Tables { sources, refused, unread } =
        tables::of_inputs(&settings, days, &connector, context, Some(lake.as_ref()))?;
    Registrar::foresee(registrar.as_ref(), lake.as_ref(), &sources)?;
    let day_road = DayRoad::new(&road, day);
    let (mut outcomes, earlier) = on_workers(settings.threads, || match lookback {
        None => {
            let run_one = |table: &TableSource| day_road.run_table(table);
            (each_table(&day_road, &sources, run_one), LookedBack::default())
        }
        Some(days) => look_back(&day_road, &sources, days),
    })?;
    for refusal in refused {
        day_road.reporter().record_refusal(&refusal);
        outcomes.failed.extend(refusal.failures());
    }
    let summary_json = args.road.write.summary_json.as_deref();
    let conclusion =
        Conclusion { road: &road, settings: &settings, console: context.console, day, summary_json };
    let (exit, _) = conclusion.of_day(&outcomes, &earlier, unread)?;
    if outcomes.has_done() && outcomes.done.iter().all(|done| done.manifest.ledger.written == 0) {
        proposal::propose_other_days(day, &settings, context);
    }
    Ok(exit)
}

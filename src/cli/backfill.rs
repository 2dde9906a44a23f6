//! `logmill backfill`: builds a range of days, reading each raw object once.

use super::args::{BackfillArgs, GlobalArgs};
use super::conclusion::Conclusion;
use super::console::Console;
use super::context::{Context, on_workers};
use super::exit::Exit;
use super::settings::LogFormat;
use super::{console, forecast, metrics, tables};
use crate::error::Result;
use crate::kst::{DayRange, KstDay};
use crate::road::backfill::backfill;
use crate::road::{RangeEnd, Registrar, Reporter, Road, WantedDays};

pub(super) fn run(args: &BackfillArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &args.road.flags())?;
    metrics::check(settings.watch.metrics_file.as_deref())?;
    let days = args.days.range(console::now(), None)?;
    let rule = args.rule()?;
    let output = settings.output()?;
    let connector = context.connector(&settings);
    let registrar = settings.registrar(&connector, console::now)?;
    let lake = connector.lake(output, &settings.lake.access)?;
    let (announcer, options) = (context.announcer(&settings), settings.road_options(&context.cancel));
    let road = Road::new(lake.as_ref(), &connector, registrar.as_ref(), options, &announcer, console::now)?;
    let all: Vec<KstDay> = days.days().collect();
    let wanted = WantedDays { days: &all, order: args.order.into(), end: args.days.end() };
    if !args.dry_run {
        announce(days, wanted, context.console);
    }
    let tables = tables::of_inputs(&settings, days, &connector, context, Some(lake.as_ref()))?;
    if args.dry_run {
        return forecast::run(&road, &tables.all()?, wanted, &rule, context.console);
    }
    Registrar::foresee(registrar.as_ref(), lake.as_ref(), &tables.sources)?;
    let mut found = on_workers(settings.threads, || backfill(&road, &tables.sources, wanted, &rule))?;
    for refusal in tables.refused {
        Reporter::of_walk(&road, &all).record_refusal(&refusal);
        found.failed.extend(refusal.failures());
    }
    let summary_json = args.road.write.summary_json.as_deref();
    Conclusion { road: &road, settings: &settings, console: context.console, day: days.last, summary_json }
        .of_days(&found, days, tables.unread)
}

/// Tells a reader which days are meant before the work begins. Without a last day, that would be a surprise at the end.
fn announce(days: DayRange, wanted: WantedDays<'_>, console: Console) {
    let number = console::counted(wanted.days.len() as u64, "KST day");
    let rule = match wanted.end {
        RangeEnd::LastLog => {
            "without --to, each table ends with its last day that has logs; --dry-run lists the days"
        }
        RangeEnd::Named if console.advises() && days.first < days.last => {
            "missing days without logs are published as empty; --dry-run lists the days"
        }
        RangeEnd::Named => return,
    };
    if console.format == LogFormat::Text {
        console.info(&format!("{number}, {days}: {rule}"), &[]);
    }
}

//! `logmill doctor`: compares raw logs, lake and catalog, day by day.
//!
//! [`DayChecker`] collects the facts from the three places, [`crate::catalog::diagnosis`] compares them, [`show`] prints the
//! findings, and [`fix`] repairs what can be repaired without the raw logs. [`permissions`] tries the permissions that a run
//! needs, and a [`policy`] names those that are missing. [`probe`] tries what a store promises.

mod fix;
mod next_step;
mod permissions;
mod places;
mod policy;
mod probe;
mod show;

use self::places::Places;
use super::args::{DoctorArgs, GlobalArgs, ShowFormat};
use super::clean::{self, PrintLine};
use super::context::Context;
use super::exit::Exit;
use super::settings::{Flags, rows};
use super::{console, existing_lake, verify};
use crate::catalog::diagnosis::Finding;
use crate::error::{ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::plan::TableSource;
use crate::road::diagnosis::{DayChecker, can_repair};
use crate::road::{Refusal, Tables};

/// Default number of days, up to yesterday.
const DEFAULT_DAYS: i64 = 7;

pub(super) fn run(args: &DoctorArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags::of([&*args.source, &args.lake, &args.catalog]).with_sources();
    let settings = context.settings(global, &flags)?;
    let now = console::now();
    if let Some(address) = &args.probe {
        return probe::run(address, &settings, context, args.format);
    }
    let days: Vec<KstDay> = args.days.range(now, Some(DEFAULT_DAYS))?.days().collect();
    let connector = context.connector(&settings);
    let registrar = settings.registrar(&connector, console::now)?;
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    let registrar = registrar.as_ref();
    let places =
        Places { settings: &settings, connector: &connector, lake: lake.as_ref(), registrar, context, now };
    if args.permissions {
        return permissions::run(&places, &days, args.format);
    }
    check_lake(&places)?;
    let (sources, refused) = sources_of(&places, &days)?;
    let checker = DayChecker {
        sources: &sources,
        connector: &connector,
        lake: lake.as_ref(),
        registrar,
        cancel: &context.cancel,
        clean_options: &|| clean::default_options(&settings, lake.as_ref()),
    };
    let only = args.source.one(&rows::TABLE);
    let tables = checker.tables(only.as_deref(), &days)?;
    if let (Some(only), true) = (&only, tables.is_empty()) {
        verify::require_table(lake.as_ref(), only)?;
    }
    show::print(&places, &tables, args.format)?;
    let is_left: Box<dyn Fn(&Finding) -> bool> = if args.fix {
        let failed = fix::run(&places, &tables, args.dry_run, line_printer(args.format))?;
        Box::new(move |finding| failed || args.dry_run || !can_repair(finding))
    } else {
        Box::new(|_| true)
    };
    let diagnosed = tables.iter().flat_map(|table| &table.days);
    let ok = diagnosed.clone().flat_map(|day| &day.findings).all(|finding| !is_left(finding))
        && diagnosed.clone().all(|day| day.failed.is_none());
    Ok(if ok && refused.is_empty() { Exit::Done } else { Exit::Unusable })
}

/// Returns the tables to compare with raw logs. A log type that was not named is one of them if the inputs hold its logs, or
/// if the lake has days of it. Reports inputs that cannot be read or hold no logs at all.
fn sources_of(places: &Places<'_>, days: &[KstDay]) -> Result<(Vec<TableSource>, Vec<Refusal>)> {
    let (with_inputs, mut sources): (Vec<_>, Vec<_>) =
        places.settings.sources.iter().cloned().partition(|source| !source.spec.inputs.is_empty());
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok((with_inputs, Vec::new())) };
    let days = DayRange { first: *first, last: *last };
    let found = Tables::of_lake(&with_inputs, days, places.connector, places.lake)?;
    found.refused.iter().for_each(|refusal| places.context.console.error(&refusal.error));
    sources.extend(found.sources);
    Ok((sources, found.refused))
}

/// Fails if no lake exists. With raw logs, this is a warning, because their days are reported as missing.
fn check_lake(places: &Places<'_>) -> Result<()> {
    let console = places.context.console;
    let has_raw_logs = places.settings.sources.iter().any(|source| !source.spec.inputs.is_empty());
    match existing_lake::require(places.lake, console) {
        Err(error) if has_raw_logs && error.kind() == ErrorKind::Unusable => {
            console.warn("no lake found", &[("output", places.lake.address("").into())]);
            Ok(())
        }
        found => found,
    }
}

/// Returns the function that prints the lines of `--fix`.
fn line_printer(format: ShowFormat) -> PrintLine {
    match format {
        ShowFormat::Table => clean::print_text,
        ShowFormat::Json => |line| console::print(&format!("{}\n", serde_json::json!({"fix": line}))),
    }
}

//! `logmill doctor`: compares raw logs, lake and catalog, day by day.
//!
//! [`DayChecker`] collects the facts from the three places, [`crate::catalog::diagnosis`] compares them, [`show`] prints the
//! findings, and [`fix`] repairs what can be repaired without the raw logs. [`permissions`] tries the permissions that a run
//! needs, and a [`policy`] names those that are missing.

mod fix;
mod next_step;
mod permissions;
mod places;
mod policy;
mod show;

use self::places::Places;
use super::args::{DoctorArgs, GlobalArgs, ShowFormat};
use super::clean::{self, PrintLine};
use super::console;
use super::context::Context;
use super::exit::Exit;
use super::settings::{Flags, rows};
use crate::catalog::diagnosis::Finding;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::road::diagnosis::{DayChecker, can_repair};

/// Default number of days, up to yesterday.
const DEFAULT_DAYS: usize = 7;

pub(super) fn run(args: &DoctorArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags::of([&*args.source, &args.lake, &args.catalog]).with_sources();
    let settings = context.settings(global, &flags)?;
    let now = console::now();
    let days = days(args, now)?;
    let connector = context.connector(&settings);
    let registrar = settings.registrar(&connector, console::now)?;
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    let registrar = registrar.as_ref();
    let places =
        Places { settings: &settings, connector: &connector, lake: lake.as_ref(), registrar, context, now };
    if args.permissions {
        return permissions::run(&places, &days, args.format);
    }
    let checker = DayChecker {
        sources: &settings.sources,
        connector: &connector,
        lake: lake.as_ref(),
        registrar,
        cancel: &context.cancel,
        clean_options: &|| clean::default_options(&settings, lake.as_ref()),
    };
    let tables = checker.tables(args.source.one(&rows::TABLE).as_deref(), &days)?;
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
    Ok(if ok { Exit::Done } else { Exit::Unusable })
}

/// Returns the function that prints the lines of `--fix`.
fn line_printer(format: ShowFormat) -> PrintLine {
    match format {
        ShowFormat::Table => clean::print_text,
        ShowFormat::Json => |line| console::print(&format!("{}\n", serde_json::json!({"fix": line}))),
    }
}

/// Returns the days to check, in order.
fn days(args: &DoctorArgs, now: UtcInstant) -> Result<Vec<KstDay>> {
    let parse = |day: &Option<String>| day.as_deref().map(|day| KstDay::parse(day, now)).transpose();
    if let Some(day) = parse(&args.day)? {
        return Ok(vec![day]);
    }
    let last = parse(&args.to)?.unwrap_or_else(|| KstDay::of(now).previous());
    let Some(first) = parse(&args.from)? else {
        let mut days: Vec<KstDay> =
            std::iter::successors(Some(last), |day| Some(day.previous())).take(DEFAULT_DAYS).collect();
        days.reverse();
        return Ok(days);
    };
    if last < first {
        return Err(Error::new(ErrorKind::Usage, "the range of days ends before it begins")
            .with("from", first)
            .with("to", last)
            .hint("pass the earlier day with --from"));
    }
    Ok(std::iter::successors(Some(first), |day| Some(day.next())).take_while(|day| *day <= last).collect())
}

//! `logmill doctor`: compares raw logs, lake and catalog, day by day.
//!
//! [`gather`] collects the facts from the three places, [`crate::catalog::diagnosis`] compares them, [`show`] prints the
//! findings, and [`fix`] repairs what can be repaired without the raw logs. [`permissions`] tries the permissions that a run
//! needs, and a [`policy`] names those that are missing.

mod fix;
mod gather;
mod permissions;
mod policy;
mod show;

use super::args::{DoctorArgs, GlobalArgs, ShowFormat};
use super::clean::{self, PrintLine};
use super::exit::Exit;
use super::settings::{Flags, Settings};
use super::{Context, console};
use crate::catalog::change::PROJECTION_HINT;
use crate::catalog::diagnosis::{Finding, Repair};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::road::Registrar;
use crate::store::{Connector, Lake};

/// Default number of days, up to yesterday.
const DEFAULT_DAYS: usize = 7;

/// The three places that are compared.
struct Places<'a> {
    settings: &'a Settings,
    connector: &'a Connector,
    lake: &'a dyn Lake,
    registrar: Option<&'a Registrar>,
    context: &'a Context,
    now: UtcInstant,
}

pub(super) fn run(args: &DoctorArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags {
        source: Some(&args.source),
        lake: Some(&args.lake),
        catalog: Some(&args.catalog),
        ..Flags::default()
    };
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
    let tables = gather::tables(&places, args.source.table.as_deref(), &days)?;
    show::print(&places, &tables, args.format)?;
    let is_left: Box<dyn Fn(&Finding) -> bool> = if args.fix {
        let failed = fix::run(&places, &tables, args.dry_run, line_printer(args.format))?;
        Box::new(move |finding| failed || args.dry_run || !fix::can_fix(finding))
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

/// Returns the next step for a finding.
fn next_step(places: &Places<'_>, table: &str, day: KstDay, finding: &Finding) -> String {
    let output = places.settings.lake_address();
    let catalog = places.registrar.map(Registrar::flags).unwrap_or_default();
    match finding {
        Finding::Missing { .. } | Finding::Stale { .. } | Finding::Lost { .. } => {
            format!("logmill run --day {day}{} --output {output}{catalog}", source_flags(places, table))
        }
        Finding::Orphaned { ours: false, .. } => {
            "find out what registered it: no run of this lake did".to_owned()
        }
        Finding::Schema { repair: Repair::Projection, .. } => PROJECTION_HINT.to_owned(),
        Finding::Schema { repair: Repair::Person, .. } => {
            "choose another table or database, or drop the table from the catalog and register its days again"
                .to_owned()
        }
        Finding::Leftovers { .. } => format!("logmill clean --output {output} --table {table}{catalog}"),
        Finding::NotRegistered | Finding::Dangling { .. } | Finding::Schema { .. } => {
            places.registrar.map(|registrar| registrar.command(table, day)).unwrap_or_default()
        }
        Finding::Orphaned { .. } => {
            format!("logmill doctor --day {day} --output {output}{catalog} --fix")
        }
    }
}

/// Returns the flags that name the source of a table.
fn source_flags(places: &Places<'_>, table: &str) -> String {
    let source = places.settings.sources.iter().find(|source| source.spec.table == table);
    let dataset = source.map(|source| format!(" --dataset {}", source.spec.dataset));
    let mut flags = format!("{} --table {table}", dataset.unwrap_or_default());
    for input in source.map(|source| &source.spec.inputs).into_iter().flatten() {
        flags += &format!(" --input {input}");
    }
    flags
}

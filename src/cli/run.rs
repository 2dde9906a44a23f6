//! `logmill run`: plan, convert, publish and register a day.

use serde_json::json;

use super::args::{GlobalArgs, RunArgs};
use super::catalog::Registrar;
use super::day::{DayRun, PublishedTable, run_name};
use super::exit::Exit;
use super::report::{DayReports, seconds_since};
use super::settings::Flags;
use super::summary::{self, FailedTable, Summary, TableSummary};
use super::{Context, console, on_workers};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::{TableSource, UNRECOGNISED, plan_table};

pub(super) fn run(args: &RunArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    summary::clear(args.write.summary_json.as_deref())?;
    let flags = Flags {
        source: Some(&args.source),
        lake: Some(&args.lake),
        write: Some(&args.write),
        read: Some(&args.read),
        catalog: Some(&args.catalog),
    };
    let settings = context.settings(global, &flags)?;
    let tables = settings.tables()?;
    let connector = context.connector(&settings);
    let registrar = Registrar::open(&settings, &connector, context.console)?;
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    let started_at = console::now();
    let day = KstDay::parse(&args.day.day, started_at)?;
    let day_run = DayRun {
        settings: &settings,
        lake: lake.as_ref(),
        day,
        run: run_name(started_at)?,
        started_at,
        planned_at: started_at,
        console: context.console,
        cancel: &context.cancel,
        connector: &connector,
        registrar: registrar.as_ref(),
        reports: DayReports::default(),
    };
    let outcomes = on_workers(settings.threads, || {
        each_table(&day_run, tables, |table| table.table.as_str(), |table| run_table(&day_run, table))
    })?;
    conclude(&day_run, outcomes, args.write.summary_json.as_deref())
}

/// The whole road of one table.
fn run_table(day_run: &DayRun<'_>, source: &TableSource) -> Result<PublishedTable> {
    let began = console::now();
    let staged = day_run.begin(&source.table, source.dataset.name())?;
    let planning = console::now();
    let plan = plan_table(source, day_run.day, day_run.connector)?;
    day_run.note_plan(&plan);
    day_run.note(&plan.table, |report| report.seconds.plan = Some(seconds_since(planning)));
    day_run.console.step(
        "planned",
        &[
            ("table", plan.table.clone().into()),
            ("objects", plan.objects.len().into()),
            ("bytes", plan.bytes().into()),
            ("left", plan.left.len().into()),
        ],
    );
    let unrecognised: Vec<_> = plan.left.iter().filter(|left| left.why == UNRECOGNISED).collect();
    if let Some(first) = unrecognised.first() {
        let facts = [
            ("table", json!(plan.table)),
            ("objects", json!(unrecognised.len())),
            ("first", json!(first.address)),
        ];
        day_run
            .console
            .warn("objects are left out, since neither key nor content tell that they are logs", &facts);
    }
    for left in &plan.left {
        day_run.console.debug("left out", &[("object", json!(left.address)), ("why", json!(left.why))]);
    }
    day_run.cancel.check()?;
    let scattered = day_run.scatter(&plan, identity_key()?, &staged)?;
    day_run.finish(&plan, scattered, staged, began)
}

/// A secret for the identities of rows.
pub(super) fn identity_key() -> Result<[u64; 4]> {
    Ok([super::random()?, super::random()?, super::random()?, super::random()?])
}

/// What became of the tables of a day.
pub(super) struct Outcomes {
    /// Tables that were published.
    done: Vec<TableSummary>,
    /// What failed, also of tables that were published but could not be registered.
    failed: Vec<(String, Error)>,
}

/// Works on one table after the other; one that fails does not stop the others, a signal does.
pub(super) fn each_table<T>(
    day_run: &DayRun<'_>,
    tables: &[T],
    name: impl Fn(&T) -> &str,
    work: impl Fn(&T) -> Result<PublishedTable>,
) -> Outcomes {
    let mut outcomes = Outcomes { done: Vec::new(), failed: Vec::new() };
    for table in tables {
        let failure = match work(table) {
            Ok(published) => {
                outcomes.done.push(published.summary);
                published.not_registered
            }
            Err(error) => {
                day_run.record_failure(name(table), &error);
                Some(error)
            }
        };
        let Some(error) = failure else { continue };
        let stops = error.kind() == ErrorKind::Interrupted;
        outcomes.failed.push((name(table).to_owned(), error));
        if stops {
            break;
        }
    }
    outcomes
}

/// Tells what was done and how it ends.
pub(super) fn conclude(day_run: &DayRun<'_>, outcomes: Outcomes, summary_json: Option<&str>) -> Result<Exit> {
    for (_, error) in &outcomes.failed {
        day_run.console.error(error);
    }
    let exit = exit_of(&outcomes, day_run.settings.fail_on_empty);
    if exit == Exit::NoInput {
        let error = Error::new(ErrorKind::NoInput, "a table has no rows for the day")
            .with("day", day_run.day)
            .hint("the day is published as empty; 'logmill plan' shows what was looked at");
        day_run.console.error(&error);
    }
    let Outcomes { done, failed } = outcomes;
    let failed = failed.into_iter().map(|(table, error)| FailedTable {
        published: done.iter().any(|summary| summary.table == table),
        error: error.to_string(),
        table,
    });
    let failed = failed.collect();
    let summary = Summary::new(day_run.run.clone(), day_run.day, exit, done, failed);
    summary.deliver(summary_json, day_run.console.quiet)?;
    Ok(exit)
}

fn exit_of(outcomes: &Outcomes, fail_on_empty: bool) -> Exit {
    let exits: Vec<Exit> = outcomes.failed.iter().map(|(_, error)| Exit::from(error.kind())).collect();
    match Exit::of_failures(&exits, !outcomes.done.is_empty()) {
        Exit::Done if fail_on_empty && outcomes.done.iter().any(|table| table.ledger.written == 0) => {
            Exit::NoInput
        }
        exit => exit,
    }
}

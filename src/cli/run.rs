//! `logmill run`: plan, convert, publish and register a day.

use std::collections::BTreeMap;

use serde_json::json;

use super::args::{GlobalArgs, RunArgs, day_count};
use super::backfill;
use super::catalog::Registrar;
use super::console;
use super::day::{DayRun, PublishedTable, run_name};
use super::exit::Exit;
use super::report::{Reports, seconds_since};
use super::settings::Flags;
use super::summary::{self, DaySummary, FailedTable, Summary, TableSummary};
use super::{Context, metrics, on_workers};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::{LeftObject, TableSource, UNRECOGNISED, plan_table};

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
    metrics::check(settings.watch.metrics_file.as_deref())?;
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
        reports: Reports::default(),
    };
    let lookback = args.lookback.as_deref().map(day_count).transpose()?;
    let (outcomes, rebuilt) = on_workers(settings.threads, || match lookback {
        None => {
            let run_one = |table: &TableSource| run_table(&day_run, table);
            (each_table(&day_run, tables, |table| table.table.as_str(), run_one), BTreeMap::new())
        }
        Some(days) => backfill::look_back(&day_run, tables, days),
    })?;
    conclude(&day_run, outcomes, rebuilt, args.write.summary_json.as_deref())
}

/// The whole road of one table.
fn run_table(day_run: &DayRun<'_>, source: &TableSource) -> Result<PublishedTable> {
    let began = console::now();
    let staged = day_run.begin(&source.table, source.dataset.name(), true)?;
    let day_run = &day_run.listing_now();
    let planning = day_run.planned_at;
    let plan = plan_table(source, day_run.day, day_run.connector)?;
    day_run.say_planned(&plan, Some(seconds_since(planning)));
    let unrecognised: Vec<_> = plan.left.iter().filter(|left| left.why == UNRECOGNISED).cloned().collect();
    warn_of_unrecognised(day_run, &plan.table, &unrecognised);
    for left in &plan.left {
        let facts = || vec![("object", json!(left.address)), ("why", json!(left.why))];
        day_run.debug(&plan.table, "left out", facts);
    }
    day_run.cancel.check()?;
    let scattered = day_run.scatter(&plan, identity_key()?, &staged)?;
    day_run.finish(&plan, scattered, staged, began)
}

/// Tells of objects that are left out, though they may be logs.
pub(super) fn warn_of_unrecognised(day_run: &DayRun<'_>, table: &str, unrecognised: &[LeftObject]) {
    let Some(first) = unrecognised.first() else { return };
    day_run.warn(
        table,
        "objects are left out, since neither key nor content tell that they are logs",
        vec![("objects", json!(unrecognised.len())), ("first", json!(first.address))],
    );
}

/// A secret for the identities of rows.
pub(super) fn identity_key() -> Result<[u64; 4]> {
    Ok([super::random()?, super::random()?, super::random()?, super::random()?])
}

/// What became of the tables of a day.
#[derive(Default)]
pub(super) struct Outcomes {
    /// Tables that were published.
    done: Vec<TableSummary>,
    /// What failed, also of tables that were published but could not be registered.
    failed: Vec<(String, Error)>,
}

impl Outcomes {
    /// Notes what became of a table.
    pub(super) fn add(&mut self, table: &str, outcome: Result<PublishedTable>) {
        let failure = match outcome {
            Ok(published) => {
                self.done.push(published.summary);
                published.not_registered
            }
            Err(error) => Some(error),
        };
        self.failed.extend(failure.map(|error| (table.to_owned(), error)));
    }

    /// How each failure would end the program alone.
    pub(super) fn exits(&self) -> impl Iterator<Item = Exit> {
        self.failed.iter().map(|(_, error)| error.kind().into())
    }

    /// Whether some table was published.
    pub(super) fn has_done(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether a table was published without a row.
    pub(super) fn has_empty(&self) -> bool {
        self.done.iter().any(|table| table.ledger.written == 0)
    }

    fn was_interrupted(&self) -> bool {
        self.failed.iter().any(|(_, error)| error.kind() == ErrorKind::Interrupted)
    }

    /// The summary of the day; failures were told when they happened.
    pub(super) fn conclude(self, day: KstDay) -> DaySummary {
        let Self { done, failed } = self;
        let failed = failed.into_iter().map(|(table, error)| {
            let published = done.iter().any(|summary| summary.table == table);
            FailedTable { published, error: error.to_string(), table }
        });
        DaySummary { day, failed: failed.collect(), tables: done }
    }
}

/// Works on one table after the other; one that fails does not stop the others, a signal does.
pub(super) fn each_table<T>(
    day_run: &DayRun<'_>,
    tables: &[T],
    name: impl Fn(&T) -> &str,
    work: impl Fn(&T) -> Result<PublishedTable>,
) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for table in tables {
        let outcome = work(table);
        if let Err(error) = &outcome {
            day_run.record_failure(name(table), error);
        }
        outcomes.add(name(table), outcome);
        if outcomes.was_interrupted() {
            break;
        }
    }
    outcomes
}

/// Tells what was done and how it ends.
pub(super) fn conclude(
    day_run: &DayRun<'_>,
    outcomes: Outcomes,
    rebuilt: BTreeMap<KstDay, Outcomes>,
    summary_json: Option<&str>,
) -> Result<Exit> {
    let exit = exit_of(&outcomes, &rebuilt, day_run.settings.fail_on_empty);
    if exit == Exit::NoInput {
        let error = Error::new(ErrorKind::NoInput, "a table has no rows for the day")
            .with("day", day_run.day)
            .hint("the day is published as empty; 'logmill plan' shows what was looked at");
        day_run.console.failed(&error, day_run.about());
    }
    let day = outcomes.conclude(day_run.day);
    let rebuilt = rebuilt.into_iter().map(|(day, outcomes)| outcomes.conclude(day)).collect();
    let summary = Summary::new(day_run.run.clone(), exit, day, rebuilt);
    summary.deliver(summary_json, day_run.console.quiet)?;
    day_run.say_finished(exit);
    Ok(exit)
}

fn exit_of(outcomes: &Outcomes, rebuilt: &BTreeMap<KstDay, Outcomes>, fail_on_empty: bool) -> Exit {
    let all = || rebuilt.values().chain([outcomes]);
    let exits: Vec<Exit> = all().flat_map(Outcomes::exits).collect();
    match Exit::of_failures(&exits, all().any(Outcomes::has_done)) {
        Exit::Done if fail_on_empty && outcomes.has_empty() => Exit::NoInput,
        exit => exit,
    }
}

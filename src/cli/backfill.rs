//! `logmill backfill`: many days, each raw object read once; and the days before that `run --lookback` looks after.

use std::collections::BTreeMap;

use serde_json::json;

use super::args::{BackfillArgs, GlobalArgs};
use super::catalog::Registrar;
use super::choice::{Rule, Verdict};
use super::console;
use super::day::{DayRun, PublishedTable};
use super::exit::Exit;
use super::outcomes::Outcomes;
use super::range::{self, RangeObserver, Wanted};
use super::settings::Flags;
use super::summary::{FailedTable, RangeSummary};
use super::tables::{NotBuilt, Tables};
use super::{Context, forecast, metrics, on_workers};
use crate::audit::freshness::{DayStatus, FirstLogs, day_status};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::plan::{DayObjects, Order, TableSource};
use crate::store::lake::Partition;

pub(super) fn run(args: &BackfillArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags::from(&args.road))?;
    metrics::check(settings.watch.metrics_file.as_deref())?;
    let days = args.days.range(console::now(), None)?;
    let (rule, order) = (Rule::of(args)?, args.order.into());
    let output = settings.output()?;
    let connector = context.connector(&settings);
    let registrar = Registrar::open(&settings, &connector, context.console)?;
    let lake = connector.lake(output, &settings.lake.access)?;
    let run = DayRun::new(&settings, lake.as_ref(), days.last, context, &connector, registrar.as_ref())?;
    let wanted: Vec<KstDay> = days.days().collect();
    let tables = Tables::of(&settings, days, &connector, context.console)?;
    if args.dry_run {
        return forecast::run(&run, &tables.all()?, &wanted, order, &rule);
    }
    Registrar::foresee(registrar.as_ref(), lake.as_ref(), &tables.sources)?;
    let mut made = on_workers(settings.threads, || make(&run, &tables.sources, &wanted, order, &rule))?;
    made.not_built = tables.not_built;
    for (source, error) in tables.refused {
        run.record_walk(&source, &error);
        made.failed.push((source.table, error));
    }
    made.conclude(&run, days, args.road.write.summary_json.as_deref())
}

/// The day of a run and so many before it, of which those are made anew that lack something that has come.
pub(super) fn look_back(
    run: &DayRun<'_>,
    tables: &[TableSource],
    days: i64,
) -> (Outcomes, BTreeMap<KstDay, Outcomes>) {
    let range = DayRange { first: run.day.minus_days(days), last: run.day };
    let wanted: Vec<KstDay> = range.days().collect();
    let mut made = make(run, tables, &wanted, Order::Newest, &Rule::Lookback(run.day));
    let mut outcomes = made.days.remove(&run.day).unwrap_or_default();
    for (table, error) in made.failed {
        outcomes.add(&table, Err(error));
    }
    (outcomes, made.days)
}

/// What became of many days.
#[derive(Default)]
struct Made {
    days: BTreeMap<KstDay, Outcomes>,
    /// Days of tables that needed nothing.
    left: u64,
    /// Days of tables that were kept from losing rows.
    kept: Vec<DayStatus>,
    /// Tables that could not be gone through to their end.
    failed: Vec<(String, Error)>,
    /// Tables that are left out.
    not_built: Vec<NotBuilt>,
}

/// Makes days of one table after the other; one that fails does not stop the others, a signal does.
fn make(run: &DayRun<'_>, tables: &[TableSource], days: &[KstDay], order: Order, rule: &Rule) -> Made {
    let mut made = Made::default();
    for source in tables {
        let dataset = source.dataset.name();
        let first_logs = FirstLogs::new(run.lake, &source.table);
        let undecided = Vec::new();
        let mut table =
            TableDays { run, table: &source.table, dataset, rule, made: &mut made, first_logs, undecided };
        let Err(error) = range::walk(run, source, days, order, &mut table) else { continue };
        let stops = error.kind() == ErrorKind::Interrupted;
        run.record_walk(source, &error);
        made.failed.push((source.table.clone(), error));
        if stops {
            break;
        }
    }
    made
}

/// The days of one table.
struct TableDays<'r> {
    run: &'r DayRun<'r>,
    table: &'r str,
    dataset: &'r str,
    rule: &'r Rule,
    made: &'r mut Made,
    first_logs: FirstLogs<'r>,
    /// Days without an object that are made if one of an earlier day is known by the end.
    undecided: Vec<DayStatus>,
}

impl RangeObserver for TableDays<'_> {
    fn wants(&mut self, about: &DayObjects<'_>) -> Option<Wanted> {
        let partition = Partition { table: self.table.to_owned(), day: about.day };
        let mut status = match day_status(self.run.lake, partition, about, self.run.database()) {
            Ok(status) => status,
            Err(error) => {
                self.cannot_tell(about, error);
                return None;
            }
        };
        self.first_logs.note(&status);
        match self.verdict(&mut status) {
            Ok(Some(Verdict::Make)) => {
                let published_by = status.manifest.map(|manifest| manifest.run);
                return Some(Wanted { listed_at: about.listed_at, published_by });
            }
            Ok(None) => self.undecided.push(status),
            Ok(Some(Verdict::Leave)) => self.leave(&status),
            Ok(Some(Verdict::Keep)) => {
                self.warn_of_gone(&status);
                self.register(&status);
                self.made.kept.push(status);
            }
            Err(error) => self.cannot_tell(about, error),
        }
        None
    }

    fn wanted_later(&mut self) -> Result<Vec<KstDay>> {
        let mut later = Vec::new();
        for status in std::mem::take(&mut self.undecided) {
            let day = status.partition.day;
            if self.first_logs.lie_before(day)? {
                later.push(day);
            } else {
                self.leave(&status);
            }
        }
        Ok(later)
    }

    fn day_done(&mut self, day: KstDay, outcome: Result<PublishedTable>) {
        self.made.days.entry(day).or_default().add(self.table, outcome);
    }
}

impl TableDays<'_> {
    /// What is to become of a day; none where that depends on days which have not been looked at.
    fn verdict(&mut self, status: &mut DayStatus) -> Result<Option<Verdict>> {
        let verdict = self.rule.verdict(status);
        if verdict != Verdict::Make {
            return Ok(Some(verdict));
        }
        self.first_logs.settle(status)?;
        Ok(Some(verdict).filter(|verdict| *verdict == self.rule.verdict(status)))
    }

    /// A day of which nothing can be known: told and counted, but not remembered, since nothing was tried with it.
    fn cannot_tell(&mut self, about: &DayObjects<'_>, error: Error) {
        let run = self.run.on_day(about.day, about.listed_at);
        run.open_report(&Partition { table: self.table.to_owned(), day: about.day }, self.dataset);
        run.end(self.table, Some(&error));
        self.made.days.entry(about.day).or_default().add(self.table, Err(error));
    }

    /// A day that needs no reading.
    fn leave(&mut self, status: &DayStatus) {
        if self.register(status) {
            self.made.left += 1;
        }
    }

    /// Makes up for it that the catalog does not show a day, if it does not; whether nothing is wrong with that any more.
    fn register(&mut self, status: &DayStatus) -> bool {
        let (Some(manifest), Some(_)) = (&status.manifest, &status.not_registered) else { return true };
        let run = self.run.on_day(status.partition.day, status.listed_at);
        let Err(error) = run.register_again(manifest) else { return true };
        self.made.days.entry(status.partition.day).or_default().add(self.table, Err(error));
        false
    }

    fn warn_of_gone(&self, status: &DayStatus) {
        self.run.on_day(status.partition.day, status.listed_at).warn(
            self.table,
            "a day is left as it is, though it lacks something: raw objects of which it has rows are gone",
            vec![
                ("state", json!(status.state)),
                ("gone", json!(status.change.gone)),
                ("published_from", json!(status.other_inputs)),
                ("hint", "'logmill run' or 'backfill --only all' makes it anew without their rows".into()),
            ],
        );
    }
}

impl Made {
    /// Tells what was done and how it ends.
    fn conclude(self, run: &DayRun<'_>, days: DayRange, summary_json: Option<&str>) -> Result<Exit> {
        let ends = self.failed.iter().map(|(_, error)| Exit::from(error.kind()));
        let exits: Vec<Exit> = self.days.values().flat_map(Outcomes::exits).chain(ends).collect();
        // Days that needed nothing are done, too; but where all that failed can be had later, that is the answer.
        let is_temporary = exits.iter().all(|exit| *exit == Exit::Temporary);
        let some_done = self.days.values().any(Outcomes::has_done) || self.left > 0 && !is_temporary;
        let exit = match Exit::of_failures(&exits, some_done) {
            Exit::Done if run.settings.fail_on_empty && self.days.values().any(Outcomes::has_empty) => {
                Exit::NoInput
            }
            exit => exit,
        };
        let failed = self.failed.into_iter().map(|(table, error)| FailedTable {
            table,
            published: false,
            error: error.to_string(),
        });
        let failed = failed.collect();
        let made = self.days.into_iter().map(|(day, outcomes)| outcomes.conclude(day)).collect();
        let (counts, name) = ((self.left, &self.kept[..]), run.run.clone());
        let summary = RangeSummary::new(name, days, exit, made, counts, failed, self.not_built);
        summary.deliver(summary_json, run.console.quiet)?;
        run.say_finished(exit);
        Ok(exit)
    }
}

//! What became of the tables of a day, and how the program ends with it.

use std::collections::BTreeMap;

use super::day::{DayRun, PublishedTable};
use super::exit::Exit;
use super::summary::{DaySummary, FailedTable, Summary, TableSummary};
use super::tables::NotBuilt;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;

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
            let published =
                error.kind() == ErrorKind::NotRegistered || done.iter().any(|summary| summary.table == table);
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

/// Tells what was done, and how it ends.
pub(super) fn conclude(
    day_run: &DayRun<'_>,
    outcomes: Outcomes,
    rebuilt: BTreeMap<KstDay, Outcomes>,
    not_built: Vec<NotBuilt>,
    summary_json: Option<&str>,
) -> Result<(Exit, Summary)> {
    let exit = exit_of(&outcomes, &rebuilt, day_run.settings.fail_on_empty);
    if exit == Exit::NoInput {
        let error = Error::new(ErrorKind::NoInput, "a table has no rows for the day")
            .with("day", day_run.day)
            .hint("the day is published as empty; 'logmill plan' shows what was looked at");
        day_run.console.failed(&error, day_run.about());
    }
    let day = outcomes.conclude(day_run.day);
    let rebuilt = rebuilt.into_iter().map(|(day, outcomes)| outcomes.conclude(day)).collect();
    let summary = Summary::new(day_run.run.clone(), exit, day, rebuilt, not_built);
    summary.deliver(summary_json, day_run.console.quiet)?;
    day_run.say_finished(exit);
    Ok((exit, summary))
}

fn exit_of(outcomes: &Outcomes, rebuilt: &BTreeMap<KstDay, Outcomes>, fail_on_empty: bool) -> Exit {
    let all = || rebuilt.values().chain([outcomes]);
    let exits: Vec<Exit> = all().flat_map(Outcomes::exits).collect();
    match Exit::of_failures(&exits, all().any(Outcomes::has_done)) {
        Exit::Done if fail_on_empty && outcomes.has_empty() => Exit::NoInput,
        exit => exit,
    }
}

//! How a command over tables and days ends: its summary, and the exit code.

use std::collections::BTreeMap;

use serde_json::json;

use super::console::{Console, Field};
use super::exit::Exit;
use super::metrics;
use super::settings::Settings;
use super::summary::{DaySummary, FailedTable, RangeSummary, Summary, TableSummary};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::ledger::RowLedger;
use crate::publish::run_record::{RunOutcome, RunRecord};
use crate::road::backfill::Backfilled;
use crate::road::{NotBuilt, Outcomes, Road};

/// What a command ends with.
pub(super) struct Conclusion<'a> {
    pub(super) road: &'a Road<'a>,
    pub(super) settings: &'a Settings,
    pub(super) console: Console,
    /// The day of events that concern no table.
    pub(super) day: KstDay,
    /// Where the summary goes as JSON.
    pub(super) summary_json: Option<&'a str>,
}

impl Conclusion<'_> {
    /// Tells what was done with a day, and with those before it.
    pub(super) fn of_day(
        &self,
        outcomes: &Outcomes,
        rebuilt: &BTreeMap<KstDay, Outcomes>,
        not_built: Vec<NotBuilt>,
    ) -> Result<(Exit, Summary)> {
        let all = || rebuilt.values().chain([outcomes]);
        let exits: Vec<Exit> = all().flat_map(exits).collect();
        let exit = match Exit::of_failures(&exits, all().any(Outcomes::has_done)) {
            Exit::Done if self.settings.fail_on_empty && outcomes.has_empty() => Exit::NoInput,
            exit => exit,
        };
        if exit == Exit::NoInput {
            let error = Error::new(ErrorKind::NoInput, "a table has no rows for the day")
                .with("day", self.day)
                .hint("the day is published as empty; 'logmill plan' shows what was looked at");
            self.console.failed(&error, self.about());
        }
        let rebuilt = rebuilt.iter().map(|(day, outcomes)| DaySummary::new(*day, outcomes)).collect();
        let day = DaySummary::new(self.day, outcomes);
        let summary = Summary::new(self.road.run.clone(), exit, day, rebuilt, not_built);
        summary.deliver(self.summary_json, self.console.quiet)?;
        self.finish(exit);
        Ok((exit, summary))
    }

    /// Tells what was done with many days.
    pub(super) fn of_days(
        &self,
        found: &Backfilled,
        days: DayRange,
        not_built: Vec<NotBuilt>,
    ) -> Result<Exit> {
        let ends = found.failed.iter().map(|(_, error)| Exit::from(error.kind()));
        let exits: Vec<Exit> = found.days.values().flat_map(exits).chain(ends).collect();
        // Days that needed nothing are done, too; but where all that failed can be had later, that is the answer.
        let is_temporary = exits.iter().all(|exit| *exit == Exit::Temporary);
        let some_done = found.days.values().any(Outcomes::has_done) || found.left > 0 && !is_temporary;
        let exit = match Exit::of_failures(&exits, some_done) {
            Exit::Done if self.settings.fail_on_empty && found.days.values().any(Outcomes::has_empty) => {
                Exit::NoInput
            }
            exit => exit,
        };
        let failed = found.failed.iter().map(|(table, error)| FailedTable {
            table: table.clone(),
            published: false,
            error: error.to_string(),
        });
        let failed = failed.collect();
        let made = found.days.iter().map(|(day, outcomes)| DaySummary::new(*day, outcomes)).collect();
        let (counts, name) = ((found.left, &found.kept[..]), self.road.run.clone());
        let summary = RangeSummary::new(name, days, exit, made, counts, failed, not_built);
        summary.deliver(self.summary_json, self.console.quiet)?;
        self.finish(exit);
        Ok(exit)
    }

    /// Tells the watchers of a day that another run has published, by the reports of that run.
    pub(super) fn of_published(&self, published: &[RunRecord], exit: Exit) {
        self.measure(published, exit);
        self.say_finished(&self.road.reports(), exit);
    }

    /// What an event says that concerns no table.
    fn about(&self) -> Vec<Field> {
        vec![("run", self.road.run.clone().into()), ("day", self.day.to_string().into())]
    }

    /// The last event, and the metrics.
    fn finish(&self, exit: Exit) {
        let reports = self.road.reports();
        self.measure(&reports, exit);
        self.say_finished(&reports, exit);
    }

    fn measure(&self, reports: &[RunRecord], exit: Exit) {
        metrics::write(self.settings.watch.metrics_file.as_deref(), reports, exit, self.console);
    }

    fn say_finished(&self, reports: &[RunRecord], exit: Exit) {
        let mut facts = self.about();
        facts.extend(totals(reports, exit));
        facts.push(("seconds", self.road.seconds().into()));
        self.console.finished(exit, &facts);
    }
}

/// How each failure would end the program alone.
fn exits(outcomes: &Outcomes) -> impl Iterator<Item = Exit> {
    outcomes.failed.iter().map(|(_, error)| error.kind().into())
}

impl DaySummary {
    /// The summary of a day; failures were told when they happened.
    fn new(day: KstDay, outcomes: &Outcomes) -> Self {
        let Outcomes { done, failed } = outcomes;
        let failed = failed.iter().map(|(table, error)| {
            let is_done = || done.iter().any(|done| done.manifest.table == *table);
            let published = error.kind() == ErrorKind::NotRegistered || is_done();
            FailedTable { published, error: error.to_string(), table: table.clone() }
        });
        Self { day, failed: failed.collect(), tables: done.iter().map(TableSummary::new).collect() }
    }
}

/// How many tables and days were done, and the sums over those that were published.
fn totals(reports: &[RunRecord], exit: Exit) -> [Field; 8] {
    let published = || reports.iter().filter(|report| report.outcome == RunOutcome::Published);
    let sum = |value: fn(&RunRecord) -> u64| published().map(value).sum::<u64>().into();
    let mut ledger = RowLedger::default();
    published().for_each(|report| ledger += report.ledger);
    [
        ("exit_code", exit.code().into()),
        ("published", published().count().into()),
        ("failed", reports.iter().filter(|report| report.error.is_some()).count().into()),
        ("objects", sum(|report| report.objects)),
        ("input_bytes", sum(|report| report.input_bytes)),
        ("ledger", json!(ledger)),
        ("files", sum(|report| report.files)),
        ("file_bytes", sum(|report| report.file_bytes)),
    ]
}

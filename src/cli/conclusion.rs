//! The end of a command over tables and days: its summary, metrics and exit code.

use serde_json::json;

use super::console::{Console, Field};
use super::exit::Exit;
use super::metrics;
use super::next_steps::NextSteps;
use super::range_summary::RangeSummary;
use super::settings::Settings;
use super::summary::{DaySummary, FailedTable, Summary, TableSummary};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::ledger::RowLedger;
use crate::publish::run_record::{RunOutcome, RunRecord};
use crate::road::backfill::{Backfilled, LookedBack};
use crate::road::{Outcomes, Road, Unread};

/// Ends a command.
pub(super) struct Conclusion<'a> {
    pub(super) road: &'a Road<'a>,
    pub(super) settings: &'a Settings,
    pub(super) console: Console,
    /// The day in events that belong to no table.
    pub(super) day: KstDay,
    /// Where to write the summary as JSON.
    pub(super) summary_json: Option<&'a str>,
}

impl Conclusion<'_> {
    /// Reports the outcome of a day and of earlier days that were rebuilt.
    pub(super) fn of_day(
        &self,
        outcomes: &Outcomes,
        earlier: &LookedBack,
        unread: Unread,
    ) -> Result<(Exit, Summary)> {
        let all = || earlier.days.values().chain([outcomes]);
        let exits: Vec<Exit> = all().flat_map(exits).collect();
        let exit = match Exit::of_failures(&exits, all().any(Outcomes::has_done)) {
            Exit::Done if self.settings.fail_on_empty && outcomes.has_empty() => Exit::NoInput,
            exit => exit,
        };
        if exit == Exit::NoInput {
            let error = Error::new(ErrorKind::NoInput, "a table has no rows for the day")
                .with("day", self.day)
                .hint("the day is published as empty; see its objects with 'logmill plan'");
            self.console.failed(&error, self.about());
        }
        let day = DaySummary::new(self.day, outcomes);
        let summary = Summary::new(self.road.run.clone(), exit, day, earlier, unread);
        summary.deliver(self.summary_json, self.console)?;
        self.finish(exit);
        self.advise(all(), DayRange::only(self.day));
        Ok((exit, summary))
    }

    /// Reports the outcome of a range of days.
    pub(super) fn of_days(&self, found: &Backfilled, days: DayRange, unread: Unread) -> Result<Exit> {
        let ends = found.failed.iter().map(|(_, error)| Exit::from(error.kind()));
        let exits: Vec<Exit> = found.days.values().flat_map(exits).chain(ends).collect();
        // Days that were up to date count as done. But if every failure is temporary, the exit code asks for a retry.
        let is_temporary = exits.iter().all(|exit| *exit == Exit::Temporary);
        let some_done = found.days.values().any(Outcomes::has_done) || found.left > 0 && !is_temporary;
        let exit = match Exit::of_failures(&exits, some_done) {
            Exit::Done if self.settings.fail_on_empty && found.days.values().any(Outcomes::has_empty) => {
                Exit::NoInput
            }
            exit => exit,
        };
        let summary = RangeSummary::new(self.road.run.clone(), days, exit, found, unread);
        summary.deliver(self.summary_json, self.console)?;
        self.finish(exit);
        // A range without a named end has no state to look at after the last log.
        let last = found.after_logs.iter().map(|after| after.from.previous()).max();
        let last = last.map_or(days.last, |last| last.max(days.first));
        self.advise(found.days.values(), DayRange { last, ..days });
        Ok(exit)
    }

    /// Tells a person where the published days are, and what to do next.
    fn advise<'o>(&self, outcomes: impl Iterator<Item = &'o Outcomes>, days: DayRange) {
        let published = outcomes.flat_map(|outcomes| &outcomes.done);
        NextSteps {
            lake: self.road.lake,
            given: &self.settings.typed,
            days,
            published: published.map(|done| (&done.manifest, done.quarantine.as_deref())).collect(),
            has_sources: !self.settings.sources.is_empty(),
            has_catalog: self.settings.catalog.is_some(),
        }
        .print(self.console);
    }

    /// Writes the metrics and the last event of a day that another run published. The metrics are those of that run.
    pub(super) fn of_published(&self, published: &[RunRecord], exit: Exit) {
        self.write_metrics(published, exit);
        self.log_finished(&self.road.records(), exit);
    }

    /// Returns the leading fields of an event that belongs to no table.
    fn about(&self) -> Vec<Field> {
        vec![("run", self.road.run.clone().into()), ("day", self.day.to_string().into())]
    }

    /// Writes the metrics and the last event.
    fn finish(&self, exit: Exit) {
        let records = self.road.records();
        self.write_metrics(&records, exit);
        self.log_finished(&records, exit);
    }

    fn write_metrics(&self, records: &[RunRecord], exit: Exit) {
        metrics::write(self.settings.watch.metrics_file.as_deref(), records, exit, self.console);
    }

    fn log_finished(&self, records: &[RunRecord], exit: Exit) {
        let mut fields = self.about();
        fields.extend(totals(records, exit));
        fields.push(("seconds", self.road.seconds().into()));
        self.console.finished(exit, &fields);
    }
}

/// Returns the exit code that each failure alone would cause.
fn exits(outcomes: &Outcomes) -> impl Iterator<Item = Exit> {
    outcomes.failed.iter().map(|(_, error)| error.kind().into())
}

impl DaySummary {
    /// Returns the summary of a day. Failures were printed when they occurred.
    pub(super) fn new(day: KstDay, outcomes: &Outcomes) -> Self {
        let Outcomes { done, failed } = outcomes;
        let failed = failed.iter().map(|(table, error)| {
            let is_done = || done.iter().any(|done| done.manifest.table == *table);
            let published = error.kind() == ErrorKind::NotRegistered || is_done();
            FailedTable { published, error: error.to_string(), table: table.clone() }
        });
        Self { day, failed: failed.collect(), tables: done.iter().map(TableSummary::new).collect() }
    }
}

/// Returns how many table-days were published and failed, and totals over the published ones.
fn totals(records: &[RunRecord], exit: Exit) -> [Field; 8] {
    let published = || records.iter().filter(|record| record.outcome == RunOutcome::Published);
    let sum = |value: fn(&RunRecord) -> u64| published().map(value).sum::<u64>().into();
    let mut ledger = RowLedger::default();
    published().for_each(|record| ledger += record.ledger);
    [
        ("exit_code", exit.code().into()),
        ("published", published().count().into()),
        ("failed", records.iter().filter(|record| record.error.is_some()).count().into()),
        ("objects", sum(|record| record.objects)),
        ("input_bytes", sum(|record| record.input_bytes)),
        ("ledger", json!(ledger)),
        ("files", sum(|record| record.files)),
        ("file_bytes", sum(|record| record.file_bytes)),
    ]
}

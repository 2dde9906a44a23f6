//! The summary of a backfill, as text and as JSON.

use serde::Serialize;

use super::console::{self, Console};
use super::exit::Exit;
use super::screen::{Screen, Shown};
use super::summary::{
    DaySummary, FailedTable, KeptDay, NOT_REBUILT, SUMMARY_VERSION, deliver, notes, other_services,
    summaries, table_of,
};
use crate::error::Result;
use crate::kst::{DayRange, KstDay};
use crate::road::Unread;
use crate::road::backfill::{AfterLogs, Backfilled};

/// The summary of a backfill.
#[derive(Debug, Serialize)]
pub(super) struct RangeSummary {
    version: u32,
    logmill: &'static str,
    run: String,
    from: KstDay,
    to: KstDay,
    exit_code: u8,
    /// The days that were built, or failed.
    days: Vec<DaySummary>,
    /// Table-days that were already up to date.
    left: u64,
    /// Table-days that need a rebuild, but would lose rows of deleted objects.
    kept: Vec<KeptDay>,
    /// Days that were not built, because no logs of them or of later days are known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    after_logs: Vec<AfterLogs>,
    /// Tables whose backfill stopped early.
    failed: Vec<FailedTable>,
    /// Tables that were not built, and logs that no table reads.
    #[serde(flatten)]
    unread: Unread,
}

impl RangeSummary {
    pub(super) fn new(run: String, days: DayRange, exit: Exit, found: &Backfilled, unread: Unread) -> Self {
        let (version, logmill) = (SUMMARY_VERSION, env!("CARGO_PKG_VERSION"));
        let failed = found.failed.iter().map(|(table, error)| FailedTable {
            table: table.clone(),
            published: false,
            error: error.to_string(),
        });
        Self {
            version,
            logmill,
            run,
            from: days.first,
            to: days.last,
            exit_code: exit.code(),
            days: summaries(&found.days),
            left: found.left,
            kept: found.kept.iter().map(KeptDay::of).collect(),
            after_logs: found.after_logs.clone(),
            failed: failed.collect(),
            unread,
        }
    }

    /// Formats the summary as text.
    fn text(&self, screen: Screen) -> Shown {
        let mut text = Shown::of(&format!("KST days {} to {}, run {}\n", self.from, self.to, self.run));
        let published = self.days.iter().map(|day| day.tables.len() as u64).sum();
        let failed = self.days.iter().map(|day| day.failed.len() as u64).sum();
        if published > 0 {
            text += "\n";
            text += table_of(&self.days, true, screen);
        }
        text += screen.wrap(&notes(&self.days));
        text += screen.wrap(&self.counts(published, failed));
        self.after_logs.iter().for_each(|days| text += screen.wrap(&(after_logs(days) + "\n")));
        for day in &self.days {
            text += day.failures(screen);
        }
        if !self.failed.is_empty() {
            let tables: Vec<&str> = self.failed.iter().map(|failed| failed.table.as_str()).collect();
            text += screen.wrap(&format!("stopped early: {}\n", tables.join(", ")));
        }
        text += screen.wrap(&other_services(&self.unread));
        text
    }

    /// Counts the table-days by outcome.
    fn counts(&self, published: u64, failed: u64) -> String {
        let mut text = format!("\n{} published", console::counted(published, "table-day"));
        let tables = self.days.iter().flat_map(|day| &day.tables);
        match tables.filter(|table| table.ledger.written == 0).count() as u64 {
            0 => {}
            empty => text += &format!(" ({} empty)", console::count(empty)),
        }
        let counts =
            [(self.left, "already up to date"), (self.kept.len() as u64, NOT_REBUILT), (failed, "failed")];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        text.extend(counts.map(|(count, what)| format!(", {} {what}", console::count(*count))));
        text + "\n"
    }

    /// Writes the JSON to `json_to`, if given. Prints the text unless the JSON goes to standard output.
    pub(super) fn deliver(&self, json_to: Option<&str>, console: Console) -> Result<()> {
        deliver(self, || self.text(console.out), json_to, console.quiet)
    }
}

/// Describes the days of a table after its last log, which were not built.
pub(super) fn after_logs(days: &AfterLogs) -> String {
    let AfterLogs { table, last_log, from, to, days } = days;
    let which = if from == to { format!("{from}") } else { format!("{from} to {to}") };
    let last_log =
        last_log.map_or("no day has logs".to_owned(), |day| format!("the last day with logs is {day}"));
    format!(
        "{table}: {} not built ({which}): {last_log}. Pass --to {to} to publish later days as empty",
        console::counted(*days, "day")
    )
}

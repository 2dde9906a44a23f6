//! Rebuilds many days of tables. Each raw object is read once, and an up-to-date day costs only its listing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;

use super::range::{self, DayChooser, WantedDay};
use super::{DayRoad, Decision, Outcomes, PublishedTable, RangeEnd, RebuildRule, Reporter, Road, WantedDays};
use crate::audit::KnownLogs;
use crate::audit::freshness::{DayStatus, day_status};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::plan::{DayObjects, Order, TableSource, TableSpec};

/// The outcomes of many days.
#[derive(Debug, Default)]
pub struct Backfilled {
    /// The days that were rebuilt or failed.
    pub days: BTreeMap<KstDay, Outcomes>,
    /// Number of table-days that needed no rebuild.
    pub left: u64,
    /// Days that were not rebuilt, because a rebuild would lose rows.
    pub kept: Vec<DayStatus>,
    /// Days that were not built, because no logs of them or of later days are known. See [`RangeEnd::LastLog`].
    pub after_logs: Vec<AfterLogs>,
    /// Tables whose days could not all be processed.
    pub failed: Vec<(String, Error)>,
}

/// The days of a table after its last log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AfterLogs {
    /// The table.
    pub table: String,
    /// The last day that has logs.
    pub last_log: Option<KstDay>,
    /// The first of the days.
    pub from: KstDay,
    /// The last of the days.
    pub to: KstDay,
    /// Number of days.
    pub days: u64,
}

impl AfterLogs {
    /// Sums up some days of a table; `None` without a day.
    #[must_use]
    pub fn of(table: &str, last_log: Option<KstDay>, days: &BTreeSet<KstDay>) -> Option<Self> {
        let (from, to) = (*days.first()?, *days.last()?);
        Some(Self { table: table.to_owned(), last_log, from, to, days: days.len() as u64 })
    }
}

/// Rebuilds the day of a run, and any of the previous `days` that received late objects.
#[must_use]
pub fn look_back(day: &DayRoad<'_>, tables: &[TableSource], days: i64) -> (Outcomes, LookedBack) {
    let range = DayRange { first: day.day.minus_days(days), last: day.day };
    let days: Vec<KstDay> = range.days().collect();
    let wanted = WantedDays { days: &days, order: Order::Newest, end: RangeEnd::Named };
    let mut found = backfill(day.road, tables, wanted, &RebuildRule::Lookback(day.day));
    let mut outcomes = found.days.remove(&day.day).unwrap_or_default();
    for (table, error) in found.failed {
        outcomes.add(&table, Err(error));
    }
    (outcomes, LookedBack { days: found.days, kept: found.kept })
}

/// The outcomes of the days before the day of a run.
#[derive(Debug, Default)]
pub struct LookedBack {
    /// The days that were rebuilt or failed.
    pub days: BTreeMap<KstDay, Outcomes>,
    /// Days that were not rebuilt, because a rebuild would lose rows.
    pub kept: Vec<DayStatus>,
}

/// Rebuilds days of one table after the other. A failing day or table does not stop the others, but a signal does.
#[must_use]
pub fn backfill(
    road: &Road<'_>,
    tables: &[TableSource],
    wanted: WantedDays<'_>,
    rule: &RebuildRule,
) -> Backfilled {
    let (mut found, WantedDays { days, order, end }) = (Backfilled::default(), wanted);
    for source in tables {
        let spec = &source.spec;
        let known_logs = KnownLogs::new(road.lake, &spec.table);
        let (found, undecided) = (&mut found, Vec::new());
        let mut table = TableDays { road, spec, rule, end, found, known_logs, undecided };
        let Err(error) = range::walk(road, source, days, order, &mut table) else { continue };
        let stops = error.kind() == ErrorKind::Interrupted;
        Reporter::of_walk(road, days).record_walk(source, &error);
        found.failed.push((spec.table.clone(), error));
        if stops {
            break;
        }
    }
    found
}

/// The days of one table.
struct TableDays<'r> {
    road: &'r Road<'r>,
    spec: &'r TableSpec,
    rule: &'r RebuildRule,
    end: RangeEnd,
    found: &'r mut Backfilled,
    known_logs: KnownLogs<'r>,
    /// Days without objects. They are built if objects of other days are known in the end.
    undecided: Vec<DayStatus>,
}

impl DayChooser for TableDays<'_> {
    fn wants(&mut self, about: &DayObjects<'_>) -> Option<WantedDay> {
        let mut status =
            match day_status(self.road.lake, self.spec.partition(about.day), about, self.road.database()) {
                Ok(status) => status,
                Err(error) => {
                    self.report_unknown(about, error);
                    return None;
                }
            };
        self.known_logs.note(&status);
        match self.decision(&mut status) {
            Ok(Some(Decision::Build)) => {
                let published_by = status.manifest.map(|manifest| manifest.run);
                return Some(WantedDay { listed_at: about.listed_at, published_by });
            }
            Ok(None) => self.undecided.push(status),
            Ok(Some(Decision::Skip)) => self.leave(&status),
            Ok(Some(Decision::Keep)) => {
                self.warn_of_gone(&status);
                self.register(&status);
                self.found.kept.push(status);
            }
            Err(error) => self.report_unknown(about, error),
        }
        None
    }

    fn deferred_days(&mut self) -> Result<Vec<KstDay>> {
        let (mut later, mut after_logs) = (Vec::new(), BTreeSet::new());
        for mut status in std::mem::take(&mut self.undecided) {
            let day = status.partition.day;
            self.known_logs.settle(&mut status)?;
            if self.rule.decision(&status) != Decision::Build {
                self.leave(&status);
            } else if self.may_be_after_logs(&status)? {
                after_logs.insert(day);
            } else {
                later.push(day);
            }
        }
        let last_log = self.known_logs.last();
        self.found.after_logs.extend(AfterLogs::of(&self.spec.table, last_log, &after_logs));
        Ok(later)
    }

    fn day_done(&mut self, day: KstDay, outcome: Result<PublishedTable>) {
        self.found.days.entry(day).or_default().add(&self.spec.table, outcome);
    }
}

impl TableDays<'_> {
    /// Decides about a day; `None` if the decision depends on days that have not been inspected yet.
    fn decision(&mut self, status: &mut DayStatus) -> Result<Option<Decision>> {
        let decision = self.rule.decision(status);
        if decision != Decision::Build {
            return Ok(Some(decision));
        }
        if self.may_be_after_logs(status)? {
            return Ok(None);
        }
        self.known_logs.settle(status)?;
        Ok(Some(decision).filter(|decision| *decision == self.rule.decision(status)))
    }

    /// Whether a day is after the end of the range, as far as logs are known.
    fn may_be_after_logs(&mut self, status: &DayStatus) -> Result<bool> {
        let is_open = self.end == RangeEnd::LastLog && status.has_no_logs();
        Ok(is_open && !self.known_logs.has_logs_after(status.partition.day)?)
    }

    fn day(&self, status: &DayStatus) -> DayRoad<'_> {
        DayRoad::planned(self.road, status.partition.day, status.listed_at)
    }

    /// Reports a day whose state cannot be determined. The failure is counted, but no run record is written, because the
    /// day was not attempted.
    fn report_unknown(&mut self, about: &DayObjects<'_>, error: Error) {
        let day = DayRoad::planned(self.road, about.day, about.listed_at);
        day.reporter().open_record(&self.spec.partition(about.day), self.spec.dataset.name());
        day.reporter().end(&self.spec.table, Some(&error));
        self.found.days.entry(about.day).or_default().add(&self.spec.table, Err(error));
    }

    /// Finishes a day that needs no reading.
    fn leave(&mut self, status: &DayStatus) {
        if self.register(status) {
            self.found.left += 1;
        }
    }

    /// Registers a published day if the catalog should show it but does not. Returns `false` if that fails.
    fn register(&mut self, status: &DayStatus) -> bool {
        let (Some(manifest), Some(_)) = (&status.manifest, &status.not_registered) else { return true };
        let Err(error) = self.day(status).register_again(manifest) else { return true };
        self.found.days.entry(status.partition.day).or_default().add(&self.spec.table, Err(error));
        false
    }

    fn warn_of_gone(&self, status: &DayStatus) {
        self.day(status).reporter().warn(
            &self.spec.table,
            "day not rebuilt: raw objects behind some of its rows have been deleted",
            &[
                ("state", json!(status.state)),
                ("gone", json!(status.change.gone)),
                ("published_from", json!(status.other_inputs)),
                (
                    "hint",
                    "to rebuild the day without these rows, use 'logmill run' or 'backfill --only all'"
                        .into(),
                ),
            ],
        );
    }
}

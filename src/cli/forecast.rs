//! The dry run of a backfill: the days, their objects and bytes, and an estimate of the time.

use std::collections::BTreeSet;

use super::console::{self, Console};
use super::exit::Exit;
use super::grid::Grid;
use super::pace::Pace;
use super::progress::Bar;
use super::range_summary;
use super::screen::{Screen, Shown};
use crate::audit::freshness::DayStatus;
use crate::audit::{KnownLogs, RangeStatus, StatusReader};
use crate::error::Result;
use crate::kst::KstDay;
use crate::plan::{RangePlanner, TableSource};
use crate::publish::run_record::{self, RunRecord};
use crate::road::backfill::AfterLogs;
use crate::road::{Decision, RangeEnd, RebuildRule, Road, WantedDays, Work};
use crate::store::Lake;

/// Prints what would be done, without reading a log.
pub(super) fn run(
    road: &Road<'_>,
    tables: &[TableSource],
    wanted: WantedDays<'_>,
    rule: &RebuildRule,
    console: Console,
) -> Result<Exit> {
    let mut exit = Exit::Done;
    for source in tables {
        let forecast = Forecast::read(road, source, wanted, rule, console)?;
        console::print_shown(&forecast.text(console.out))?;
        if forecast.unknown > 0 {
            exit = Exit::SomeFailed;
        }
    }
    Ok(exit)
}

/// What would be done for a table.
struct Forecast<'a> {
    road: &'a Road<'a>,
    rule: &'a RebuildRule,
    table: &'a str,
    /// Number of days of the range.
    all: usize,
    /// The days whose state is known.
    statuses: Vec<DayStatus>,
    /// Number of days whose state cannot be determined.
    unknown: u64,
    after_logs: DaysAfterLogs,
    /// Number of raw objects to read, and their bytes.
    objects: u64,
    bytes: u64,
    /// Number of list requests.
    requests: u64,
    pace: Pace,
}

impl<'a> Forecast<'a> {
    /// Determines the state of each day, without reading a log.
    fn read(
        road: &'a Road<'a>,
        source: &'a TableSource,
        wanted: WantedDays<'_>,
        rule: &'a RebuildRule,
        console: Console,
    ) -> Result<Self> {
        let (table, WantedDays { days, order, end }) = (source.spec.table.as_str(), wanted);
        let planner = RangePlanner::open(source, days, order, road.connector, road.clock)?;
        let cancel = &road.options.convert.cancel;
        let reader = StatusReader { lake: road.lake, database: road.database(), cancel };
        let mut pace = Pace::default();
        let listing = Bar::begin(console, table, Work::List);
        let range = reader.read(source, planner, &mut |status| match status {
            Ok(status) => {
                pace.learn(live_record(road.lake, status)?.as_ref());
                Ok(rule.decision(status) == Decision::Build)
            }
            Err(error) => {
                console.error(error);
                Ok(false)
            }
        })?;
        drop(listing);
        let RangeStatus { objects, bytes, requests, .. } = range;
        let checked = range.days.len();
        let statuses: Vec<DayStatus> = range.days.into_iter().filter_map(|(_, status)| status.ok()).collect();
        let unknown = (checked - statuses.len()) as u64;
        let after_logs = days_after_logs(road.lake, table, &statuses, end, rule)?;
        let all = days.len();
        Ok(Self { road, rule, table, all, statuses, unknown, after_logs, objects, bytes, requests, pace })
    }

    fn is_built(&self, status: &DayStatus) -> bool {
        let is_after_logs = self.after_logs.days.contains(&status.partition.day);
        self.rule.decision(status) == Decision::Build && !is_after_logs
    }

    fn text(&self, screen: Screen) -> Shown {
        let built: Vec<&DayStatus> = self.statuses.iter().filter(|status| self.is_built(status)).collect();
        let mut text = Shown::of(&heading(self.table, &built, self.all));
        if !built.is_empty() {
            let header = ["day", "state", "objects", "bytes"];
            text += Grid::new(&header, &header[2..], built.iter().map(|status| row(status))).text(screen);
            text += "\n";
        }
        text += screen.wrap(&format!(
            "to read (each once): {}, {}, about {}\n",
            console::counted(self.objects, "object"),
            console::size(self.bytes),
            self.pace.forecast(self.bytes, self.road.options.convert.threads)
        ));
        if self.requests > 0 {
            text += &format!("listed with {}\n", console::counted(self.requests, "request"));
        }
        for (days, what) in self.others().iter().filter(|(days, _)| *days > 0) {
            text += screen.wrap(&format!("{what}: {}\n", console::count(*days)));
        }
        let DaysAfterLogs { last_log, days } = &self.after_logs;
        if let Some(days) = AfterLogs::of(self.table, *last_log, days) {
            text += screen.wrap(&(range_summary::after_logs(&days) + "\n"));
        }
        text += "\n";
        text
    }

    /// Counts the days that are not read.
    fn others(&self) -> [(u64, &'static str); 3] {
        let count = |is_counted: &dyn Fn(&DayStatus) -> bool| {
            self.statuses.iter().filter(|status| is_counted(status)).count() as u64
        };
        let has_catalog = self.road.registrar.is_some();
        let registered =
            |status: &DayStatus| has_catalog && status.not_registered.is_some() && !self.is_built(status);
        let kept = |status: &DayStatus| self.rule.decision(status) == Decision::Keep;
        [
            (count(&registered), "days to register without reading objects"),
            (
                count(&kept),
                "days not rebuilt, because raw objects behind some of their rows have been deleted",
            ),
            (self.unknown, "days not built, because their state cannot be determined"),
        ]
    }
}

/// Counts the days to build, and those of them without objects.
fn heading(table: &str, built: &[&DayStatus], all: usize) -> String {
    let empty = built.iter().filter(|status| status.objects == 0).count();
    let empty = if empty > 0 { format!(", {empty} of them without objects") } else { String::new() };
    format!("{table}: {} of {all} days to build{empty}\n\n", built.len())
}

/// The days that are not built, because the range ends with the last day that has logs.
struct DaysAfterLogs {
    last_log: Option<KstDay>,
    days: BTreeSet<KstDay>,
}

fn days_after_logs(
    lake: &dyn Lake,
    table: &str,
    statuses: &[DayStatus],
    end: RangeEnd,
    rule: &RebuildRule,
) -> Result<DaysAfterLogs> {
    let (mut known, mut days) = (KnownLogs::new(lake, table), BTreeSet::new());
    for status in statuses {
        known.note(status);
    }
    let is_open = |status: &&DayStatus| {
        end == RangeEnd::LastLog && status.has_no_logs() && rule.decision(status) == Decision::Build
    };
    for status in statuses.iter().filter(is_open) {
        if !known.has_logs_after(status.partition.day)? {
            days.insert(status.partition.day);
        }
    }
    Ok(DaysAfterLogs { last_log: known.last(), days })
}

/// Returns the run record of the live run, if any.
fn live_record(lake: &dyn Lake, status: &DayStatus) -> Result<Option<RunRecord>> {
    match &status.manifest {
        Some(manifest) => run_record::read(lake, &status.partition, &manifest.run),
        None => Ok(None),
    }
}

fn row(status: &DayStatus) -> Vec<String> {
    let (day, state) = (status.partition.day.to_string(), status.state.word().to_owned());
    vec![day, state, console::count(status.objects), console::size(status.bytes)]
}

//! The dry run of a backfill: the days, their objects and bytes, and an estimate of the time.

use std::collections::BTreeSet;

use super::console::{self, Console};
use super::exit::Exit;
use super::grid::Grid;
use super::pace::Pace;
use super::progress::Bar;
use super::range_summary;
use super::screen::Shown;
use crate::audit::StatusReader;
use crate::audit::freshness::{DayStatus, KnownLogs};
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
        let (text, unknown) = table(road, source, wanted, rule, console)?;
        console::print_shown(&text)?;
        if unknown > 0 {
            exit = Exit::SomeFailed;
        }
    }
    Ok(exit)
}

/// Returns what would be done for a table, and the number of days whose state cannot be determined.
fn table(
    road: &Road<'_>,
    source: &TableSource,
    wanted: WantedDays<'_>,
    rule: &RebuildRule,
    console: Console,
) -> Result<(Shown, u64)> {
    let WantedDays { days, order, end } = wanted;
    let planner = RangePlanner::open(source, days, order, road.connector, road.clock)?;
    let reader =
        StatusReader { lake: road.lake, database: road.database(), cancel: &road.options.convert.cancel };
    let mut pace = Pace::default();
    let listing = Bar::begin(console, &source.spec.table, Work::List);
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
    let (objects, bytes, requests, checked) = (range.objects, range.bytes, range.requests, range.days.len());
    let statuses: Vec<DayStatus> = range.days.into_iter().filter_map(|(_, status)| status.ok()).collect();
    let unknown = (checked - statuses.len()) as u64;
    let after_logs = days_after_logs(road.lake, &source.spec.table, &statuses, end, rule)?;
    let is_built = |status: &DayStatus| {
        rule.decision(status) == Decision::Build && !after_logs.days.contains(&status.partition.day)
    };
    let built: Vec<&DayStatus> = statuses.iter().filter(|status| is_built(status)).collect();
    let mut text = Shown::of(&heading(&source.spec.table, &built, days.len()));
    if !built.is_empty() {
        let header = ["day", "state", "objects", "bytes"];
        text += Grid::new(&header, &header[2..], built.iter().map(|status| row(status))).text(console.out);
        text += "\n";
    }
    text += console.out.wrap(&format!(
        "to read (each once): {}, {}, about {}\n",
        console::counted(objects, "object"),
        console::size(bytes),
        pace.forecast(bytes, road.options.convert.threads)
    ));
    if requests > 0 {
        text += &format!("listed with {}\n", console::counted(requests, "request"));
    }
    let unregistered = |status: &DayStatus| status.not_registered.is_some() && road.registrar.is_some();
    let kept = |status: &DayStatus| rule.decision(status) == Decision::Keep;
    let count = |is_counted: &dyn Fn(&DayStatus) -> bool| {
        statuses.iter().filter(|status| is_counted(status)).count() as u64
    };
    let others = [
        (
            count(&|status| unregistered(status) && !is_built(status)),
            "days to register without reading objects",
        ),
        (count(&kept), "days not rebuilt, because raw objects behind some of their rows have been deleted"),
        (unknown, "days not built, because their state cannot be determined"),
    ];
    for (days, what) in others.iter().filter(|(days, _)| *days > 0) {
        text += console.out.wrap(&format!("{what}: {}\n", console::count(*days)));
    }
    let after_logs = AfterLogs::of(&source.spec.table, after_logs.last_log, &after_logs.days);
    after_logs.iter().for_each(|days| text += console.out.wrap(&(range_summary::after_logs(days) + "\n")));
    text += "\n";
    Ok((text, unknown))
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
    statuses.iter().for_each(|status| known.note(status));
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

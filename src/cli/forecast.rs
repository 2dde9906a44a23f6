//! The dry run of a backfill: the days, their objects and bytes, and an estimate of the time.

use super::console::{self, Console};
use super::exit::Exit;
use super::grid::Grid;
use super::pace::Pace;
use super::progress::Bar;
use super::screen::Shown;
use crate::audit::StatusReader;
use crate::audit::freshness::DayStatus;
use crate::error::Result;
use crate::kst::KstDay;
use crate::plan::{Order, RangePlanner, TableSource};
use crate::publish::run_record::{self, RunRecord};
use crate::road::{Decision, RebuildRule, Road, Work};
use crate::store::Lake;

/// Prints what would be done, without reading a log.
pub(super) fn run(
    road: &Road<'_>,
    tables: &[TableSource],
    days: &[KstDay],
    order: Order,
    rule: &RebuildRule,
    console: Console,
) -> Result<Exit> {
    let mut exit = Exit::Done;
    for source in tables {
        let (text, unknown) = table(road, source, days, order, rule, console)?;
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
    days: &[KstDay],
    order: Order,
    rule: &RebuildRule,
    console: Console,
) -> Result<(Shown, u64)> {
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
    let with_decision = |wanted| statuses.iter().filter(move |status| rule.decision(status) == wanted);
    let (rows, kept) =
        (with_decision(Decision::Build).map(row).collect::<Vec<_>>(), with_decision(Decision::Keep).count());
    let (to_build, all) = (rows.len(), days.len());
    let mut text = Shown::of(&format!("{}: {to_build} of {all} days to build\n\n", source.spec.table));
    if !rows.is_empty() {
        let header = ["day", "state", "objects", "bytes"];
        text += Grid::new(&header, &header[2..], rows).text(console.out);
        text += "\n";
    }
    text += &format!(
        "to read (each once): {}, {}, about {}\n",
        console::counted(objects, "object"),
        console::size(bytes),
        pace.forecast(bytes, road.options.convert.threads)
    );
    if requests > 0 {
        text += &format!("listed with {}\n", console::counted(requests, "request"));
    }
    let is_rebuilt = |status: &&DayStatus| rule.decision(status) == Decision::Build;
    let unregistered = |status: &&DayStatus| status.not_registered.is_some() && road.registrar.is_some();
    match statuses.iter().filter(|status| unregistered(status) && !is_rebuilt(status)).count() {
        0 => {}
        days => text += &format!("days to register without reading objects: {days}\n"),
    }
    if kept > 0 {
        text += &format!(
            "days not rebuilt, because raw objects behind some of their rows have been deleted: {kept}\n"
        );
    }
    if unknown > 0 {
        text += &format!("days not built, because their state cannot be determined: {unknown}\n");
    }
    text += "\n";
    Ok((text, unknown))
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

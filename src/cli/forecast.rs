//! What a backfill would do: the days, their objects and bytes, and about how long it takes.

use std::time::Duration;

use super::console::{self, Console};
use super::exit::Exit;
use crate::audit::freshness::{DayStatus, FirstLogs, day_status};
use crate::error::Result;
use crate::kst::KstDay;
use crate::plan::{Order, RangePlanner, TableSource};
use crate::publish::run_record::{self, RunOutcome, RunRecord};
use crate::road::{Decision, RebuildRule, Road};
use crate::store::Lake;

/// Bytes that a thread reads in a second where no earlier run tells: gzipped CloudTrail on a small machine.
const ASSUMED_BYTES_PER_SECOND: f64 = 5e6;

/// Prints what would be done; reads no log.
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
        console::print(&text)?;
        if unknown > 0 {
            exit = Exit::SomeFailed;
        }
    }
    Ok(exit)
}

/// What would be done for a table, and the number of days of which it cannot be told.
fn table(
    road: &Road<'_>,
    source: &TableSource,
    days: &[KstDay],
    order: Order,
    rule: &RebuildRule,
    console: Console,
) -> Result<(String, u64)> {
    let mut planner = RangePlanner::open(source, days, order, road.connector, road.clock)?;
    let (mut statuses, mut unknown, mut pace) = (Vec::new(), 0, Pace::default());
    let (mut objects, mut bytes) = (0, 0);
    while let Some(leg) = planner.next_leg(&mut |about| {
        road.options.convert.cancel.check()?;
        let partition = source.spec.partition(about.day);
        let status = match day_status(road.lake, partition, about, road.database()) {
            Ok(status) => status,
            Err(error) => {
                console.error(&error);
                unknown += 1;
                return Ok(false);
            }
        };
        pace.learn(live_report(road.lake, &status)?.as_ref());
        let decision = rule.decision(&status);
        statuses.push(status);
        Ok(decision == Decision::Build)
    })? {
        objects += leg.objects.len() as u64;
        bytes += leg.objects.iter().map(|shared| shared.object.bytes).sum::<u64>();
    }
    let mut first_logs = FirstLogs::new(road.lake, &source.spec.table);
    for status in &statuses {
        first_logs.note(status);
    }
    statuses.iter_mut().try_for_each(|status| first_logs.settle(status))?;
    let with_decision = |wanted| statuses.iter().filter(move |status| rule.decision(status) == wanted);
    let (rows, kept) =
        (with_decision(Decision::Build).map(row).collect::<Vec<_>>(), with_decision(Decision::Keep).count());
    let mut text = format!("{}: {} of {} days\n\n", source.spec.table, rows.len(), days.len());
    if !rows.is_empty() {
        text += &console::table(&["day", "state", "objects", "bytes"], &["objects", "bytes"], rows);
        text.push('\n');
    }
    text += &format!(
        "to read, each once: {} objects, {}; about {}\n",
        console::count(objects),
        console::size(bytes),
        pace.forecast(bytes, road.options.convert.threads)
    );
    if planner.requests() > 0 {
        text += &format!("listed with {} requests\n", console::count(planner.requests()));
    }
    let made = |status: &&DayStatus| rule.decision(status) == Decision::Build;
    let unregistered = |status: &&DayStatus| status.not_registered.is_some() && road.registrar.is_some();
    match statuses.iter().filter(|status| unregistered(status) && !made(status)).count() {
        0 => {}
        days => text += &format!("to register in the catalog, without reading: {days}\n"),
    }
    if kept > 0 {
        text += &format!("kept, since raw objects of which they have rows are gone: {kept}\n");
    }
    if unknown > 0 {
        text += &format!("{unknown} days cannot be made: nobody can tell how they stand\n");
    }
    text.push('\n');
    Ok((text, unknown))
}

/// The report of the run that is the day, if there is one.
fn live_report(lake: &dyn Lake, status: &DayStatus) -> Result<Option<RunRecord>> {
    match &status.manifest {
        Some(manifest) => run_record::report(lake, &status.partition, &manifest.run),
        None => Ok(None),
    }
}

fn row(status: &DayStatus) -> Vec<String> {
    let (day, state) = (status.partition.day.to_string(), status.state.word().to_owned());
    vec![day, state, console::count(status.objects), console::size(status.bytes)]
}

/// How fast earlier runs were.
#[derive(Default)]
struct Pace {
    bytes: f64,
    seconds: f64,
    runs: u32,
}

impl Pace {
    /// Takes the run of a published day into account, if its report is there.
    fn learn(&mut self, report: Option<&RunRecord>) {
        let report = report.filter(|report| report.outcome == RunOutcome::Published);
        if let Some(RunRecord { input_bytes, seconds, .. }) = report {
            self.bytes += *input_bytes as f64;
            self.seconds += [seconds.read, seconds.write, seconds.publish].into_iter().flatten().sum::<f64>();
            self.runs += 1;
        }
    }

    fn forecast(&self, bytes: u64, threads: usize) -> String {
        let is_known = self.bytes > 0.0 && self.seconds > 0.0;
        let (rate, source) = if is_known {
            (self.bytes / self.seconds, format!("at the pace of {} earlier runs", self.runs))
        } else {
            (ASSUMED_BYTES_PER_SECOND * threads as f64, "assuming 5 MB/s a thread".to_owned())
        };
        let time = Duration::from_secs(Duration::from_secs_f64(bytes as f64 / rate).as_secs() + 1);
        format!("{}, {source}", humantime::format_duration(time))
    }
}

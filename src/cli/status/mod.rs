//! `logmill status`: shows the state of each day, without reading a log. [`show`] formats the states for people.

mod show;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::args::{GlobalArgs, ShowFormat, StatusArgs};
use super::command_line::{CommandLine, flags_of};
use super::console;
use super::context::Context;
use super::exit::Exit;
use super::progress::Bar;
use super::proof::ProofSummary;
use super::settings::{Flags, Settings};
use super::{proposal, published_days, tables};
use crate::audit::StatusReader;
use crate::audit::freshness::{DayState, DayStatus};
use crate::digest::Verdict;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::plan::{ListedObjects, Order, RangePlanner, TableSource};
use crate::road::{Refusal, Tables, Work};
use crate::store::lake::Partition;
use crate::store::{Connector, Lake};

/// Default number of days.
const DEFAULT_DAYS: i64 = 14;

pub(super) fn run(args: &StatusArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags::of([&*args.source, &args.lake]).with_sources();
    let settings = context.settings(global, &flags)?;
    let output = settings.output()?;
    let connector = context.connector(&settings);
    let lake = connector.lake(output, &settings.lake.access)?;
    // If the lake cannot be listed, this fails here instead of showing every day as missing.
    if lake.names("")?.is_empty() {
        context.console.warn("the lake is empty", &[("lake", lake.address("").into())]);
    }
    let days = shown_days(args, &settings, lake.as_ref(), context)?;
    let Tables { sources, refused, .. } =
        tables::of_lake(&settings, days, &connector, context, lake.as_ref())?;
    let left = lake.left_here();
    let mut tables = Vec::new();
    for Refusal { error, .. } in refused {
        context.console.error(&error);
        tables.push(Err(Exit::from(error.kind())));
    }
    // A local lake is in no catalog.
    let catalog = settings.catalog.as_ref().filter(|_| output.starts_with("s3://"));
    let reader = StatusReader {
        lake: lake.as_ref(),
        database: catalog.map(|catalog| catalog.database.as_str()),
        cancel: &context.cancel,
    };
    for source in &sources {
        let listing = Bar::begin(context.console, &source.spec.table, Work::List);
        let found = statuses(reader, source, days, &connector);
        drop(listing);
        let (statuses, unlisted) = match found {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                // The other tables can still be shown.
                context.console.error(&error);
                tables.push(Err(Exit::from(error.kind())));
                continue;
            }
            found => found?,
        };
        match args.format {
            ShowFormat::Json => print_lines(source, &statuses, &left)?,
            ShowFormat::Table => {
                let list_damage = CommandLine::new("certify").in_lake(&settings.typed);
                let (table, screen) = (&source.spec.table, context.console.out);
                console::print_shown(&show::text(table, days, &statuses, &unlisted, &list_damage, screen))?;
            }
        }
        tables.push(Ok(statuses.values().any(|found| is_behind(found) || damage(found).is_some())));
    }
    warn_of_killed_runs(&left, context);
    Ok(exit(&tables, args.check))
}

/// Returns the exit code of all tables: each failed, or needs attention or not.
fn exit(tables: &[std::result::Result<bool, Exit>], check: bool) -> Exit {
    match tables.iter().find_map(|table| table.as_ref().err()) {
        Some(exit) => *exit,
        None if check && tables.contains(&Ok(true)) => Exit::Unusable,
        None => Exit::Done,
    }
}

/// Prints a line of JSON for each day.
fn print_lines(source: &TableSource, statuses: &BTreeMap<KstDay, Found>, left: &[Partition]) -> Result<()> {
    statuses.iter().try_for_each(|(day, found)| {
        let partition = source.spec.partition(*day);
        console::print(&format!("{}\n", as_json(&partition, found, left.contains(&partition))))
    })
}

/// Warns about days in which killed runs left unfinished work.
fn warn_of_killed_runs(left: &[Partition], context: &Context) {
    for partition in left {
        let fields = [
            ("table", partition.table.as_str().into()),
            ("day", partition.day.to_string().into()),
            ("hint", "remove it with 'logmill clean', or let the next run remove it".into()),
        ];
        context.console.warn("a killed run left unfinished work", &fields);
    }
}

/// Returns the days to show. Without days, these are the last [`DEFAULT_DAYS`] up to yesterday. If neither the lake nor the
/// inputs have any of them, they are as many days up to the newest day that lake or inputs have. A check always looks at the
/// last days, because a source that has stopped is to be found.
fn shown_days(
    args: &StatusArgs,
    settings: &Settings,
    lake: &dyn Lake,
    context: &Context,
) -> Result<DayRange> {
    let recent = args.days.range(console::now(), Some(DEFAULT_DAYS))?;
    if args.days.is_given() || args.check {
        return Ok(recent);
    }
    let published = published_days::published(lake, None)?;
    if published.is_some_and(|published| published.intersection(recent).is_some()) {
        return Ok(recent);
    }
    // What cannot be listed is reported later.
    let held = proposal::days_of_inputs(settings, context).ok().flatten();
    let known: Vec<DayRange> = published.into_iter().chain(held).collect();
    let Some(last) = known.iter().map(|days| days.last).max().filter(|last| *last < recent.first) else {
        return Ok(recent);
    };
    let first = known.iter().map(|days| days.first).min().unwrap_or(last);
    let days = DayRange { first: first.max(last.minus_days(DEFAULT_DAYS - 1)), last };
    let text = format!(
        "the last {DEFAULT_DAYS} days have neither logs nor published days: showing{}",
        flags_of(days)
    );
    context.console.info(&text, &[]);
    Ok(days)
}

/// The status of a day, or why it is unknown.
type Found = std::result::Result<DayStatus, Error>;

fn statuses(
    reader: StatusReader<'_>,
    source: &TableSource,
    days: DayRange,
    connector: &Connector,
) -> Result<(BTreeMap<KstDay, Found>, ListedObjects)> {
    let wanted: Vec<KstDay> = days.days().collect();
    let planner = RangePlanner::open(source, &wanted, Order::Oldest, connector, console::now)?;
    let range = reader.read(source, planner, &mut |_| Ok(false))?;
    Ok((range.days.into_iter().collect(), range.left))
}

fn state_of(found: &Found) -> DayState {
    found.as_ref().map_or(DayState::Failed, |status| status.state)
}

/// Returns whether a day lacks something that a backfill or a registration adds.
fn is_behind(found: &Found) -> bool {
    let is_unregistered = |status: &DayStatus| status.not_registered.is_some();
    state_of(found).is_behind() || found.as_ref().is_ok_and(is_unregistered)
}

/// Returns the verdict of digests about a published day.
fn verdict(found: &Found) -> Option<Verdict> {
    let manifest = found.as_ref().ok()?.manifest.as_ref()?;
    manifest.proof.as_ref().map(|proof| proof.verdict)
}

/// Returns the verdict if digests show that files or digests were altered or are missing.
fn damage(found: &Found) -> Option<Verdict> {
    verdict(found).filter(|verdict| verdict.is_damage())
}

fn as_json(partition: &Partition, found: &Found, has_unfinished: bool) -> Value {
    let Partition { table, day } = partition;
    let mut line =
        json!({ "table": table, "day": day, "state": state_of(found), "unfinished": has_unfinished });
    let fields = match found {
        Err(error) => json!({ "error": error.to_string() }),
        Ok(status) => {
            let manifest = status.manifest.as_ref();
            let failure = status.failure.as_ref();
            json!({
                "error": failure.and_then(|failure| failure.error.as_ref()).map(|error| &error.message),
                "failed_run": failure.map(|failure| &failure.run),
                "objects": status.objects,
                "bytes": status.bytes,
                "objects_listed": status.listed.listed,
                "objects_left": status.listed.left_out(),
                "left": status.listed.left,
                "objects_new": status.change.new,
                "objects_changed": status.change.changed,
                "objects_gone": status.change.gone,
                "example": status.change.example,
                "listed_at": status.listed_at.to_string(),
                "published_at": manifest.map(|manifest| &manifest.published_at),
                "run": manifest.map(|manifest| &manifest.run),
                "logmill": manifest.map(|manifest| &manifest.logmill),
                "provisional": status.provisional,
                "published_from": status.other_inputs,
                "other_settings": status.other_settings,
                "not_registered": status.not_registered,
                "ledger": manifest.map(|manifest| manifest.ledger),
                "files": manifest.map(|manifest| manifest.parts.len()),
                "file_bytes": manifest.map(|manifest| manifest.parts.iter().map(|part| part.bytes).sum::<u64>()),
            })
        }
    };
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
        line.extend(fields);
    }
    let manifest = found.as_ref().ok().and_then(|status| status.manifest.as_ref().zip(Some(status)));
    if let Some((of, _)) = manifest.filter(|(of, _)| !of.drop_columns.is_empty()) {
        line["drop_columns"] = json!(of.drop_columns);
    }
    if let Some((proof, status)) = manifest.and_then(|(of, status)| of.proof.as_ref().zip(Some(status))) {
        line["objects_named"] = status.change.named.into();
        line["proof"] = json!(ProofSummary::of(proof));
    }
    line
}

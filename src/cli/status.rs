//! `logmill status`: shows the state of each day, without reading a log.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::args::{GlobalArgs, ShowFormat, StatusArgs};
use super::command_line::{CommandLine, flags_of};
use super::console::{self, Console};
use super::context::Context;
use super::exit::Exit;
use super::grid::{Grid, tone_of};
use super::progress::Bar;
use super::proof::ProofSummary;
use super::screen::{Screen, Shown, Tone};
use super::settings::Flags;
use super::summary::left_out;
use super::{published_days, tables};
use crate::audit::StatusReader;
use crate::audit::freshness::{DayState, DayStatus};
use crate::digest::{FileLedger, Verdict};
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
    let days = args.days.range(console::now(), Some(DEFAULT_DAYS))?;
    let output = settings.output()?;
    let connector = context.connector(&settings);
    let lake = connector.lake(output, &settings.lake.access)?;
    // If the lake cannot be listed, this fails here instead of showing every day as missing.
    if lake.names("")?.is_empty() {
        context.console.warn("the lake is empty", &[("output", lake.address("").into())]);
    }
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
            ShowFormat::Json => {
                let lines = statuses.iter().map(|(day, found)| {
                    let partition = source.spec.partition(*day);
                    as_json(&partition, found, left.contains(&partition))
                });
                lines.into_iter().try_for_each(|line| console::print(&format!("{line}\n")))?;
            }
            ShowFormat::Table => {
                let screen = context.console.out;
                let list_damage = CommandLine::new("certify").repeating(&settings.typed);
                let shown = text(&source.spec.table, days, &statuses, &unlisted, &list_damage, screen);
                console::print_shown(&shown)?;
            }
        }
        tables.push(Ok(statuses.values().any(|found| is_behind(found) || damage(found).is_some())));
    }
    warn_of_killed_runs(&left, context);
    if !args.days.is_given() {
        propose_days(lake.as_ref(), days, context.console)?;
    }
    let needs_attention = tables.contains(&Ok(true));
    let failures: Vec<Exit> = tables.into_iter().filter_map(std::result::Result::err).collect();
    match failures.first() {
        Some(exit) => Ok(*exit),
        None if args.check && needs_attention => Ok(Exit::Unusable),
        None => Ok(Exit::Done),
    }
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

/// Names the published days to a person if the default days have none of them.
fn propose_days(lake: &dyn Lake, days: DayRange, console: Console) -> Result<()> {
    let published = published_days::published(lake, None)?;
    let others = published.filter(|published| console.advises() && days.intersection(*published).is_none());
    if let Some(others) = others {
        let text =
            format!("these are the last {DEFAULT_DAYS} days; the lake has others: pass{}", flags_of(others));
        console.info(&text, &[]);
    }
    Ok(())
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
    if let Some((proof, status)) = manifest.and_then(|(of, status)| of.proof.as_ref().zip(Some(status))) {
        line["objects_named"] = status.change.named.into();
        line["proof"] = json!(ProofSummary::of(proof));
    }
    line
}

const HEADER: [&str; 13] = [
    "day",
    "state",
    DIGESTS,
    "objects",
    "rows",
    "files",
    "output",
    "quarantined",
    "duplicate",
    "published at",
    "logmill",
    "run",
    "note",
];

/// The column with the verdict of digests. It is shown if they do not prove one of the days.
const DIGESTS: &str = "digests";

/// Columns that a narrow terminal hides, the least important first.
const SPARE: [&str; 9] =
    ["logmill", "run", "files", "duplicate", "published at", "output", "quarantined", "objects", "rows"];

/// Formats a calendar, a table of all days, and the number of days in each state.
fn text(
    table: &str,
    days: DayRange,
    statuses: &BTreeMap<KstDay, Found>,
    left: &ListedObjects,
    list_damage: &CommandLine,
    screen: Screen,
) -> Shown {
    let mut text = Shown::of(&format!("{table}: KST days {days}\n\n"));
    text += calendar(statuses, screen);
    text += "\n";
    text += grid(statuses).text(screen);
    let count = |state| statuses.values().filter(|found| state_of(found) == state).count();
    text += "\n";
    // A terminal shows only the states that occur.
    let shown = shown(statuses).filter(|state| screen.width.is_none() || count(*state) > 0);
    for (number, state) in shown.enumerate() {
        text += if number > 0 { ", " } else { "" };
        let counted = format!("{} {}", count(state), state.word());
        text += if count(state) > 0 { in_colour(state, &counted, screen) } else { Shown::of(&counted) };
    }
    text += "\n";
    if !left.left.is_empty() {
        text += screen.wrap(&format!("also listed: {}\n", left_out(&left.left)));
    }
    text += damaged_days(statuses, list_damage, screen);
    text += "\n";
    text
}

/// Creates the table of all days.
fn grid(statuses: &BTreeMap<KstDay, Found>) -> Grid<'static> {
    let has_verdicts = statuses.values().filter_map(verdict).any(|verdict| verdict != Verdict::Proved);
    let mut grid = Grid::new(&HEADER, &HEADER[3..9], statuses.iter().map(|(day, found)| row(*day, found)));
    if let Some(place) = HEADER.iter().position(|name| *name == DIGESTS && !has_verdicts) {
        grid.header.remove(place);
        grid.rows.iter_mut().for_each(|row| drop(row.remove(place)));
    }
    Grid { spare: &SPARE, prose: Some("note"), ..grid }
}

/// Counts the days whose logs or digests were altered or are missing, and completes the command that lists these.
fn damaged_days(statuses: &BTreeMap<KstDay, Found>, list_damage: &CommandLine, screen: Screen) -> Shown {
    let damaged = statuses.iter().filter(|(_, found)| damage(found).is_some());
    let damaged: Vec<KstDay> = damaged.map(|(day, _)| *day).collect();
    let (Some(first), Some(last)) = (damaged.first(), damaged.last()) else { return Shown::default() };
    let days = console::counted(damaged.len() as u64, "day");
    let mut text =
        screen.paint(Tone::Bad, &format!("{days} whose logs or digests were altered or are missing:"));
    let command = list_damage.clone().over(DayRange { first: *first, last: *last });
    // The terminal wraps a command, so that it can be pasted.
    text += &format!("\n  {}\n", console::shown(command.text()));
    text
}

/// The letter of a day whose files or digests were altered or are missing, whatever its state.
const DAMAGED: &str = "!";

/// Formats one line per month, with one letter per day.
fn calendar(statuses: &BTreeMap<KstDay, Found>, screen: Screen) -> Shown {
    let mut months: BTreeMap<String, BTreeMap<usize, &Found>> = BTreeMap::new();
    for (day, found) in statuses {
        let date = day.to_string();
        let number = date[8..].parse().unwrap_or_default();
        months.entry(date[..7].to_owned()).or_default().insert(number, found);
    }
    let mut text = Shown::default();
    for (month, days) in months {
        text += &format!("{month}  ");
        let last = days.keys().last().copied().unwrap_or_default();
        for day in 1..=last {
            match days.get(&day) {
                Some(found) if damage(found).is_some() => text += screen.paint(Tone::Bad, DAMAGED),
                Some(found) => {
                    let state = state_of(found);
                    text += in_colour(state, &letter(state).to_string(), screen);
                }
                // A day that was not asked for.
                None => text += " ",
            }
        }
        text += "\n";
    }
    let legend = shown(statuses).map(|state| format!("{} {}", letter(state), state.word()));
    let damaged = statuses.values().any(|found| damage(found).is_some());
    let legend: Vec<String> =
        legend.chain(damaged.then(|| format!("{DAMAGED} altered or missing files"))).collect();
    text += screen.wrap(&format!("({})\n", legend.join(", ")));
    text
}

/// Colours a text about a state.
fn in_colour(state: DayState, text: &str, screen: Screen) -> Shown {
    tone_of(state.word()).map_or_else(|| Shown::of(text), |tone| screen.paint(tone, text))
}

/// Returns the states to explain. Without digests no day is proved.
fn shown(statuses: &BTreeMap<KstDay, Found>) -> impl Iterator<Item = DayState> {
    let is_proved = statuses.values().any(|found| state_of(found) == DayState::Proved);
    DayState::ALL.into_iter().filter(move |state| *state != DayState::Proved || is_proved)
}

fn letter(state: DayState) -> char {
    match state {
        DayState::Proved => 'P',
        DayState::Published => '#',
        DayState::Empty => 'o',
        DayState::NoLogs => '-',
        DayState::Missing => '.',
        DayState::Stale => 'S',
        DayState::Failed => 'F',
    }
}

fn row(day: KstDay, found: &Found) -> Vec<String> {
    let verdict = verdict(found).map_or("-", Verdict::word);
    let mut row = vec![day.to_string(), state_of(found).word().to_owned(), verdict.to_owned()];
    let status = match found {
        Ok(status) => status,
        Err(error) => {
            row.extend(std::iter::repeat_n(String::new(), HEADER.len() - 4));
            row.push(error.to_string());
            return row;
        }
    };
    row.push(console::count(status.objects));
    match &status.manifest {
        None => row.extend(std::iter::repeat_n("-".to_owned(), 8)),
        Some(manifest) => {
            let ledger = &manifest.ledger;
            let bytes = manifest.parts.iter().map(|part| part.bytes).sum();
            row.extend([console::count(ledger.written), console::count(manifest.parts.len() as u64)]);
            row.push(console::size(bytes));
            row.extend([ledger.quarantined, ledger.duplicate].map(console::count));
            row.extend([manifest.published_at.clone(), manifest.logmill.clone(), manifest.run.clone()]);
        }
    }
    row.push(notes(status).join("; "));
    row
}

/// Returns notes that explain the state.
fn notes(status: &DayStatus) -> Vec<String> {
    let mut notes = Vec::new();
    let failure = status.failure.as_ref().and_then(|failure| failure.error.as_ref());
    notes.extend(failure.map(|error| error.message.clone()));
    let change = &status.change;
    let counts = [
        (change.new, "new"),
        (change.changed, "changed"),
        (change.gone, "gone"),
        (change.named, "named by digests but not read"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> =
        counts.map(|(count, what)| format!("{} {what}", console::count(*count))).collect();
    if !counts.is_empty() {
        notes.push(format!("objects: {}", counts.join(", ")));
    }
    let proof = status.manifest.as_ref().and_then(|manifest| manifest.proof.as_ref());
    let FileLedger { named, altered, missing, .. } = proof.map(|proof| proof.files).unwrap_or_default();
    if altered + missing > 0 {
        let [altered, missing] = [altered, missing].map(console::count);
        let named = console::counted(named, "file");
        notes.push(format!("digests name {named}: {altered} altered, {missing} missing"));
    }
    notes.extend(status.not_registered.as_ref().map(|why| format!("not registered: {why}")));
    if !status.other_settings.is_empty() {
        notes.push(format!("other settings: {}", status.other_settings.join(", ")));
    }
    if let Some(inputs) = &status.other_inputs {
        notes.push(format!("published from {}", inputs.join(", ")));
    }
    if status.provisional {
        notes.push("provisional".to_owned());
    }
    notes
}

//! The states of days as text: a calendar, a table, and the number of days in each state.

use std::collections::BTreeMap;

use super::{Found, damage, state_of, verdict};
use crate::audit::freshness::{DayState, DayStatus};
use crate::cli::command_line::CommandLine;
use crate::cli::console;
use crate::cli::grid::{Grid, tone_of};
use crate::cli::screen::{Screen, Shown, Tone};
use crate::cli::summary::left_out;
use crate::digest::{FileLedger, Verdict};
use crate::kst::{DayRange, KstDay};
use crate::plan::ListedObjects;

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
pub(super) fn text(
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
    let dropped = status.manifest.as_ref().map(|manifest| manifest.drop_columns.join(", "));
    notes.extend(dropped.filter(|names| !names.is_empty()).map(|names| format!("without {names}")));
    if let Some(inputs) = &status.other_inputs {
        notes.push(format!("published from {}", inputs.join(", ")));
    }
    if status.provisional {
        notes.push("provisional".to_owned());
    }
    notes
}

//! Prints the differences between two runs.

use serde_json::{Value, json};

use crate::audit::{DayDiff, ObjectChange, ObjectDiff, RowChange, RowCounts, RowDiff, RunVersion};
use crate::cli::args::{DiffArgs, TextFormat};
use crate::cli::console;
use crate::cli::grid::Grid;
use crate::cli::screen::{Screen, Shown};
use crate::error::Result;
use crate::ledger::RowLedger;
use crate::store::lake::Partition;

pub(super) fn print(partition: &Partition, diff: &DayDiff, args: &DiffArgs, screen: Screen) -> Result<()> {
    match args.format {
        TextFormat::Json => console::print(&format!("{}\n", document(partition, diff))),
        TextFormat::Text => console::print_shown(&text(partition, diff, args.limit, screen)),
    }
}

const COUNTS: [&str; 6] = ["read", "written", "other day", "duplicate", "quarantined", "filtered"];

fn counts(ledger: &RowLedger) -> [u64; 6] {
    let RowLedger { read, written, other_day, duplicate, quarantined, filtered } = *ledger;
    [read, written, other_day, duplicate, quarantined, filtered]
}

fn text(partition: &Partition, diff: &DayDiff, limit: usize, screen: Screen) -> Shown {
    let mut text = Shown::of(&format!("{}, KST day {}\n\n", partition.table, partition.day));
    text += totals(&diff.a, &diff.b, screen);
    text += "\n";
    for setting in &diff.settings {
        let line = format!("setting {}: {} -> {}", setting.name, setting.a, setting.b);
        text += screen.wrap(&(console::shown(&line) + "\n"));
    }
    if diff.settings.is_empty() {
        text += "settings: the same\n";
    }
    text += match &diff.objects {
        Some(objects) => objects_text(objects, limit, screen),
        None => screen.wrap("objects: unknown, because the inputs of one run are no longer recorded\n"),
    };
    text += screen.wrap(&match &diff.rows {
        Some(rows) => rows_text(rows),
        None => rows_by_ledgers(&diff.a, &diff.b),
    });
    text += "\n";
    text
}

/// Columns of [`totals`] that a narrow terminal hides, the least important first.
const SPARE_TOTALS: [&str; 8] =
    ["published at", "filtered", "other day", "duplicate", "quarantined", "objects", "read", "state"];

/// Formats one line per run.
fn totals(a: &RunVersion, b: &RunVersion, screen: Screen) -> Shown {
    let header: Vec<&str> =
        ["", "run", "published at", "objects"].into_iter().chain(COUNTS).chain(["state"]).collect();
    let row = |(name, version): (&str, &RunVersion)| {
        let manifest = &version.manifest;
        let mut row = vec![name.to_owned(), manifest.run.clone(), manifest.published_at.clone()];
        row.push(console::count(manifest.inputs_file.objects));
        row.extend(counts(&manifest.ledger).map(console::count));
        row.push(if version.is_live { "live" } else { "superseded" }.to_owned());
        row
    };
    let grid = Grid::new(&header, &header[3..10], [("A", a), ("B", b)].into_iter().map(row));
    Grid { spare: &SPARE_TOTALS, ..grid }.text(screen)
}

fn word(change: ObjectChange) -> &'static str {
    match change {
        ObjectChange::OnlyA => "only in A",
        ObjectChange::OnlyB => "only in B",
        ObjectChange::Changed => "changed",
        ObjectChange::OtherRows => "with other counts",
    }
}

/// Columns of the table of objects that a narrow terminal hides, the least important first.
const SPARE_COUNTS: [&str; 6] = ["filtered", "other day", "bytes", "duplicate", "quarantined", "read"];

fn objects_text(objects: &[ObjectDiff], limit: usize, screen: Screen) -> Shown {
    if objects.is_empty() {
        return Shown::of("objects: the same, with the same counts\n");
    }
    let all = [ObjectChange::OnlyA, ObjectChange::OnlyB, ObjectChange::Changed, ObjectChange::OtherRows];
    let number = |change| objects.iter().filter(|diff| diff.change == change).count() as u64;
    let present = all.into_iter().filter(|change| number(*change) > 0);
    let numbers: Vec<String> =
        present.map(|change| format!("{} {}", console::count(number(change)), word(change))).collect();
    let mut text = screen.wrap(&format!("objects: {}\n", numbers.join(", ")));
    if limit > 0 {
        let header: Vec<&str> = ["", "bytes"].into_iter().chain(COUNTS).chain(["object"]).collect();
        let grid = Grid::new(&header, &header[1..8], objects.iter().take(limit).map(object_row));
        text += Grid { spare: &SPARE_COUNTS, prose: Some("object"), ..grid }.text(screen);
    }
    text += &more(objects.len(), limit);
    text
}

fn more(all: usize, limit: usize) -> String {
    let more = all.saturating_sub(limit);
    if more == 0 {
        String::new()
    } else {
        format!("and {} more: raise --limit to see them\n", console::count(more as u64))
    }
}

/// Formats the counts of an object, as `before>after` if they differ.
fn object_row(diff: &ObjectDiff) -> Vec<String> {
    let sides = [&diff.a, &diff.b];
    let numbers = sides.map(|side| {
        side.as_ref().map(|line| {
            let mut numbers = vec![line.bytes];
            numbers.extend(counts(&line.ledger));
            numbers
        })
    });
    let shown = |place: usize| {
        let [a, b] =
            numbers.each_ref().map(|side| side.as_ref().map(|numbers| console::count(numbers[place])));
        match (a, b) {
            (Some(a), Some(b)) if a != b => format!("{a}>{b}"),
            (a, b) => b.or(a).unwrap_or_default(),
        }
    };
    let mut row = vec![word(diff.change).to_owned()];
    row.extend((0..=COUNTS.len()).map(shown));
    row.push(diff.object.clone());
    row
}

fn rows_text(rows: &RowDiff) -> String {
    let RowCounts { added, removed, changed } = rows.total;
    let [added, removed, changed] = [added, removed, changed].map(console::count);
    let mut text = format!(
        "rows: {added} added, {removed} removed, {changed} changed, counted in the files of both runs\n"
    );
    for example in &rows.examples {
        let what = match example.change {
            RowChange::Added => "added",
            RowChange::Removed => "removed",
            RowChange::Changed => "changed",
        };
        let object = console::shown(&example.source_object);
        text += &format!("  {what:<8} record {} of {object}\n", example.source_record);
    }
    text
}

/// Formats the difference of the totals, which does not separate added rows from removed ones.
fn rows_by_ledgers(a: &RunVersion, b: &RunVersion) -> String {
    let (before, after) = (a.manifest.ledger.written, b.manifest.ledger.written);
    let sign = if after < before { "-" } else { "+" };
    let number = console::count(after.abs_diff(before));
    format!(
        "rows: {sign}{number} written, from the ledgers only: the files of a superseded run have been removed\n"
    )
}

fn document(partition: &Partition, diff: &DayDiff) -> Value {
    json!({
        "table": partition.table,
        "day": partition.day,
        "a": version(&diff.a),
        "b": version(&diff.b),
        "settings": diff.settings,
        "objects": diff.objects,
        "rows_counted_in": if diff.rows.is_some() { "files" } else { "ledgers" },
        "rows": diff.rows,
    })
}

fn version(version: &RunVersion) -> Value {
    let manifest = &version.manifest;
    json!({
        "run": manifest.run,
        "live": version.is_live,
        "published_at": manifest.published_at,
        "planned_at": manifest.planned_at,
        "provisional": manifest.provisional,
        "objects": manifest.inputs_file.objects,
        "input_bytes": manifest.input_bytes,
        "ledger": manifest.ledger,
        "files": manifest.parts.len(),
        "file_bytes": manifest.parts.iter().map(|part| part.bytes).sum::<u64>(),
    })
}

//! Prints the findings as a table or as JSON lines.

use serde_json::{Value, json};

use super::next_step::next_step;
use super::places::Places;
use crate::cli::args::ShowFormat;
use crate::cli::console;
use crate::cli::grid::Grid;
use crate::error::Result;
use crate::road::diagnosis::{DayDiagnosis, TableDiagnosis};

const HEADER: [&str; 7] = ["table", "day", "objects", "raw", "rows", "catalog", "state"];

/// Columns that a narrow terminal hides, the least important first.
const SPARE: [&str; 4] = ["raw", "objects", "catalog", "rows"];

pub(super) fn print(places: &Places<'_>, tables: &[TableDiagnosis], format: ShowFormat) -> Result<()> {
    let days = || tables.iter().flat_map(|table| &table.days);
    if format == ShowFormat::Json {
        return console::print(&days().map(|day| line(places, day).to_string() + "\n").collect::<String>());
    }
    let screen = places.context.console.out;
    let grid = Grid::new(&HEADER, &HEADER[2..5], days().map(|day| row(places, day)));
    let mut text = Grid { spare: &SPARE, prose: Some("state"), ..grid }.text(screen);
    for (number, step) in days().flat_map(|day| steps(places, day)).enumerate() {
        text += if number == 0 { "\n" } else { "" };
        text += screen.wrap(&step.problem);
        text += "\n";
        // A command is pasted as it is.
        text += &step.next.map(|next| format!("  next: {next}\n")).unwrap_or_default();
    }
    console::print_shown(&text)
}

/// Returns the problems of a day, or its state if it has none.
fn state(day: &DayDiagnosis) -> String {
    if day.failed.is_some() {
        return "unknown".to_owned();
    }
    let words: Vec<&str> = day.findings.iter().map(crate::catalog::diagnosis::Finding::word).collect();
    match &day.published {
        _ if !words.is_empty() => words.join(", "),
        // Without inputs, it is unknown whether raw logs exist.
        None if day.planned.is_none() => "not published".to_owned(),
        None => "no logs".to_owned(),
        Some(manifest) if manifest.provisional => "provisional".to_owned(),
        Some(_) => "ok".to_owned(),
    }
}

fn in_catalog(places: &Places<'_>, day: &DayDiagnosis) -> &'static str {
    match (&day.registered, places.registrar) {
        (_, None) => "-",
        (None, _) if day.published.is_none() => "-",
        _ if day.projected => "projected",
        (Some(_), _) => "yes",
        (None, _) => "no",
    }
}

fn row(places: &Places<'_>, day: &DayDiagnosis) -> Vec<String> {
    let unknown = || "-".to_owned();
    vec![
        day.partition.table.clone(),
        day.partition.day.to_string(),
        day.planned.map_or_else(unknown, |(objects, _)| console::count(objects)),
        day.planned.map_or_else(unknown, |(_, bytes)| console::size(bytes)),
        day.published.as_ref().map_or_else(unknown, |manifest| console::count(manifest.ledger.written)),
        in_catalog(places, day).to_owned(),
        state(day),
    ]
}

/// A problem of a day, and what to do about it.
struct Step {
    problem: String,
    next: Option<String>,
}

/// Describes each problem of a day in a sentence, with its next step.
fn steps(places: &Places<'_>, day: &DayDiagnosis) -> Vec<Step> {
    let (table, date) = (&day.partition.table, day.partition.day);
    let shown = |text: &str| console::shown(text).into_owned();
    let failed = day.failed.as_ref().map(|error| Step {
        problem: format!("{table} {date}: {}", shown(&error.to_string())),
        next: error.next_step().map(shown),
    });
    let found = day.findings.iter().map(|finding| Step {
        problem: format!("{table} {date}: {}: {}", finding.word(), shown(&finding.detail())),
        next: Some(shown(&next_step(places, table, date, finding))),
    });
    failed.into_iter().chain(found).collect()
}

fn line(places: &Places<'_>, day: &DayDiagnosis) -> Value {
    let (table, date) = (&day.partition.table, day.partition.day);
    let finding = |finding| {
        json!({
            "finding": crate::catalog::diagnosis::Finding::word(finding),
            "detail": finding.detail(),
            "next": next_step(places, table, date, finding),
        })
    };
    json!({
        "table": table,
        "day": date,
        "state": state(day),
        "objects": day.planned.map(|(objects, _)| objects),
        "bytes": day.planned.map(|(_, bytes)| bytes),
        "published": day.published.as_ref().map(|manifest| json!({
            "run": manifest.run,
            "rows": manifest.ledger.written,
            "provisional": manifest.provisional,
        })),
        "registered": day.registered.as_ref().map(|found| &found.location),
        "projected": day.projected,
        "findings": day.findings.iter().map(finding).collect::<Vec<_>>(),
        "error": day.failed.as_ref().map(ToString::to_string),
    })
}

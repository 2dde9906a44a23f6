//! Prints the findings as a table or as JSON lines.

use serde_json::{Value, json};

use super::next_step::next_step;
use super::places::Places;
use crate::cli::args::ShowFormat;
use crate::cli::console;
use crate::error::Result;
use crate::road::diagnosis::{DayDiagnosis, TableDiagnosis};

const HEADER: [&str; 7] = ["table", "day", "objects", "raw", "rows", "catalog", "state"];

pub(super) fn print(places: &Places<'_>, tables: &[TableDiagnosis], format: ShowFormat) -> Result<()> {
    let days = || tables.iter().flat_map(|table| &table.days);
    console::print(&match format {
        ShowFormat::Json => days().map(|day| line(places, day).to_string() + "\n").collect(),
        ShowFormat::Table => {
            let rows = days().map(|day| row(places, day));
            let steps: String = days().map(|day| steps(places, day)).collect();
            let gap = if steps.is_empty() { "" } else { "\n" };
            console::table(&HEADER, &HEADER[2..5], rows) + gap + &steps
        }
    })
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

/// Formats each finding as a sentence with its next step.
fn steps(places: &Places<'_>, day: &DayDiagnosis) -> String {
    let (table, date) = (&day.partition.table, day.partition.day);
    let failed = day.failed.as_ref().map(|error| {
        let hint = error.next_step().map(|hint| format!("  next: {}\n", console::shown(hint)));
        let error = error.to_string();
        format!("{table} {date}: {}\n{}", console::shown(&error), hint.unwrap_or_default())
    });
    let found = day.findings.iter().map(|finding| {
        let next = next_step(places, table, date, finding);
        let [detail, next] = [finding.detail(), next].map(|text| console::shown(&text).into_owned());
        format!("{table} {date}: {}: {detail}\n  next: {next}\n", finding.word())
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

//! Prints the result: one field per line, or one JSON document.

use serde_json::{Value, json};

use crate::audit::why::{IdFindings, IdSearch, RawSearch};
use crate::audit::{Fate, PublishedRow, Trace};
use crate::cli::args::TextFormat;
use crate::cli::console;
use crate::cli::screen::{Screen, Shown};
use crate::error::Result;
use crate::kst::UtcInstant;
use crate::publish::Manifest;

pub(super) fn print(
    search: &IdSearch<'_>,
    findings: &[IdFindings],
    format: TextFormat,
    screen: Screen,
) -> Result<()> {
    match format {
        TextFormat::Json => console::print(&format!("{}\n", document(search, findings))),
        TextFormat::Text => {
            let any_found = any_found(findings);
            findings
                .iter()
                .try_for_each(|table| console::print_shown(&text(search, table, any_found, screen)))
        }
    }
}

/// Returns whether any table has the id.
fn any_found(findings: &[IdFindings]) -> bool {
    findings.iter().any(|table| !table.traces.is_empty())
}

/// Describes a fate, as the end of a sentence about the id.
fn sentence(fate: Fate) -> &'static str {
    match fate {
        Fate::InLake => "in the lake",
        Fate::NotPublished => "in the raw logs, but the day was never published",
        Fate::Late => "in a raw object that the published run did not find: the day is stale",
        Fate::Changed => "in a raw object that has changed since the day was published: the day is stale",
        Fate::Filtered => "left out by a filter",
        Fate::Lost => "in a raw object that the published run read, but not in the lake",
        Fate::Quarantined => "quarantined: it could not be decoded",
        Fate::Duplicate => "a duplicate",
        Fate::OtherDay => "an event of another day",
        Fate::Mentioned => "in the bytes of raw objects, but not as the id of a row",
        Fate::Absent => "in no raw object that a run of the day reads",
        Fate::Unknown => "not in the lake; the raw logs were not searched",
    }
}

/// Returns the next step for a table.
fn hint(search: &IdSearch<'_>, table: &IdFindings, is_found_elsewhere: bool) -> Option<String> {
    let (day, name) = (search.day, &table.partition.table);
    let other = table.traces.iter().filter_map(Trace::day).find(|other| *other != day);
    Some(match table.fate() {
        Fate::InLake => return None,
        Fate::NotPublished => format!("publish it with 'logmill run --day {day}'"),
        Fate::Late | Fate::Changed => {
            format!(
                "rebuild the day with 'logmill run --day {day}'; list all stale days with 'logmill status'"
            )
        }
        Fate::Filtered => "see the rules in the field 'filter' of the manifest".to_owned(),
        Fate::Lost => {
            format!("check the day against its manifest with 'logmill verify --day {day} --table {name}'")
        }
        Fate::Quarantined => {
            "see its raw text in the quarantine file, or decode the object with 'logmill inspect'".to_owned()
        }
        Fate::Duplicate => "no action is needed: the row that it repeats is published".to_owned(),
        Fate::OtherDay => {
            let (day, flag, id) = (other.unwrap_or(day), search.what.flag(), console::shown(search.id));
            format!("search that day: pass --day {day} --{flag} {id}")
        }
        Fate::Mentioned => "see every field of the object with 'logmill inspect'".to_owned(),
        Fate::Absent => format!(
            "objects delivered at other times were not read: if it may have arrived later, pass a longer --lateness; see \
             the state of the day with 'logmill status --day {day}'"
        ),
        Fate::Unknown if is_found_elsewhere => return None,
        Fate::Unknown => "pass the raw logs with --input, or a config file with --config".to_owned(),
    })
}

fn text(search: &IdSearch<'_>, table: &IdFindings, any_found: bool, screen: Screen) -> Shown {
    let mut text = screen.wrap(&format!(
        "{}, KST day {}: {} {} is {}\n",
        console::shown(&table.partition.table),
        search.day,
        search.what.words(),
        console::shown(search.id),
        sentence(table.fate())
    ));
    let hint = hint(search, table, any_found).map(|hint| ("hint", hint));
    let of_table: Vec<Field> = table_fields(table).into_iter().chain(hint).collect();
    let of_traces = table.traces.iter().map(|trace| trace_fields(search, table, trace));
    for fields in of_traces.chain([of_table]) {
        text += "\n";
        for field in &fields {
            text += field_line(field, screen);
        }
    }
    text += "\n";
    text
}

type Field = (&'static str, String);

fn field_line((name, value): &Field, screen: Screen) -> Shown {
    screen.wrap_under(&format!("  {name:<13} {}\n", console::shown(value)), 16)
}

fn trace_fields(search: &IdSearch<'_>, table: &IdFindings, trace: &Trace) -> Vec<Field> {
    let mut fields = vec![("fate", sentence(trace.fate).to_owned())];
    if let Some(row) = &trace.published {
        fields.push(("file", search.lake.address(&file_of(table, trace, row))));
        fields.push((
            "row group",
            format!("{}, row {} of the group, both counted from 0", row.row_group, row.row),
        ));
    }
    if let Some(at) = trace.at {
        fields.push(("event time", format!("{at}, {} KST", kst(at))));
    }
    fields.extend(trace.published.as_ref().and_then(event).map(|event| ("event", event)));
    fields.push(("raw object", trace.object.clone()));
    fields.extend(trace.record.map(|record| ("record", record.to_string())));
    fields.extend(
        trace.repeats.iter().map(|(object, record)| ("repeats", format!("record {record} of {object}"))),
    );
    fields.extend(trace.rejected.iter().map(|(reason, detail)| ("reason", format!("{reason}: {detail}"))));
    fields
}

/// Returns the path of the file of a row, below the lake. The file may belong to the day before or after.
fn file_of(table: &IdFindings, trace: &Trace, row: &PublishedRow) -> String {
    let mut partition = table.partition.clone();
    partition.day = trace.day().unwrap_or(partition.day);
    format!("{partition}/{}", row.file)
}

/// The first two cluster values of a row: the second one, which is more specific, and the first one in brackets.
fn event(row: &PublishedRow) -> Option<String> {
    let values: Vec<&str> = row.cluster.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
    match values.as_slice() {
        [] => None,
        [only] => Some((*only).to_owned()),
        [first, second, ..] => Some(format!("{second} ({first})")),
    }
}

/// Formats the time in KST, without a zone.
fn kst(at: UtcInstant) -> String {
    UtcInstant(at.kst_wall_clock_ms()).to_string().trim_end_matches('Z').to_owned()
}

fn table_fields(table: &IdFindings) -> Vec<Field> {
    let mut fields = vec![("published", published(table.manifest.as_ref()))];
    let counted_only = rows_counted_only(table);
    if counted_only > 0 {
        let rows = console::counted(counted_only, "rejected row");
        fields.push(("not kept", format!("{rows}, only in the raw logs: search them with --deep")));
    }
    fields.extend(table.failure.iter().map(|failed| {
        let message = failed.error.as_ref().map_or("it was killed", |error| error.message.as_str());
        ("last run", format!("{} failed: {message}", failed.run))
    }));
    if let Some(raw) = &table.raw {
        fields.push(("raw logs", searched(raw)));
        fields.extend(
            raw.damaged
                .iter()
                .map(|object| ("damaged", format!("{object}: its unreadable part was not searched"))),
        );
    }
    fields
}

/// Returns the number of rejected rows that the quarantine of the last run does not contain.
fn rows_counted_only(table: &IdFindings) -> u64 {
    let of_day = table.manifest.as_ref().map(|manifest| &manifest.counted_only);
    let of_last = table.failure.as_ref().map(|failed| &failed.counted_only).or(of_day);
    of_last.into_iter().flatten().map(|counted| counted.rows).sum()
}

fn published(manifest: Option<&Manifest>) -> String {
    manifest.map_or("never".to_owned(), |manifest| {
        let state = if manifest.provisional { "provisional" } else { "final" };
        let rows = console::counted(manifest.ledger.written, "row");
        format!("run {}, inputs listed at {}, {rows}, {state}", manifest.run, manifest.planned_at)
    })
}

fn searched(raw: &RawSearch) -> String {
    let (objects, bytes) = (console::counted(raw.objects, "object"), console::size(raw.bytes));
    format!("{objects}, {bytes}, delivered from {} to {}", raw.from, raw.until)
}

fn document(search: &IdSearch<'_>, findings: &[IdFindings]) -> Value {
    let is_found = findings.iter().any(|table| table.fate() == Fate::InLake);
    json!({
        "day": search.day,
        "identifier": search.what,
        "id": search.id,
        "in_lake": is_found,
        "tables": findings.iter().map(|table| table_value(search, table, any_found(findings))).collect::<Vec<_>>(),
    })
}

fn table_value(search: &IdSearch<'_>, table: &IdFindings, any_found: bool) -> Value {
    let manifest = table.manifest.as_ref();
    json!({
        "table": table.partition.table,
        "fate": table.fate(),
        "hint": hint(search, table, any_found),
        "run": manifest.map(|manifest| &manifest.run),
        "planned_at": manifest.map(|manifest| &manifest.planned_at),
        "provisional": manifest.map(|manifest| manifest.provisional),
        "rejected_not_kept": rows_counted_only(table),
        "failed_run": table.failure.as_ref().map(|failed| &failed.run),
        "error": table.failure.as_ref().and_then(|failed| failed.error.as_ref()).map(|error| &error.message),
        "found": table.traces.iter().map(|trace| trace_value(table, trace)).collect::<Vec<_>>(),
        "raw": table.raw.as_ref().map(|raw| json!({
            "objects": raw.objects,
            "bytes": raw.bytes,
            "delivered_from": raw.from.to_string(),
            "delivered_until": raw.until.to_string(),
            "damaged": raw.damaged,
        })),
    })
}

fn trace_value(table: &IdFindings, trace: &Trace) -> Value {
    let row = trace.published.as_ref();
    let mut value = json!({
        "fate": trace.fate,
        "source_object": trace.object,
        "source_record": trace.record,
        "event_time": trace.at.map(|at| at.to_string()),
        "event_time_kst": trace.at.map(kst),
        "day": trace.day(),
        "file": row.map(|row| file_of(table, trace, row)),
        "row_group": row.map(|row| row.row_group),
        "row": row.map(|row| row.row),
        "repeats": trace.repeats.as_ref().map(|(object, record)| json!({
            "source_object": object,
            "source_record": record,
        })),
        "reason": trace.rejected.as_ref().map(|(reason, _)| reason),
        "detail": trace.rejected.as_ref().map(|(_, detail)| detail),
    });
    if let Some(row) = row {
        for (place, cell) in table.schema.cluster.iter().zip(&row.cluster) {
            value[table.schema.columns[*place].name.as_ref()] = cell.clone().into();
        }
    }
    value
}

//! Typed cells from the written values of a record.

use std::sync::Arc;

use super::shape::{CellSource, ExtraField, Found};
use super::time::TimeForm;
use super::value::{boolean, double, integer, texts};
use crate::json::text;
use crate::table::{Cells, ColumnType, Rows};

/// Appends the cells of all kept records, column by column. Values that do not fit their columns are added to `extra`,
/// which is filled last.
pub(in crate::dataset) fn write(
    sources: &[CellSource],
    times: TimeForm,
    found: &mut Found<'_>,
    rows: &mut Rows,
) {
    if found.len() == 0 {
        return found.clear();
    }
    for (column, source) in sources.iter().enumerate() {
        let cells = rows.cell(column);
        match source {
            _ if source.slot().is_some_and(|slot| !found.is_filled(slot)) => cells.push_nulls(found.len()),
            CellSource::Value { slot, column_type, rescue } => {
                for record in 0..found.len() {
                    let written = found.value_of(record, *slot);
                    let fits = write_value(cells, *column_type, times, written);
                    if let (false, Some(value), Some(path)) = (fits, written, rescue) {
                        found.extra_of(record).push(ExtraField { path: Arc::clone(path), key: None, value });
                    }
                }
            }
            CellSource::ListMember { list, keys, .. } => {
                for record in 0..found.len() {
                    match found.list_of(record, *list) {
                        Some(list) => cells.push_list(list.members_under(keys)),
                        None => cells.push_null(),
                    }
                }
            }
            CellSource::NamedElement { list, name } => {
                for record in 0..found.len() {
                    let value = found.list_of(record, *list).and_then(|list| list.value_named(name));
                    cells.push_text(value.as_deref());
                }
            }
            CellSource::Extra => {
                rescue_lists(sources, found);
                for record in 0..found.len() {
                    cells.push_text(extra_json(found.extra_of(record)).as_deref());
                }
            }
        }
    }
    found.clear();
}

/// Appends a value in the type of its column, or a null. Returns false if there is a value of another type.
fn write_value(cells: &mut Cells, column_type: ColumnType, times: TimeForm, written: Option<&str>) -> bool {
    let Some(written) = written else {
        cells.push_null();
        return true;
    };
    match column_type {
        ColumnType::Text => {
            cells.push_text(Some(&text(written)));
            true
        }
        ColumnType::Json => {
            cells.push_text(Some(written));
            true
        }
        ColumnType::Bool => push_some(boolean(written), |value| cells.push_bool(value)),
        ColumnType::Int => {
            let fits = |value: &i64| i32::try_from(*value).is_ok();
            push_some(integer(written).filter(fits), |value| cells.push_integer(value))
        }
        ColumnType::BigInt => push_some(integer(written), |value| cells.push_integer(value)),
        ColumnType::Double => push_some(double(written), |value| cells.push_double(value)),
        ColumnType::Timestamp => push_some(times.read(written), |value| cells.push_time(value)),
        ColumnType::TextList => {
            let texts = texts(written);
            let fits = texts.is_some();
            match texts {
                Some(texts) => cells.push_list(texts.into_iter()),
                None => cells.push_null(),
            }
            fits
        }
    }
}

fn push_some<T>(value: Option<T>, push: impl FnOnce(Option<T>)) -> bool {
    let fits = value.is_some();
    push(value);
    fits
}

/// Adds a whole list to `extra` if its columns do not hold all of it.
fn rescue_lists(sources: &[CellSource], found: &mut Found<'_>) {
    let lists = || {
        sources.iter().filter_map(|source| match source {
            CellSource::ListMember { list, path, keys } => Some((*list, path, keys.as_slice())),
            _ => None,
        })
    };
    let mut done = Vec::new();
    for (list, path, _) in lists() {
        if done.contains(&list) {
            continue;
        }
        done.push(list);
        let columns: Vec<&[Box<str>]> =
            lists().filter(|(of, ..)| *of == list).map(|(.., keys)| keys).collect();
        for record in 0..found.len() {
            let Some(value) = found.value_of(record, list.slot) else { continue };
            if !found.list_of(record, list).is_some_and(|list| list.is_held_by(&columns)) {
                found.extra_of(record).push(ExtraField { path: Arc::clone(path), key: None, value });
            }
        }
    }
}

/// Returns `{"path.key":value, ...}` with keys and values verbatim, or nothing if no field is left.
pub(in crate::dataset) fn extra_json(fields: &[ExtraField<'_>]) -> Option<String> {
    if fields.is_empty() {
        return None;
    }
    let mut json = String::from("{");
    for field in fields {
        let separator = if json.len() > 1 { ",\"" } else { "\"" };
        json.push_str(separator);
        json.push_str(&field.path);
        if let Some(key) = field.key {
            if !field.path.is_empty() {
                json.push('.');
            }
            json.push_str(key);
        }
        json.push_str("\":");
        json.push_str(field.value);
    }
    json.push('}');
    Some(json)
}

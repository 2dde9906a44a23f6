//! Typed cells from the written values of a record.

use super::shape::{CellSource, ExtraField, Found};
use super::value::{boolean, double, integer};
use crate::json::text;
use crate::kst::UtcInstant;
use crate::table::{Cells, ColumnType, Rows};

/// Appends the cells of all kept records, column by column. Values that do not fit their columns are added to `extra`,
/// which is filled last.
pub(super) fn write<'a>(sources: &'a [CellSource], found: &mut Found<'a>, rows: &mut Rows) {
    for (column, source) in sources.iter().enumerate() {
        let cells = rows.cell(column);
        match source {
            CellSource::Value { slot, column_type, rescue } => {
                for record in 0..found.len() {
                    let written = found.value_of(record, *slot);
                    let fits = write_value(cells, *column_type, written);
                    if let (false, Some(value), Some(path)) = (fits, written, rescue) {
                        found.extra_of(record).push(ExtraField { path, key: None, value });
                    }
                }
            }
            CellSource::ListMember { slot, keys } => {
                for record in 0..found.len() {
                    match found.list_of(record, *slot) {
                        Some(list) => cells.push_list(list.members_under(keys)),
                        None => cells.push_null(),
                    }
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
fn write_value(cells: &mut Cells, column_type: ColumnType, written: Option<&str>) -> bool {
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
        ColumnType::Int | ColumnType::BigInt => {
            push_some(integer(written), |value| cells.push_integer(value))
        }
        ColumnType::Double => push_some(double(written), |value| cells.push_double(value)),
        ColumnType::Timestamp => {
            push_some(UtcInstant::parse_iso8601(&text(written)), |value| cells.push_time(value))
        }
        ColumnType::TextList => {
            cells.push_null();
            false
        }
    }
}

fn push_some<T>(value: Option<T>, push: impl FnOnce(Option<T>)) -> bool {
    let fits = value.is_some();
    push(value);
    fits
}

/// Adds a whole list to `extra` if its columns do not hold all of it.
fn rescue_lists<'a>(sources: &'a [CellSource], found: &mut Found<'a>) {
    let lists = sources.iter().filter_map(|source| match source {
        CellSource::ListMember { slot, keys } => Some((*slot, keys.as_slice())),
        _ => None,
    });
    let Some((slot, _)) = lists.clone().next() else { return };
    let columns: Vec<&[Box<str>]> = lists.map(|(_, keys)| keys).collect();
    for record in 0..found.len() {
        let Some(value) = found.value_of(record, slot) else { continue };
        if !found.list_of(record, slot).is_some_and(|list| list.is_held_by(&columns)) {
            found.extra_of(record).push(ExtraField { path: "resources", key: None, value });
        }
    }
}

/// Returns `{"path.key":value, ...}` with keys and values verbatim, or nothing if no field is left.
fn extra_json(fields: &[ExtraField<'_>]) -> Option<String> {
    if fields.is_empty() {
        return None;
    }
    let mut json = String::from("{");
    for field in fields {
        let separator = if json.len() > 1 { ",\"" } else { "\"" };
        json.push_str(separator);
        json.push_str(field.path);
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

//! Typed cells from the written values of a record.

use std::borrow::Cow;

use super::shape::{CellSource, ExtraField, Found};
use crate::json::{inner, unescape};
use crate::kst::UtcInstant;
use crate::table::Cells;
use crate::table::Rows;
use crate::table::column::ColumnType;

/// Appends the cells of all records kept, column by column. What does not fit its column goes to `extra`, which is filled
/// last.
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

/// Appends a value as its column's type, or a null; false when a value is there but is of another type.
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

/// The text of a written value: of a string what it stands for, of anything else its JSON.
pub(super) fn text(written: &str) -> Cow<'_, str> {
    if written.starts_with('"') { unescape(inner(written)) } else { Cow::Borrowed(written) }
}

/// `true`, `"true"` and their opposites: CloudTrail writes both forms.
fn boolean(written: &str) -> Option<bool> {
    match text(written).as_ref() {
        "true" | "True" => Some(true),
        "false" | "False" => Some(false),
        _ => None,
    }
}

/// A whole number: `12`, `"12"`, `12.0`.
fn integer(written: &str) -> Option<i64> {
    let text = text(written);
    text.parse().ok().or_else(|| text.trim_end_matches('0').strip_suffix('.')?.parse().ok())
}

/// Puts a list whole into `extra` when its columns do not hold all of it.
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

/// `{"path.key":value, ...}`, or nothing. Keys and values stay as they are written.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_an_unusual_type_are_read_where_their_meaning_is_plain() {
        assert_eq!(boolean("true"), Some(true));
        assert_eq!(boolean("\"false\""), Some(false));
        assert_eq!(boolean("1"), None);
        for (written, expected) in [
            ("12", Some(12)),
            ("\"12\"", Some(12)),
            ("1200.0", Some(1200)),
            ("0.00", Some(0)),
            ("-7", Some(-7)),
            ("1.5", None),
            ("1e3", None),
            ("100", Some(100)),
            ("[]", None),
        ] {
            assert_eq!(integer(written), expected, "{written}");
        }
        assert_eq!(text("{\"a\":1}"), "{\"a\":1}");
    }
}

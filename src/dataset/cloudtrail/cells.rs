//! Typed cells from the written values of a record.

use std::borrow::Cow;

use super::shape::{CellSource, ExtraField, Found};
use crate::dataset::column::ColumnType;
use crate::dataset::json::{inner, unescape};
use crate::dataset::rows::Rows;
use crate::kst::UtcInstant;

/// Appends one cell to each decoded column. What does not fit its column goes to `extra`, which is filled last.
pub(super) fn write<'a>(sources: &'a [CellSource], found: &mut Found<'a>, rows: &mut Rows) {
    for (column, source) in sources.iter().enumerate() {
        match source {
            CellSource::Value { slot, column_type, rescue } => {
                let written = found.values[*slot];
                let fits = write_value(rows, column, *column_type, written);
                if let (false, Some(value), Some(path)) = (fits, written, rescue) {
                    found.extra.push(ExtraField { path, key: None, value });
                }
            }
            CellSource::ListMember { slot, keys } => match found.list(*slot) {
                Some(list) => rows.cell(column).push_list(list.members_under(keys)),
                None => rows.cell(column).push_null(),
            },
            CellSource::Extra => {
                rescue_lists(sources, found);
                rows.cell(column).push_text(extra_json(&found.extra).as_deref());
            }
        }
    }
}

/// Appends a value as its column's type, or a null; false when a value is there but is of another type.
fn write_value(rows: &mut Rows, column: usize, column_type: ColumnType, written: Option<&str>) -> bool {
    let cell = rows.cell(column);
    let Some(written) = written else {
        cell.push_null();
        return true;
    };
    match column_type {
        ColumnType::Text => {
            cell.push_text(Some(&text(written)));
            true
        }
        ColumnType::Json => {
            cell.push_text(Some(written));
            true
        }
        ColumnType::Bool => push_some(boolean(written), |value| cell.push_bool(value)),
        ColumnType::Int | ColumnType::BigInt => push_some(integer(written), |value| cell.push_integer(value)),
        ColumnType::Timestamp => {
            push_some(UtcInstant::parse_iso8601(&text(written)), |value| cell.push_time(value))
        }
        ColumnType::TextList => {
            cell.push_null();
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
    let Some(written) = found.values[slot] else { return };
    let columns: Vec<&[Box<str>]> = lists.map(|(_, keys)| keys).collect();
    if !found.list(slot).is_some_and(|list| list.is_held_by(&columns)) {
        found.extra.push(ExtraField { path: "resources", key: None, value: written });
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

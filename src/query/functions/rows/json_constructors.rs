//! `json_object` and `json_array`, whose clauses are arguments.

use datafusion::common::{Result, exec_err};
use serde_json::Value as Json;

use super::casts::{as_text, to_json};
use super::json::parsed;
use super::{Call, RowFunction, Value, row, text};

pub(super) const PLUMBING: &[RowFunction] = &[
    row("json_input(text) -> json", |of, _| Ok(parsed(text(of, 0))?.to_string().into())),
    row("json_array_of(varchar, any?...) -> varchar", |of, call| {
        let items = (1..of.len()).filter_map(|place| item(of, place, call));
        Ok(format!("[{}]", items.collect::<Result<Vec<_>>>()?.join(",")).into())
    }),
    row("json_object_of(varchar, any?...) -> varchar", |of, call| {
        let mut members: Vec<(Json, String)> = Vec::new();
        for place in (1..of.len()).step_by(2) {
            let Some(key) = of[place].text() else { return exec_err!("a key of json_object is not a text") };
            let Some(item) = item(of, place + 1, call) else { continue };
            let key = Json::from(key);
            if members.iter().any(|(known, _)| *known == key) {
                return exec_err!("json_object has the key {key} twice, which Athena refuses");
            }
            members.push((key, item?));
        }
        let members = members.iter().map(|(key, item)| format!("{key}:{item}"));
        Ok(format!("{{{}}}", members.collect::<Vec<_>>().join(",")).into())
    }),
];

/// The text of an item; `None` for a NULL that is left out.
fn item(of: &[Value], place: usize, call: &Call<'_>) -> Option<Result<String>> {
    let (value, data_type) = (&of[place], &call.types[place]);
    if value.is_null() && text(of, 0) == "absent" {
        return None;
    }
    Some(match value {
        // The digits of a decimal remain.
        Value::Other(_) if data_type.is_decimal() => as_text(value),
        value => to_json(value, data_type).map(|item| item.to_string()),
    })
}

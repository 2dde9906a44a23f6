//! `json_value`, `json_query`, `json_exists`, `json_object` and `json_array`, whose clauses are arguments.

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use serde_json::Value as Json;

use super::casts::{as_text, to_json};
use super::compiled::path;
use super::json::parsed;
use super::json_eval::{Failed, values};
use super::{Call, RowFunction, Value, row, text};
use crate::query::types;

pub(super) const PLUMBING: &[RowFunction] = &[
    row("json_exists_of(text, varchar, varchar, any?...) -> boolean", |of, call| {
        match at_path(of, 3, call)? {
            Ok(found) => Ok((!found.is_empty()).into()),
            Err(Failed(why)) => match text(of, 2) {
                "error" => exec_err!("json_exists failed: {why}"),
                "true" => Ok(true.into()),
                "unknown" => Ok(Value::Null),
                _ => Ok(false.into()),
            },
        }
    }),
    row("json_value_of(text, varchar, varchar, varchar?, varchar, varchar?, any?...) -> varchar", json_value),
    row("json_query_of(text, varchar, varchar, varchar, varchar, varchar, any?...) -> varchar", json_query),
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

/// Returns the values at a path. Text that is not JSON is an error of the path. The names and values after `PASSING` begin at
/// an argument.
fn at_path(of: &[Value], passed: usize, call: &Call<'_>) -> Result<std::result::Result<Vec<Json>, Failed>> {
    let path = path(text(of, 1))?;
    let mut variables = Vec::new();
    for place in (passed..of.len()).step_by(2) {
        variables.push((text(of, place), variable(&of[place + 1], &call.types[place + 1])?));
    }
    let is_passed = |name: &String| variables.iter().any(|(known, _)| known == name);
    if let Some(missing) = path.variables.iter().find(|name| !is_passed(name)) {
        return exec_err!(
            "no value is passed for ${missing}: a name without quotes after PASSING has capitals, as in Athena"
        );
    }
    Ok(match serde_json::from_str(text(of, 0)) {
        Ok(document) => values(&document, &path, &variables),
        Err(cause) => Err(Failed(format!("the text is not JSON: {cause}"))),
    })
}

/// A value that a path can use.
fn variable(value: &Value, data_type: &DataType) -> Result<Json> {
    match value {
        Value::Null | Value::Truth(_) | Value::Whole(_) | Value::Float(_) | Value::Text(_) => {
            to_json(value, data_type)
        }
        Value::Other(_) if data_type.is_decimal() => to_json(value, data_type),
        _ => exec_err!("PASSING takes texts, numbers, truth values and JSON, not {}", types::name(data_type)),
    }
}

/// What a clause asks for instead of a value.
fn instead(clause: &str, default: Option<&Value>, why: &str) -> Result<Value> {
    match clause {
        "error" => exec_err!("the JSON path has no result: {why}"),
        "default" => Ok(default.cloned().unwrap_or(Value::Null)),
        "empty array" => Ok("[]".into()),
        "empty object" => Ok("{}".into()),
        _ => Ok(Value::Null),
    }
}

/// Takes the document, the path, and the clause and default value for no result and for an error.
fn json_value(of: &[Value], call: &Call<'_>) -> Result<Value> {
    let failed = |why: &str| instead(text(of, 4), of.get(5), why);
    let found = match at_path(of, 6, call)? {
        Ok(found) => found,
        Err(Failed(why)) => return failed(&why),
    };
    match found.as_slice() {
        [] => instead(text(of, 2), of.get(3), "nothing is there"),
        [Json::Null] => Ok(Value::Null),
        [Json::String(value)] => Ok(value.as_str().into()),
        [Json::Array(_) | Json::Object(_)] => failed("the value is not a scalar"),
        [one] => Ok(one.to_string().into()),
        _ => failed("the path leads to several values"),
    }
}

/// Takes the document, the path, the wrapper, the quotes, and the clauses for no result and for an error.
fn json_query(of: &[Value], call: &Call<'_>) -> Result<Value> {
    let failed = |why: &str| instead(text(of, 5), None, why);
    let found = match at_path(of, 6, call)? {
        Ok(found) => found,
        Err(Failed(why)) => return failed(&why),
    };
    let is_wrapped = match (text(of, 2), found.as_slice()) {
        (_, []) => return instead(text(of, 4), None, "nothing is there"),
        ("conditional", [Json::Array(_) | Json::Object(_)]) | ("without", [_]) => false,
        ("without", _) => return failed("the path leads to several values: use WITH ARRAY WRAPPER"),
        _ => true,
    };
    Ok(match found.as_slice() {
        [Json::String(value)] if !is_wrapped && text(of, 3) == "omit" => value.as_str().into(),
        [one] if !is_wrapped => one.to_string().into(),
        _ => Json::Array(found).to_string().into(),
    })
}

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

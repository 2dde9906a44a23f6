//! Functions of JSON.

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use serde_json::Value as Json;

use super::{RowFunction, Value, count, float, row, text, whole};
use crate::query::functions::json as documents;
use crate::query::types;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("is_json_scalar(text) -> boolean", |of, _| {
        let value = parsed(text(of, 0))?;
        Ok((!value.is_array() && !value.is_object()).into())
    }),
    row("json_array_contains(text, boolean) -> boolean", |of, _| {
        contains(of, |element| element.as_bool().is_some() && element.as_bool() == of[1].truth())
    }),
    row("json_array_contains(text, bigint) -> boolean", |of, _| {
        contains(of, |element| element.as_i64() == of[1].whole())
    }),
    row("json_array_contains(text, double) -> boolean", |of, _| {
        #[expect(clippy::float_cmp, reason = "Athena compares doubles exactly")]
        contains(of, |element| element.as_f64().is_some_and(|number| number == float(of, 1)))
    }),
    row("json_array_contains(text, varchar) -> boolean", |of, _| {
        contains(of, |element| element.as_str() == of[1].text() && element.is_string())
    }),
    row("json_array_get(text, bigint) -> json", |of, _| {
        let Some(elements) = array(text(of, 0)) else { return Ok(Value::Null) };
        let place = match whole(of, 1) {
            place @ 0.. => usize::try_from(place).ok(),
            back => {
                usize::try_from(back.unsigned_abs()).ok().and_then(|back| elements.len().checked_sub(back))
            }
        };
        let element = place.and_then(|place| elements.get(place));
        Ok(Value::from_option(element.filter(|element| !element.is_null()).map(Json::to_string)))
    }),
    row("json_format(json) -> varchar", |of, _| Ok(of[0].clone())),
    row("json_parse(varchar) -> json", |of, _| {
        let mut value = parsed(text(of, 0))?;
        value.sort_all_objects();
        Ok(value.to_string().into())
    }),
    row("json_size(text, varchar) -> bigint", |of, _| {
        let value = documents::value_at(text(of, 0), text(of, 1))?;
        Ok(value.map_or(Value::Null, |value| match serde_json::from_str(&value) {
            Ok(Json::Array(elements)) => count(elements.len()),
            Ok(Json::Object(members)) => count(members.len()),
            _ => Value::Whole(0),
        }))
    }),
];

pub(super) fn parsed(document: &str) -> Result<Json> {
    match serde_json::from_str(document) {
        Ok(value) => Ok(value),
        Err(cause) => exec_err!("cannot convert '{document}' to JSON: {cause}"),
    }
}

fn array(document: &str) -> Option<Vec<Json>> {
    if let Ok(Json::Array(elements)) = serde_json::from_str(document) { Some(elements) } else { None }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a row function")]
fn contains(of: &[Value], is_wanted: impl Fn(&Json) -> bool) -> Result<Value> {
    Ok(array(text(of, 0)).map_or(Value::Null, |elements| elements.iter().any(is_wanted).into()))
}

/// Converts a JSON document to a value of a type, as `CAST` does.
pub(super) fn converted(document: &str, to: &DataType, cast: Cast) -> Result<Value> {
    of_json(&parsed(document)?, to, cast)
}

/// Casts a plain value from one type to another.
type Cast = fn(&Value, &DataType, &DataType) -> Result<Value>;

fn of_json(json: &Json, to: &DataType, cast: Cast) -> Result<Value> {
    let refused = || exec_err!("cannot cast {json} to {}", types::name(to));
    Ok(match (json, to) {
        (_, DataType::LargeUtf8) => json.to_string().into(),
        (Json::Null, _) => Value::Null,
        (Json::Array(elements), DataType::List(field)) => {
            let elements = elements.iter().map(|element| of_json(element, field.data_type(), cast));
            elements.collect::<Result<Vec<_>>>()?.into()
        }
        (Json::Object(members), DataType::Map(entries, _)) => {
            let DataType::Struct(sides) = entries.data_type() else { return refused() };
            let entry = |(name, member): (&String, &Json)| {
                let key = cast(&name.as_str().into(), &DataType::Utf8, sides[0].data_type())?;
                Ok((key, of_json(member, sides[1].data_type(), cast)?))
            };
            Value::Map(members.iter().map(entry).collect::<Result<_>>()?)
        }
        (Json::Array(elements), DataType::Struct(fields)) if elements.len() == fields.len() => {
            let cells =
                elements.iter().zip(fields).map(|(cell, field)| of_json(cell, field.data_type(), cast));
            Value::Row(cells.collect::<Result<_>>()?)
        }
        (Json::Object(members), DataType::Struct(fields)) => {
            let cell = |name: &str| members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let cells = fields.iter().map(|field| match cell(field.name()) {
                Some((_, member)) => of_json(member, field.data_type(), cast),
                None => Ok(Value::Null),
            });
            Value::Row(cells.collect::<Result<_>>()?)
        }
        (Json::Array(_) | Json::Object(_), _) => return refused(),
        (_, to) if to.is_nested() || to.is_temporal() => return refused(),
        (Json::Bool(truth), to) => cast(&(*truth).into(), &DataType::Boolean, to)?,
        (Json::String(value), to) => cast(&value.as_str().into(), &DataType::Utf8, to)?,
        (Json::Number(number), DataType::Utf8) => number.to_string().into(),
        (Json::Number(number), to) => match number.as_i64() {
            Some(whole) => cast(&whole.into(), &DataType::Int64, to)?,
            None => cast(&number.as_f64().unwrap_or(f64::NAN).into(), &DataType::Float64, to)?,
        },
    })
}

//! `CAST` from and to JSON, arrays, maps, rows and IP addresses.

use arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use serde_json::{Map, Number, Value as Json};

use super::{RowFunction, Value, address, ip, json, row};
use crate::query::casts;
use crate::query::type_names::{IP_ADDRESS, IP_PREFIX, JSON, TypeName};
use crate::query::types;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("cast_to(any, varchar) -> unknown", |of, call| converted(&of[0], &call.types[0], call.returns))
        .returning(target),
    row("try_cast_to(any, varchar) -> unknown", |of, call| {
        Ok(converted(&of[0], &call.types[0], call.returns).unwrap_or(Value::Null))
    })
    .returning(target),
];

/// The type that the second argument names.
fn target(types: &[DataType], constants: &[Option<&ScalarValue>]) -> Result<DataType> {
    let name = constants.get(1).copied().flatten().and_then(ScalarValue::try_as_str).flatten();
    let Some(name) = name else { return plan_err!("a cast needs the name of a type") };
    let Some(to) = TypeName::read(name).and_then(|name| name.data_type()) else {
        return plan_err!("unknown type '{name}'");
    };
    if !can_cast(&types[0], &to) {
        return plan_err!(
            "cannot cast {} to {}, and neither can Athena",
            types::name(&types[0]),
            types::name(&to)
        );
    }
    Ok(to)
}

fn fields_of(data_type: &DataType) -> Option<&Fields> {
    match data_type {
        DataType::Struct(fields) => Some(fields),
        DataType::Map(entries, _) => fields_of(entries.data_type()),
        _ => None,
    }
}

/// Whether a cast between two types exists.
fn can_cast(from: &DataType, to: &DataType) -> bool {
    let is_address = |of: &DataType| *of == IP_ADDRESS || *of == IP_PREFIX;
    match (from, to) {
        (from, to) if from == to || from.is_null() => true,
        (DataType::List(from), DataType::List(to)) => can_cast(from.data_type(), to.data_type()),
        (DataType::Map(..), DataType::Map(..)) | (DataType::Struct(_), DataType::Struct(_)) => {
            let (Some(from), Some(to)) = (fields_of(from), fields_of(to)) else { return false };
            from.len() == to.len()
                && from.iter().zip(to).all(|(from, to)| can_cast(from.data_type(), to.data_type()))
        }
        (from, _) if *from == JSON => !to.is_temporal() && !is_address(to),
        (_, to) if *to == JSON => !is_address(from) && !from.is_binary(),
        (from, to) if is_address(from) || is_address(to) => {
            let other = if is_address(from) { to } else { from };
            other.is_string() || is_address(other) || *other == DataType::Binary
        }
        (from, to) if from.is_nested() || to.is_nested() => false,
        (from, to) => casts::is_possible(from, to),
    }
}

/// Casts one value.
pub(super) fn converted(value: &Value, from: &DataType, to: &DataType) -> Result<Value> {
    Ok(match (value, to) {
        (Value::Null, _) => Value::Null,
        (value, to) if from == to => {
            let _ = to;
            value.clone()
        }
        (Value::Text(document), to) if *from == JSON => json::converted(document, to, plain)?,
        (value, to) if *to == JSON => to_json(value, from)?.to_string().into(),
        (Value::List(elements), DataType::List(to)) => {
            let DataType::List(from) = from else { return exec_err!("not an array") };
            let elements =
                elements.iter().map(|element| converted(element, from.data_type(), to.data_type()));
            elements.collect::<Result<Vec<_>>>()?.into()
        }
        (Value::Map(entries), DataType::Map(..)) => {
            let (Some(from), Some(to)) = (fields_of(from), fields_of(to)) else {
                return exec_err!("not a map");
            };
            let side =
                |value: &Value, side: usize| converted(value, from[side].data_type(), to[side].data_type());
            let entries = entries.iter().map(|(key, value)| Ok((side(key, 0)?, side(value, 1)?)));
            Value::Map(entries.collect::<Result<_>>()?)
        }
        (Value::Row(cells), DataType::Struct(to)) => {
            let Some(from) = fields_of(from) else { return exec_err!("not a row") };
            let cells = cells.iter().zip(from.iter().zip(to));
            let cells = cells.map(|(cell, (from, to))| converted(cell, from.data_type(), to.data_type()));
            Value::Row(cells.collect::<Result<_>>()?)
        }
        (value, to) => plain(value, from, to)?,
    })
}

/// Casts a value without parts.
fn plain(value: &Value, from: &DataType, to: &DataType) -> Result<Value> {
    if [from, to].iter().any(|of| **of == IP_ADDRESS || **of == IP_PREFIX) {
        return ip::converted(value, from, to);
    }
    Value::of(&casts::converted(&Value::column(&[value], from)?, to)?, 0)
}

/// A value as text, as `CAST(... AS varchar)` writes it.
pub(super) fn as_text(value: &Value) -> Result<String> {
    let from = match value {
        Value::Text(text) => return Ok(text.clone()),
        Value::Bytes(bytes) => {
            return Ok(address::text_of(bytes).unwrap_or_else(|| super::bytes::to_hex(bytes)));
        }
        Value::Truth(_) => DataType::Boolean,
        Value::Whole(_) => DataType::Int64,
        Value::Float(_) => DataType::Float64,
        Value::Other(scalar) => scalar.data_type(),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Row(_) => {
            return Ok(to_json(value, &DataType::Null)?.to_string());
        }
    };
    Ok(plain(value, &from, &DataType::Utf8)?.text().unwrap_or_default().to_owned())
}

/// Converts a value to JSON. The members of an object have the names of the type.
pub(super) fn to_json(value: &Value, from: &DataType) -> Result<Json> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Truth(truth) => Json::Bool(*truth),
        Value::Whole(number) => Json::from(*number),
        Value::Float(number) => {
            Number::from_f64(*number).map_or_else(|| Json::from(number.to_string()), Json::Number)
        }
        Value::Text(document) if *from == JSON => serde_json::from_str(document).unwrap_or(Json::Null),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Other(_) if from.is_decimal() => {
            let digits = as_text(value)?;
            serde_json::from_str(&digits).unwrap_or_else(|_| Json::from(digits))
        }
        Value::Bytes(_) | Value::Other(_) => Json::from(as_text(value)?),
        Value::List(elements) => {
            let element = if let DataType::List(field) = from { field.data_type() } else { from };
            Json::Array(elements.iter().map(|value| to_json(value, element)).collect::<Result<_>>()?)
        }
        Value::Map(entries) => {
            let side = |side: usize| fields_of(from).map_or(from, |fields| fields[side].data_type());
            let member = |(key, value): &(Value, Value)| Ok((as_text(key)?, to_json(value, side(1))?));
            let mut members = entries.iter().map(member).collect::<Result<Vec<_>>>()?;
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Json::Object(members.into_iter().collect())
        }
        Value::Row(cells) => {
            let names = fields_of(from);
            let member = |(place, value): (usize, &Value)| match names.and_then(|names| names.get(place)) {
                Some(field) => Ok((field.name().clone(), to_json(value, field.data_type())?)),
                None => Ok((format!("field{place}"), to_json(value, &DataType::Null)?)),
            };
            Json::Object(cells.iter().enumerate().map(member).collect::<Result<Map<_, _>>>()?)
        }
    })
}

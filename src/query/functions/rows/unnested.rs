//! The rows behind `UNNEST`: one row for each element, with the arrays side by side.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};

use super::{Call, RowFunction, Value, count, row};
use crate::query::type_names::row_type;
use crate::query::types;

pub(super) const FUNCTIONS: &[RowFunction] =
    &[row("unnest_rows(boolean, any?...) -> unknown", unnested).returning(rows_type)];

/// The columns that an array or a map has under `UNNEST`.
fn columns(data_type: &DataType) -> Result<Vec<DataType>> {
    let all = |of: &DataType| match of {
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type().clone()).collect(),
        other => vec![other.clone()],
    };
    match data_type {
        DataType::List(element) => Ok(all(element.data_type())),
        DataType::Map(entries, _) => Ok(all(entries.data_type())),
        other => plan_err!("UNNEST takes arrays and maps, not {}", types::name(other)),
    }
}

fn rows_type(types: &[DataType], constants: &[Option<&ScalarValue>]) -> Result<DataType> {
    let mut fields = types[1..].iter().map(columns).collect::<Result<Vec<_>>>()?.concat();
    if matches!(constants.first(), Some(Some(ScalarValue::Boolean(Some(true))))) {
        fields.push(DataType::Int64);
    }
    let fields = fields.into_iter().enumerate().map(|(place, kind)| (format!("c{place}"), kind));
    Ok(DataType::new_list(row_type(fields.collect()), true))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a row function")]
fn unnested(of: &[Value], call: &Call<'_>) -> Result<Value> {
    let length = |value: &Value| value.list().map_or_else(|| value.map().map_or(0, Vec::len), Vec::len);
    let longest = of[1..].iter().map(length).max().unwrap_or_default();
    // An outer join keeps a row for NULL, and an inner one drops it.
    if longest == 0 {
        return Ok(Value::Null);
    }
    let has_number = of[0].truth() == Some(true);
    let line = |place: usize| {
        let cells = of[1..].iter().zip(&call.types[1..]).flat_map(|(value, kind)| cells(value, kind, place));
        Value::Row(cells.chain(has_number.then(|| count(place + 1))).collect())
    };
    Ok(Value::List((0..longest).map(line).collect()))
}

/// The cells of one row.
fn cells(value: &Value, kind: &DataType, place: usize) -> Vec<Value> {
    let width = columns(kind).map_or(1, |columns| columns.len());
    let is_row =
        matches!(kind, DataType::List(element) if matches!(element.data_type(), DataType::Struct(_)));
    match value {
        Value::Map(entries) => match entries.get(place) {
            Some((key, value)) => vec![key.clone(), value.clone()],
            None => vec![Value::Null; width],
        },
        Value::List(elements) => match elements.get(place) {
            Some(Value::Row(cells)) if is_row => cells.clone(),
            Some(element) if !is_row => vec![element.clone()],
            _ => vec![Value::Null; width],
        },
        _ => vec![Value::Null; width],
    }
}

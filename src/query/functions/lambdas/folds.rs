//! The functions with lambdas.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};

use super::closures::Bound;
use super::{LambdaFunction, Tuple, called, element_of, row_number, sides_of};
use crate::query::functions::rows::Value;
use crate::query::type_names::map_type;

pub(super) const FUNCTIONS: &[LambdaFunction] = &[
    on_elements("all_match(array, element -> boolean)", truth, |_, results| Ok(quantified(&results, false))),
    on_elements("any_match(array, element -> boolean)", truth, |_, results| Ok(quantified(&results, true))),
    on_elements(
        "filter(array, element -> boolean)",
        |values, _| values[0].clone(),
        |values, results| Ok(kept(elements(&values[0]), &results).cloned().collect::<Vec<_>>().into()),
    ),
    on_elements(
        "find_first(array, element -> boolean)",
        |values, _| element_of(&values[0]).unwrap_or(DataType::Null),
        |values, results| Ok(kept(elements(&values[0]), &results).next().cloned().unwrap_or(Value::Null)),
    ),
    on_elements("none_match(array, element -> boolean)", truth, |_, results| {
        Ok(match quantified(&results, true) {
            Value::Truth(any) => Value::Truth(!any),
            unknown => unknown,
        })
    }),
    on_elements(
        "transform(array, element -> result)",
        |_, result| DataType::new_list(result.clone(), true),
        |_, results| Ok(results.into()),
    ),
    on_entries(
        "map_filter(map, (key, value) -> boolean)",
        |values, _| values[0].clone(),
        |values, results| Ok(Value::Map(kept(entries(&values[0]), &results).cloned().collect())),
    ),
    on_entries(
        "transform_keys(map, (key, value) -> key)",
        |values, result| with_side(values, result, 0),
        |values, results| {
            let mut changed: Vec<(Value, Value)> = Vec::new();
            for (key, (_, value)) in results.into_iter().zip(entries(&values[0])) {
                if key.is_null() || changed.iter().any(|(known, _)| known.is(&key)) {
                    return exec_err!(
                        "transform_keys must give a different key for each entry, and none may be NULL"
                    );
                }
                changed.push((key, value.clone()));
            }
            Ok(Value::Map(changed))
        },
    ),
    on_entries(
        "transform_values(map, (key, value) -> value)",
        |values, result| with_side(values, result, 1),
        |values, results| {
            let keys = entries(&values[0]).iter().map(|(key, _)| key.clone());
            Ok(Value::Map(keys.zip(results).collect()))
        },
    ),
    LambdaFunction {
        form: "zip_with(array, array, (one, other) -> result)",
        values: 2,
        parameters: |values| Some(vec![element_of(&values[0])?, element_of(&values[1])?]),
        returns: |_, result| DataType::new_list(result.clone(), true),
        tuples: |values| {
            let [one, other] = [&values[0], &values[1]].map(elements);
            let cell = |of: &[Value], at: usize| of.get(at).cloned().unwrap_or(Value::Null);
            (0..one.len().max(other.len())).map(|at| vec![cell(one, at), cell(other, at)]).collect()
        },
        join: |_, results| Ok(results.into()),
    },
    LambdaFunction {
        form: "map_zip_with(map, map, (key, one, other) -> value)",
        values: 2,
        parameters: |values| {
            let ([key, one], [_, other]) = (sides_of(&values[0])?, sides_of(&values[1])?);
            Some(vec![key, one, other])
        },
        returns: |values, result| with_side(values, result, 1),
        tuples: |values| {
            let [one, other] = [&values[0], &values[1]].map(entries);
            let of = |entries: &[(Value, Value)], key: &Value| {
                entries
                    .iter()
                    .find(|(known, _)| known.is(key))
                    .map_or(Value::Null, |(_, value)| value.clone())
            };
            all_keys(values).map(|key| vec![key.clone(), of(one, key), of(other, key)]).collect()
        },
        join: |values, results| Ok(Value::Map(all_keys(values).cloned().zip(results).collect())),
    },
];

type Returns = fn(&[DataType], &DataType) -> DataType;
type JoinResults = fn(&[Value], Vec<Value>) -> Result<Value>;

const fn on_elements(form: &'static str, returns: Returns, join: JoinResults) -> LambdaFunction {
    LambdaFunction {
        form,
        values: 1,
        parameters: |values| Some(vec![element_of(&values[0])?]),
        returns,
        tuples: |values| elements(&values[0]).iter().map(|element| vec![element.clone()]).collect(),
        join,
    }
}

const fn on_entries(form: &'static str, returns: Returns, join: JoinResults) -> LambdaFunction {
    LambdaFunction {
        form,
        values: 1,
        parameters: |values| sides_of(&values[0]).map(Vec::from),
        returns,
        tuples: |values| {
            entries(&values[0]).iter().map(|(key, value)| vec![key.clone(), value.clone()]).collect()
        },
        join,
    }
}

fn truth(_: &[DataType], _: &DataType) -> DataType {
    DataType::Boolean
}

/// The type of a map with another type of keys (0) or values (1).
fn with_side(values: &[DataType], result: &DataType, side: usize) -> DataType {
    let Some(mut sides) = sides_of(&values[0]) else { return DataType::Null };
    sides[side] = result.clone();
    let [key, value] = sides;
    map_type(key, value)
}

fn elements(value: &Value) -> &[Value] {
    value.list().map(Vec::as_slice).unwrap_or_default()
}

fn entries(value: &Value) -> &[(Value, Value)] {
    value.map().map(Vec::as_slice).unwrap_or_default()
}

/// The keys of two maps, each once.
fn all_keys(values: &[Value]) -> impl Iterator<Item = &Value> {
    let [one, other] = [&values[0], &values[1]].map(entries);
    let is_new = move |key: &&Value| !one.iter().any(|(known, _)| known.is(key));
    one.iter().map(|(key, _)| key).chain(other.iter().map(|(key, _)| key).filter(is_new))
}

/// The parts for which the lambda is true.
fn kept<'v, T>(parts: &'v [T], results: &'v [Value]) -> impl Iterator<Item = &'v T> {
    parts.iter().zip(results).filter(|(_, result)| result.truth() == Some(true)).map(|(part, _)| part)
}

/// Whether any result is `wanted`; NULL if that is unknown. For `any` (true) and, negated, for `all` (false).
fn quantified(results: &[Value], wanted: bool) -> Value {
    if results.iter().any(|result| result.truth() == Some(wanted)) {
        return Value::Truth(wanted);
    }
    if results.iter().any(Value::is_null) { Value::Null } else { Value::Truth(!wanted) }
}

/// Folds each array from the left: one call for the first elements of all rows, one for the second ones, and so on.
pub(super) fn reduce(
    columns: &[ArrayRef],
    [step, last]: [&Bound<'_>; 2],
    rows: usize,
    returns: &DataType,
) -> Result<ArrayRef> {
    let state = &step.body.parameters[0];
    let lists = (0..rows).map(|row| Value::of(&columns[0], row)).collect::<Result<Vec<_>>>()?;
    let mut states = (0..rows).map(|row| Value::of(&columns[1], row)).collect::<Result<Vec<_>>>()?;
    let element = element_of(columns[0].data_type()).unwrap_or(DataType::Null);
    let longest = lists.iter().map(|list| elements(list).len()).max().unwrap_or_default();
    for place in 0..longest {
        let active: Vec<usize> = (0..rows).filter(|row| elements(&lists[*row]).len() > place).collect();
        let tuple = |row: &usize| vec![states[*row].clone(), elements(&lists[*row])[place].clone()];
        let tuples: Vec<Tuple> = active.iter().map(tuple).collect();
        let origins = active.iter().map(|row| row_number(*row)).collect::<Result<Vec<_>>>()?;
        let next = called(step, &tuples, &[state.clone(), element.clone()], origins)?;
        active.into_iter().zip(next).for_each(|(row, next)| states[row] = next);
    }
    let tuples: Vec<Tuple> = states.into_iter().map(|state| vec![state]).collect();
    let origins = (0..rows).map(row_number).collect::<Result<Vec<_>>>()?;
    let mut results = called(last, &tuples, std::slice::from_ref(state), origins)?;
    for (result, list) in results.iter_mut().zip(&lists) {
        if list.is_null() {
            *result = Value::Null;
        }
    }
    Value::column(&results.iter().collect::<Vec<_>>(), returns)
}

/// Sorts each array by a lambda that compares two elements.
pub(super) fn sort_by(column: &ArrayRef, lambda: &Bound<'_>, returns: &DataType) -> Result<ArrayRef> {
    /// All pairs are compared at once.
    const MAX_LENGTH: usize = 1_000;
    let element = element_of(column.data_type()).unwrap_or(DataType::Null);
    let one = |row: usize| {
        let list = Value::of(column, row)?;
        let Some(elements) = list.list() else { return Ok(Value::Null) };
        if elements.len() > MAX_LENGTH {
            return exec_err!("array_sort with a lambda takes at most {MAX_LENGTH} elements");
        }
        let pairs =
            elements.iter().flat_map(|one| elements.iter().map(|other| vec![one.clone(), other.clone()]));
        let pairs: Vec<Tuple> = pairs.collect();
        let origins = vec![row_number(row)?; pairs.len()];
        let orders = called(lambda, &pairs, &[element.clone(), element.clone()], origins)?;
        let mut places: Vec<usize> = (0..elements.len()).collect();
        let order =
            |one: usize, other: usize| orders[one * elements.len() + other].whole().unwrap_or_default();
        // A lambda can contradict itself, which the standard sort does not allow.
        let mut sorted: Vec<usize> = Vec::with_capacity(places.len());
        for place in places.drain(..) {
            let after = sorted.iter().rposition(|known| order(*known, place).cmp(&0) != Ordering::Greater);
            sorted.insert(after.map_or(0, |after| after + 1), place);
        }
        Ok(Value::List(sorted.into_iter().map(|place| elements[place].clone()).collect()))
    };
    let sorted = (0..column.len()).map(one).collect::<Result<Vec<_>>>()?;
    Value::column(&sorted.iter().collect::<Vec<_>>(), returns)
}

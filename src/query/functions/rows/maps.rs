//! Functions of maps. Entries keep their order.

use datafusion::common::{Result, exec_err};

use super::{RowFunction, Value, list, map, row, whole};
use crate::query::functions::rows::casts::as_text;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("map(array(K), array(V)) -> map(K, V)", |of, _| {
        if list(of, 0).len() != list(of, 1).len() {
            return exec_err!("map takes as many values as keys");
        }
        unique(list(of, 0).iter().cloned().zip(list(of, 1).iter().cloned()))
    }),
    row("map_concat(map(K, V)...) -> map(K, V)", |of, _| {
        Ok(Value::Map(latest((0..of.len()).flat_map(|place| map(of, place).iter().cloned()))))
    }),
    row("map_entries(map(K, V)) -> array(row(K, V))", |of, _| {
        let entries = map(of, 0).iter().cloned();
        Ok(entries.map(|(key, value)| Value::Row(vec![key, value])).collect::<Vec<_>>().into())
    }),
    row("map_from_entries(array(row(K, V))) -> map(K, V)", |of, _| unique(pairs(list(of, 0)))),
    row("map_keys(map(K, V)) -> array(K)", |of, _| {
        Ok(map(of, 0).iter().map(|(key, _)| key.clone()).collect::<Vec<_>>().into())
    }),
    row("map_values(map(K, V)) -> array(V)", |of, _| {
        Ok(map(of, 0).iter().map(|(_, value)| value.clone()).collect::<Vec<_>>().into())
    }),
    row("multimap_from_entries(array(row(K, V))) -> map(K, array(V))", |of, _| {
        Ok(multimap(pairs(list(of, 0))))
    }),
];

/// What subscripts mean.
pub(super) const PLUMBING: &[RowFunction] = &[
    row("subscript(array(T), bigint) -> T", |of, _| element(list(of, 0), whole(of, 1))),
    row("subscript(map(K, V), K) -> V", |of, _| {
        let Some(value) = found(map(of, 0), &of[1]) else {
            return exec_err!("the map has no key '{}': use element_at for NULL", as_text(&of[1])?);
        };
        Ok(value)
    }),
];

fn element(elements: &[Value], number: i64) -> Result<Value> {
    let Some(element) = usize::try_from(number - 1).ok().and_then(|place| elements.get(place)) else {
        return exec_err!(
            "the array has {} elements, so it has no element {number}: use element_at for NULL",
            elements.len()
        );
    };
    Ok(element.clone())
}

pub(super) fn found(entries: &[(Value, Value)], wanted: &Value) -> Option<Value> {
    entries.iter().find(|(key, _)| key.is(wanted)).map(|(_, value)| value.clone())
}

/// The two cells of each row. Rows that are NULL are left out.
pub(super) fn pairs(rows: &[Value]) -> impl Iterator<Item = (Value, Value)> {
    rows.iter().filter_map(|row| match row.row()?.as_slice() {
        [key, value] => Some((key.clone(), value.clone())),
        _ => None,
    })
}

/// Orders entries by key, keeping the order of equal keys, and returns the place of each.
fn by_key(entries: &[(Value, Value)]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..entries.len()).collect();
    places.sort_by(|one, other| entries[*one].0.order(&entries[*other].0).then(one.cmp(other)));
    places
}

/// A map of entries with different keys.
fn unique(entries: impl Iterator<Item = (Value, Value)>) -> Result<Value> {
    let entries: Vec<_> = entries.collect();
    if entries.iter().any(|(key, _)| key.is_null()) {
        return exec_err!("a key of a map must not be NULL");
    }
    let places = by_key(&entries);
    if let Some(pair) = places.windows(2).find(|pair| entries[pair[0]].0.is(&entries[pair[1]].0)) {
        return exec_err!("the key '{}' occurs twice in a map", as_text(&entries[pair[0]].0)?);
    }
    Ok(Value::Map(entries))
}

/// Entries at the place where their key occurred first, each with its last value.
pub(super) fn latest(entries: impl Iterator<Item = (Value, Value)>) -> Vec<(Value, Value)> {
    grouped(entries).into_iter().filter_map(|(key, mut values)| Some((key, values.pop()?))).collect()
}

/// Groups values by key, in the order in which keys occur first. Entries without a key are left out.
pub(super) fn grouped(entries: impl Iterator<Item = (Value, Value)>) -> Vec<(Value, Vec<Value>)> {
    let entries: Vec<_> = entries.filter(|(key, _)| !key.is_null()).collect();
    let mut groups: Vec<(usize, Vec<Value>)> = Vec::new();
    for place in by_key(&entries) {
        let (key, value) = &entries[place];
        match groups.last_mut() {
            Some((first, values)) if entries[*first].0.is(key) => values.push(value.clone()),
            _ => groups.push((place, vec![value.clone()])),
        }
    }
    groups.sort_by_key(|(first, _)| *first);
    groups.into_iter().map(|(first, values)| (entries[first].0.clone(), values)).collect()
}

pub(super) fn multimap(entries: impl Iterator<Item = (Value, Value)>) -> Value {
    Value::Map(grouped(entries).into_iter().map(|(key, values)| (key, Value::List(values))).collect())
}

/// Counts each value.
pub(super) fn histogram(values: &[Value]) -> Value {
    let groups = grouped(values.iter().map(|value| (value.clone(), Value::Null)));
    Value::Map(groups.into_iter().map(|(key, values)| (key, super::count(values.len()))).collect())
}

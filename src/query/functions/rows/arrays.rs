//! Functions of arrays. Positions count from 1, and from the end if negative.

use datafusion::common::{Result, exec_err};

use super::{RowFunction, Value, count, list, map, row, size, text, whole};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("array_distinct(array(T)) -> array(T)", |of, _| Ok(distinct(list(of, 0).iter()).into())),
    row("array_except(array(T), array(T)) -> array(T)", |of, _| {
        Ok(distinct(list(of, 0).iter().filter(|element| !has(list(of, 1), element))).into())
    }),
    row("array_first(array(T)) -> T", |of, _| Ok(list(of, 0).first().cloned().unwrap_or(Value::Null))),
    row("array_histogram(array(T)) -> map(T, bigint)", |of, _| Ok(super::maps::histogram(list(of, 0)))),
    row("array_intersect(array(T), array(T)) -> array(T)", |of, _| {
        Ok(distinct(list(of, 0).iter().filter(|element| has(list(of, 1), element))).into())
    }),
    row("array_last(array(T)) -> T", |of, _| Ok(list(of, 0).last().cloned().unwrap_or(Value::Null))),
    row("array_remove(array(T), T) -> array(T)", |of, _| {
        let kept = list(of, 0).iter().filter(|element| element.is_null() || !element.is(&of[1]));
        Ok(kept.cloned().collect::<Vec<_>>().into())
    }),
    row("array_sort(array(T)) -> array(T)", |of, _| {
        let mut elements = list(of, 0).to_vec();
        elements.sort_by(Value::order);
        Ok(elements.into())
    }),
    row("array_union(array(T), array(T)) -> array(T)", |of, _| {
        Ok(distinct(list(of, 0).iter().chain(list(of, 1))).into())
    }),
    row("cardinality(array(T)) -> bigint", |of, _| Ok(count(list(of, 0).len()))),
    row("cardinality(map(K, V)) -> bigint", |of, _| Ok(count(map(of, 0).len()))),
    row("combinations(array(T), bigint) -> array(array(T))", |of, _| combinations(list(of, 0), whole(of, 1))),
    row("contains(array(T), T) -> boolean", |of, _| {
        let elements = list(of, 0);
        let found = elements.iter().any(|element| !element.is_null() && element.is(&of[1]));
        Ok(if found || !elements.iter().any(Value::is_null) { found.into() } else { Value::Null })
    }),
    row("contains_sequence(array(T), array(T)) -> boolean", |of, _| {
        let (all, part) = (list(of, 0), list(of, 1));
        let is_here = |window: &[Value]| window.iter().zip(part).all(|(one, other)| one.is(other));
        Ok((part.is_empty() || all.windows(part.len()).any(is_here)).into())
    }),
    row("flatten(array(array(T))) -> array(T)", |of, _| {
        Ok(list(of, 0).iter().filter_map(Value::list).flatten().cloned().collect::<Vec<_>>().into())
    }),
    row("ngrams(array(T), bigint) -> array(array(T))", |of, _| {
        let elements = list(of, 0);
        let Some(length) = usize::try_from(whole(of, 1)).ok().filter(|length| *length > 0) else {
            return exec_err!("the length of ngrams must be positive");
        };
        if elements.len() <= length {
            return Ok(vec![Value::List(elements.to_vec())].into());
        }
        Ok(elements.windows(length).map(|window| Value::List(window.to_vec())).collect::<Vec<_>>().into())
    }),
    row("repeat(T?, bigint) -> array(T)", |of, _| {
        if of[1].is_null() {
            return Ok(Value::Null);
        }
        let times = size(whole(of, 1), "the count of repeat")?.min(MAX_REPEATED);
        Ok(vec![of[0].clone(); times].into())
    }),
    row("reverse(array(T)) -> array(T)", |of, _| {
        Ok(list(of, 0).iter().rev().cloned().collect::<Vec<_>>().into())
    }),
    row("reverse(varchar) -> varchar", |of, _| Ok(text(of, 0).chars().rev().collect::<String>().into())),
    row("reverse(varbinary) -> varbinary", |of, _| {
        Ok(super::bytes(of, 0).iter().rev().copied().collect::<Vec<_>>().into())
    }),
    row("shuffle(array(T)) -> array(T)", |of, call| Ok(shuffled(list(of, 0), call.types.len()))).volatile(),
    row("slice(array(T), bigint, bigint) -> array(T)", |of, _| {
        slice(list(of, 0), whole(of, 1), whole(of, 2))
    }),
    row("trim_array(array(T), bigint) -> array(T)", |of, _| {
        let elements = list(of, 0);
        let kept = elements.len().checked_sub(size(whole(of, 1), "the count of trim_array")?);
        let Some(kept) = kept else {
            return exec_err!("trim_array cannot remove {} of {} elements", whole(of, 1), elements.len());
        };
        Ok(elements[..kept].to_vec().into())
    }),
    row("zip(array(A), array(B)) -> array(row(A, B))", |of, _| Ok(zipped(of))),
    row("zip(array(A), array(B), array(C)) -> array(row(A, B, C))", |of, _| Ok(zipped(of))),
    row("zip(array(A), array(B), array(C), array(D)) -> array(row(A, B, C, D))", |of, _| Ok(zipped(of))),
];

/// Most elements that `repeat` gives.
const MAX_REPEATED: usize = 10_000;

fn has(elements: &[Value], wanted: &Value) -> bool {
    elements.iter().any(|element| element.is(wanted))
}

/// Keeps the first of equal elements.
pub(super) fn distinct<'v>(elements: impl Iterator<Item = &'v Value>) -> Vec<Value> {
    let elements: Vec<&Value> = elements.collect();
    let mut places: Vec<usize> = (0..elements.len()).collect();
    places.sort_by(|one, other| elements[*one].order(elements[*other]).then(one.cmp(other)));
    places.dedup_by(|next, first| elements[*next].is(elements[*first]));
    places.sort_unstable();
    places.into_iter().map(|place| elements[place].clone()).collect()
}

fn combinations(elements: &[Value], length: i64) -> Result<Value> {
    const MAX_LENGTH: usize = 5;
    const MAX_FOUND: usize = 100_000;
    let length = size(length, "the length of combinations")?;
    if length > MAX_LENGTH {
        return exec_err!("the length of combinations must be at most {MAX_LENGTH}");
    }
    // Each choice and the place behind its last element, in the order of that place.
    let mut found: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..length {
        let longer = found.iter().flat_map(|chosen| {
            let next = chosen.last().map_or(0, |last| last + 1);
            (next..elements.len()).map(|place| [chosen.as_slice(), &[place]].concat())
        });
        found = longer.take(MAX_FOUND + 1).collect();
    }
    if found.len() > MAX_FOUND {
        return exec_err!("the array has more than {MAX_FOUND} combinations");
    }
    // Athena varies the first elements fastest.
    found.sort_by(|one, other| one.iter().rev().cmp(other.iter().rev()));
    let chosen =
        |places: Vec<usize>| Value::List(places.into_iter().map(|at| elements[at].clone()).collect());
    Ok(found.into_iter().map(chosen).collect::<Vec<_>>().into())
}

pub(super) fn slice(elements: &[Value], start: i64, length: i64) -> Result<Value> {
    let length = size(length, "the length of slice")?;
    let first = match start {
        0 => return exec_err!("slice counts from 1, not from 0"),
        1.. => usize::try_from(start - 1).ok(),
        _ => usize::try_from(start.unsigned_abs()).ok().and_then(|back| elements.len().checked_sub(back)),
    };
    let Some(first) = first.filter(|first| *first < elements.len()) else {
        return Ok(Value::List(Vec::new()));
    };
    Ok(elements[first..first.saturating_add(length).min(elements.len())].to_vec().into())
}

/// Puts the elements in a random order.
fn shuffled(elements: &[Value], seed: usize) -> Value {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new();
    let mut keyed: Vec<(u64, &Value)> = elements
        .iter()
        .enumerate()
        .map(|(place, element)| (random.hash_one((place, seed)), element))
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, element)| element.clone()).collect::<Vec<_>>().into()
}

/// Rows of the elements at each position, as many as the longest array has.
fn zipped(arrays: &[Value]) -> Value {
    let longest = (0..arrays.len()).map(|place| list(arrays, place).len()).max().unwrap_or_default();
    let cell = |array: usize, at: usize| list(arrays, array).get(at).cloned().unwrap_or(Value::Null);
    let line = |at| Value::Row((0..arrays.len()).map(|array| cell(array, at)).collect());
    Value::List((0..longest).map(line).collect())
}

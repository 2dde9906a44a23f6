//! Aggregates of Athena, calculated from all values of a group, which `array_agg` collects.

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};

use super::digest::xxh64;
use super::maps::{grouped, histogram, multimap, pairs};
use super::{RowFunction, Value, count, float, list, row, whole};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("most_frequent_of(array(T), bigint) -> map(T, bigint)", |of, _| {
        let groups = grouped(list(of, 0).iter().map(|value| (value.clone(), Value::Null)));
        let mut counted: Vec<_> =
            groups.into_iter().map(|(key, values)| (key, count(values.len()))).collect();
        counted.sort_by(|(_, one), (_, other)| other.order(one));
        counted.truncate(super::size(whole(of, 1), "the count of approx_most_frequent")?);
        Ok(Value::Map(counted))
    }),
    row("checksum_of(array(T)) -> varbinary", |of, _| checksum(list(of, 0))),
    row("entropy_of(array(double)) -> double", |of, _| Ok(Value::Float(entropy(list(of, 0))))),
    row("histogram_of(array(T)) -> map(T, bigint)", |of, _| Ok(histogram(list(of, 0)))),
    row("map_agg_of(array(row(K, V))) -> map(K, V)", |of, _| {
        Ok(Value::Map(first_of_each(pairs(list(of, 0)))))
    }),
    row("map_union_of(array(map(K, V))) -> map(K, V)", |of, _| {
        let entries = list(of, 0).iter().filter_map(Value::map).flatten().cloned();
        Ok(Value::Map(first_of_each(entries)))
    }),
    row("moments_of(varchar, array(double)) -> double", |of, _| Ok(moment(super::text(of, 0), list(of, 1)))),
    row("multimap_agg_of(array(row(K, V))) -> map(K, array(V))", |of, _| Ok(multimap(pairs(list(of, 0))))),
    row("numeric_histogram_of(bigint, array(row(double, double))) -> map(double, double)", |of, _| {
        numeric_histogram(whole(of, 0), list(of, 1))
    }),
    row("rounded_as(double, T?) -> T", |of, call| {
        if !call.returns.is_integer() {
            return Ok(of[0].clone());
        }
        #[expect(clippy::cast_possible_truncation, reason = "a percentile lies among whole numbers")]
        Ok(Value::Whole(float(of, 0).round() as i64))
    })
    .returning(|types, _| Ok(if types[1].is_decimal() { DataType::Float64 } else { types[1].clone() })),
];

/// Entries with the first value of each key.
fn first_of_each(entries: impl Iterator<Item = (Value, Value)>) -> Vec<(Value, Value)> {
    let first = |(key, values): (Value, Vec<Value>)| Some((key, values.into_iter().next()?));
    grouped(entries).into_iter().filter_map(first).collect()
}

/// Sums the hashes of values, so that their order does not matter.
fn checksum(values: &[Value]) -> Result<Value> {
    const PRIME: u64 = 0x9e37_79b1_85eb_ca87;
    let mut sum = 0_u64;
    for value in values {
        let hash = match value {
            Value::Null => 1,
            Value::Text(text) => xxh64(text.as_bytes()),
            Value::Bytes(bytes) => xxh64(bytes),
            Value::Whole(number) => xxh64(&number.to_le_bytes()),
            Value::Truth(truth) => xxh64(&i64::from(*truth).to_le_bytes()),
            Value::Float(number) => xxh64(&number.to_bits().to_le_bytes()),
            _ => return exec_err!("checksum is available for texts, bytes, numbers and booleans only"),
        };
        sum = sum.wrapping_add(hash.wrapping_mul(PRIME));
    }
    Ok(sum.to_le_bytes().to_vec().into())
}

fn entropy(counts: &[Value]) -> f64 {
    let counts: Vec<f64> = counts.iter().filter_map(Value::float).filter(|count| *count > 0.0).collect();
    let sum: f64 = counts.iter().sum();
    counts.iter().map(|count| count / sum * (sum / count).log2()).sum()
}

/// Returns the skewness or the kurtosis; NULL for too few numbers.
#[expect(clippy::cast_precision_loss, reason = "a count of rows fits into a double")]
fn moment(name: &str, numbers: &[Value]) -> Value {
    let numbers: Vec<f64> = numbers.iter().filter_map(Value::float).collect();
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let central = |power: i32| numbers.iter().map(|number| (number - mean).powi(power)).sum::<f64>();
    match name {
        "skewness" if n >= 3.0 => Value::Float(n.sqrt() * central(3) / central(2).powf(1.5)),
        "kurtosis" if n >= 4.0 => {
            let scale = n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0));
            let variance = central(2) / (n - 1.0);
            let shift = 3.0 * (n - 1.0).powi(2) / ((n - 2.0) * (n - 3.0));
            Value::Float(scale * central(4) / variance.powi(2) - shift)
        }
        _ => Value::Null,
    }
}

/// Merges the two nearest buckets until at most `most` remain. Takes numbers with their weights.
fn numeric_histogram(most: i64, weighted: &[Value]) -> Result<Value> {
    let Some(most) = usize::try_from(most).ok().filter(|most| *most > 1) else {
        return exec_err!("numeric_histogram takes at least 2 buckets");
    };
    let mut buckets: Vec<(f64, f64)> =
        pairs(weighted).filter_map(|(number, weight)| Some((number.float()?, weight.float()?))).collect();
    buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let merged = |(one, a): (f64, f64), (other, b): (f64, f64)| ((one * a + other * b) / (a + b), a + b);
    let mut apart: Vec<(f64, f64)> = Vec::new();
    for bucket in buckets {
        match apart.last_mut() {
            Some(last) if last.0.total_cmp(&bucket.0).is_eq() => last.1 += bucket.1,
            _ => apart.push(bucket),
        }
    }
    while apart.len() > most {
        let gap = |place: &usize| apart[place + 1].0 - apart[*place].0;
        let nearest = (0..apart.len() - 1).min_by(|one, other| gap(one).total_cmp(&gap(other)));
        let place = nearest.unwrap_or_default();
        apart[place] = merged(apart[place], apart[place + 1]);
        apart.remove(place + 1);
    }
    Ok(Value::Map(apart.into_iter().map(|(number, weight)| (number.into(), weight.into())).collect()))
}

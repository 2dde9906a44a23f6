//! Sequences of numbers, dates and timestamps.

use arrow::datatypes::{DataType, IntervalMonthDayNanoType};
use datafusion::common::{Result, ScalarValue, exec_err};

use super::{Call, RowFunction, Value, row, whole};
use crate::kst::{DAY_MS, UtcInstant};
use crate::query::functions::calendar::plus_months;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("sequence(bigint, bigint) -> array(bigint)", |of, _| {
        numbers(whole(of, 0), whole(of, 1), if whole(of, 0) <= whole(of, 1) { 1 } else { -1 })
    }),
    row("sequence(bigint, bigint, bigint) -> array(bigint)", |of, _| {
        numbers(whole(of, 0), whole(of, 1), whole(of, 2))
    }),
    row("sequence(date, date) -> array(date)", |of, call| {
        let day = if of[0].millis() <= of[1].millis() { DAY_MS } else { -DAY_MS };
        moments(of, call, (0, day))
    }),
    row("sequence(date, date, interval) -> array(date)", |of, call| moments(of, call, length(&of[2])?)),
    row("sequence(timestamp, timestamp, interval) -> array(timestamp)", |of, call| {
        moments(of, call, length(&of[2])?)
    }),
];

/// Most elements, as in Athena.
const MAX_LENGTH: usize = 10_000;

/// Walks from a start while `is_within`, up to the most elements.
fn walk<T: Copy>(
    start: T,
    next: impl Fn(T, usize) -> Option<T>,
    is_within: impl Fn(T) -> bool,
) -> Result<Vec<T>> {
    let (mut found, mut at) = (Vec::new(), Some(start));
    while let Some(value) = at.filter(|value| is_within(*value)) {
        if found.len() == MAX_LENGTH {
            return exec_err!("sequence gives at most {MAX_LENGTH} elements");
        }
        found.push(value);
        at = next(start, found.len());
    }
    Ok(found)
}

fn numbers(start: i64, end: i64, step: i64) -> Result<Value> {
    if step == 0 || (step > 0) != (end >= start) && end != start {
        return exec_err!("sequence cannot step by {step} from {start} to {end}");
    }
    let next = |start: i64, times: usize| start.checked_add(step.checked_mul(i64::try_from(times).ok()?)?);
    let found = walk(start, next, |at| if step > 0 { at <= end } else { at >= end })?;
    Ok(found.into_iter().map(Value::Whole).collect::<Vec<_>>().into())
}

/// The months and milliseconds of an interval.
pub(super) fn length(span: &Value) -> Result<(i64, i64)> {
    let Value::Other(scalar) = span else { return exec_err!("the step is not an interval") };
    let interval = DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano);
    let ScalarValue::IntervalMonthDayNano(Some(span)) = scalar.cast_to(&interval)? else {
        return exec_err!("the step is not an interval");
    };
    let (months, days, nanos) = IntervalMonthDayNanoType::to_parts(span);
    Ok((i64::from(months), i64::from(days) * DAY_MS + nanos / 1_000_000))
}

fn moments(of: &[Value], call: &Call<'_>, (months, millis): (i64, i64)) -> Result<Value> {
    let (Some(start), Some(stop)) = (of[0].millis(), of[1].millis()) else { return Ok(Value::Null) };
    let is_forward = months > 0 || millis > 0;
    if months == 0 && millis == 0 || start != stop && is_forward != (stop > start) {
        return exec_err!("the step of sequence does not lead from its start to its end");
    }
    let next = |start: i64, times: usize| {
        let times = i64::try_from(times).ok()?;
        let moved = plus_months(UtcInstant(start), months.checked_mul(times)?).ok()?;
        moved.0.checked_add(millis.checked_mul(times)?)
    };
    let found = walk(start, next, |at| if is_forward { at <= stop } else { at >= stop })?;
    let DataType::List(element) = call.returns else { return exec_err!("a sequence is an array") };
    let moment = |at: i64| ScalarValue::TimestampMillisecond(Some(at), None).cast_to(element.data_type());
    let found = found.into_iter().map(|at| Ok(Value::Other(moment(at)?)));
    Ok(found.collect::<Result<Vec<_>>>()?.into())
}

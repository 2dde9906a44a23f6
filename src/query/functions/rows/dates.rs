//! Functions of dates and spans of time.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};

use super::sequences::length;
use super::{RowFunction, Value, float, row};
use crate::kst::{DAY_MS, UtcInstant};
use crate::query::functions::calendar::{civil, plus_months};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("human_readable_seconds(double) -> varchar", |of, _| human_readable(float(of, 0))),
    row("last_day_of_month(date) -> date", |of, _| last_day(&of[0])),
    row("last_day_of_month(timestamp) -> date", |of, _| last_day(&of[0])),
    row("to_milliseconds(interval) -> bigint", |of, _| {
        let (0, millis) = length(&of[0])? else {
            return exec_err!("months have no length in milliseconds");
        };
        Ok(Value::Whole(millis))
    }),
];

fn last_day(of: &Value) -> Result<Value> {
    let Some(millis) = of.millis() else { return Ok(Value::Null) };
    let day = i64::from(civil(UtcInstant(millis))?.day);
    let first = UtcInstant(millis.div_euclid(DAY_MS) * DAY_MS - (day - 1) * DAY_MS);
    let last = plus_months(first, 1)?.0 - DAY_MS;
    Ok(Value::Other(ScalarValue::TimestampMillisecond(Some(last), None).cast_to(&DataType::Date32)?))
}

/// Units and their length in seconds. Athena stops at weeks.
const UNITS: [(&str, i64); 5] =
    [("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)];

fn human_readable(seconds: f64) -> Result<Value> {
    if !seconds.is_finite() {
        return exec_err!("human_readable_seconds takes a finite number");
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a number of seconds beyond 64 bits is the greatest one"
    )]
    let mut rest = seconds.abs().round() as i64;
    let mut parts = Vec::new();
    for (unit, length) in UNITS {
        let number = rest / length;
        rest %= length;
        if number > 0 {
            parts.push(format!("{number} {unit}{}", if number == 1 { "" } else { "s" }));
        }
    }
    Ok(if parts.is_empty() { "0 seconds".into() } else { parts.join(", ").into() })
}

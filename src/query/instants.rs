//! Rewrites timestamps with a time zone, and intervals, into expressions that the engine evaluates as Athena does.

use arrow::datatypes::{DataType, IntervalMonthDayNanoType};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, lit};

use super::families::is_zoned;
use super::functions::{self, AT_TIMEZONE, INSTANT, INSTANTS, WALL_CLOCK, WITH_TIMEZONE};
use crate::kst::DAY_MS;

/// Calls one of our own functions.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Result<Expr> {
    let Some(function) = functions::named(name) else { return plan_err!("unknown function {name}") };
    Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments)))
}

/// Returns the instant of a timestamp with a zone as a timestamp without one.
pub(super) fn unzoned(expression: Expr) -> Result<Expr> {
    let Expr::ScalarFunction(function) = expression else { return call(INSTANT, vec![expression]) };
    let name = function.func.name();
    if let Some((_, instant)) = INSTANTS.iter().find(|(zoned, _)| *zoned == name) {
        return call(instant, function.args);
    }
    match <[Expr; 2]>::try_from(function.args) {
        // A zone does not change the instant. Without it, conditions on a column can select days and files.
        Ok([time, _]) if name == AT_TIMEZONE => match &time {
            Expr::ScalarFunction(_) => call(INSTANT, vec![time]),
            _ => Ok(time),
        },
        Ok(both) => {
            call(INSTANT, vec![Expr::ScalarFunction(ScalarFunction::new_udf(function.func, both.into()))])
        }
        Err(args) => call(INSTANT, vec![Expr::ScalarFunction(ScalarFunction::new_udf(function.func, args))]),
    }
}

pub(super) fn unzoned_if(expression: Expr, is_apart: bool, data_type: &DataType) -> Result<Expr> {
    if is_apart && is_zoned(data_type) { unzoned(expression) } else { Ok(expression) }
}

/// Returns the months, days and nanoseconds of a constant interval.
fn constant_span(span: &Expr) -> Option<(i32, i32, i64)> {
    match span {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(span)), _) => {
            let (months, days, nanos) = IntervalMonthDayNanoType::to_parts(*span);
            Some((months, days, nanos))
        }
        Expr::Negative(span) => {
            let (months, days, nanos) = constant_span(span)?;
            Some((months.checked_neg()?, days.checked_neg()?, nanos.checked_neg()?))
        }
        _ => None,
    }
}

/// Returns the length of a constant interval. The engine compares days before hours, so for it a day exceeds 36 hours.
pub(super) fn length(span: &Expr) -> Result<Expr> {
    let Some((0, days, nanos)) = constant_span(span) else {
        return plan_err!("only constant intervals of days and smaller units can be compared: use date_diff");
    };
    let millis = i64::from(days) * DAY_MS + nanos / 1_000_000;
    Ok(lit(ScalarValue::DurationMillisecond(Some(millis))))
}

pub(super) fn refuse_hours_of_date(data_type: &DataType, span: &Expr) -> Result<()> {
    if !matches!(data_type, DataType::Date32) {
        return Ok(());
    }
    if matches!(constant_span(span), Some((_, _, 0))) {
        return Ok(());
    }
    plan_err!("cannot add hours to a date, and neither can Athena: cast it to a timestamp")
}

/// Adds an interval to a timestamp with a zone. Days and smaller units are elapsed time; months and years use its wall clock.
pub(super) fn zoned_sum(time: Expr, op: Operator, span: Expr, data_type: &DataType) -> Result<Expr> {
    let DataType::Timestamp(_, Some(zone)) = data_type else { return plan_err!("the timestamp has no zone") };
    let zone = lit(zone.as_ref());
    let sum = |time, span| Expr::BinaryExpr(BinaryExpr::new(Box::new(time), op, Box::new(span)));
    match constant_span(&span) {
        Some((0, ..)) => call(AT_TIMEZONE, vec![sum(unzoned(time)?, span), zone]),
        Some((_, 0, 0)) => {
            let clock = call(WALL_CLOCK, vec![time])?;
            call(WITH_TIMEZONE, vec![sum(clock, span), zone])
        }
        _ => plan_err!(
            "a timestamp with time zone needs a constant interval of one kind, for example interval '1' day: use date_add"
        ),
    }
}

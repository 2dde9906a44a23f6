//! Decimals as in Athena: the digits of a result follow from those of its operands, a quotient is rounded half away from zero,
//! and a result that needs more than 38 digits is an error.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, FieldRef, Int64Type, i256};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::Operator;

use super::{Argument, Function};

/// The most digits of a decimal.
const MOST: u8 = 38;

/// The operators, and the names of their functions.
const OPERATORS: [(Operator, &str); 5] = [
    (Operator::Plus, "plus_decimal"),
    (Operator::Minus, "minus_decimal"),
    (Operator::Multiply, "times_decimal"),
    (Operator::Divide, "divided_decimal"),
    (Operator::Modulo, "modulo_decimal"),
];

/// Functions of Athena that keep decimals, by name and number of arguments, and what calculates them.
const KEEPING: [(&str, usize, &str); 8] = [
    ("ceil", 1, "ceil_decimal"),
    ("floor", 1, "floor_decimal"),
    ("mod", 2, "modulo_decimal"),
    ("round", 1, "round_decimal"),
    ("round", 2, "round_decimal_to"),
    ("sign", 1, "sign_decimal"),
    ("truncate", 1, "truncate_decimal"),
    ("truncate", 2, "truncate_decimal_to"),
];

/// Functions of the engine that give a double in Athena, whatever the numbers.
const DOUBLES: [&str; 20] = [
    "acos", "asin", "atan", "atan2", "cbrt", "cos", "cosh", "degrees", "exp", "ln", "log", "log10", "log2",
    "power", "radians", "sin", "sinh", "sqrt", "tan", "tanh",
];

const TWO: &[Argument] = &[Argument::Decimal, Argument::Decimal];
const ONE: &[Argument] = &[Argument::Decimal];
const AND_DIGITS: &[Argument] = &[Argument::Decimal, Argument::Whole];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("plus_decimal", TWO, sum_type, |columns, to| of_two(columns, to, i256::checked_add)),
    Function::new("minus_decimal", TWO, sum_type, |columns, to| of_two(columns, to, i256::checked_sub)),
    Function::new("times_decimal", TWO, product_type, product),
    Function::new("divided_decimal", TWO, quotient_type, quotient),
    Function::new("modulo_decimal", TWO, rest_type, |columns, to| of_two(columns, to, i256::checked_rem)),
    Function::new("mean_of", &[Argument::Any], mean_type, |columns, to| Ok(cast(&columns[0], to)?)),
    Function::new("ceil_decimal", ONE, whole_type, |columns, to| {
        rounded(columns, to, |n, unit| n.div_euclid(unit) + i128::from(n.rem_euclid(unit) > 0))
    }),
    Function::new("floor_decimal", ONE, whole_type, |columns, to| rounded(columns, to, i128::div_euclid)),
    Function::new("truncate_decimal", ONE, whole_type, |columns, to| {
        rounded(columns, to, |n, unit| n / unit)
    }),
    Function::new("round_decimal", ONE, whole_type, |columns, to| rounded(columns, to, half_up)),
    Function::new(
        "sign_decimal",
        ONE,
        |_, _| Ok(decimal(1, 0)),
        |columns, to| rounded(columns, to, |n, _| n.signum()),
    ),
    Function::new("round_decimal_to", AND_DIGITS, wider_type, |columns, to| rounded_to(columns, to, half_up)),
    Function::new(
        "truncate_decimal_to",
        AND_DIGITS,
        |of, _| Ok(of[0].data_type().clone()),
        |columns, to| rounded_to(columns, to, |n, unit| n / unit),
    ),
];

/// The function for an operator.
pub(in crate::query) fn of_operator(operator: Operator) -> Option<&'static str> {
    OPERATORS.iter().find(|(known, _)| *known == operator).map(|(_, name)| *name)
}

/// The function that replaces a call with a decimal as its first argument.
pub(in crate::query) fn of_call(name: &str, arguments: usize) -> Option<&'static str> {
    KEEPING.iter().find(|(known, count, _)| *known == name && *count == arguments).map(|(.., ours)| *ours)
}

/// Whether a function takes doubles only, so that decimals are converted for it.
pub(in crate::query) fn takes_doubles(name: &str) -> bool {
    DOUBLES.contains(&name)
}

/// The decimal type with all values of a type; `None` for a type that is not exact.
pub(super) fn decimal_of(given: &DataType) -> Option<DataType> {
    let digits = match given {
        DataType::Decimal128(..) => return Some(given.clone()),
        DataType::Null => 1,
        DataType::Int8 => 3,
        DataType::Int16 | DataType::UInt8 => 5,
        DataType::Int32 | DataType::UInt16 => 10,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => 19,
        _ => return None,
    };
    Some(DataType::Decimal128(digits, 0))
}

/// The decimal type with all values of two exact types.
pub(super) fn common(one: &DataType, other: &DataType) -> Option<DataType> {
    let (Some(DataType::Decimal128(p, s)), Some(DataType::Decimal128(q, t))) =
        (decimal_of(one), decimal_of(other))
    else {
        return None;
    };
    let scale = s.max(t);
    Some(decimal(before(p, s).max(before(q, t)) + scale.unsigned_abs(), scale))
}

/// The digits before the point.
fn before(precision: u8, scale: i8) -> u8 {
    precision.saturating_sub(scale.unsigned_abs())
}

fn decimal(precision: u8, scale: i8) -> DataType {
    DataType::Decimal128(precision.clamp(1, MOST), scale)
}

/// The precision and scale of an argument.
fn digits(of: &[FieldRef], place: usize) -> Result<(u8, i8)> {
    let Some(DataType::Decimal128(precision, scale)) = of.get(place).map(|field| field.data_type()) else {
        return plan_err!("an argument is not a decimal");
    };
    Ok((*precision, *scale))
}

type Constants<'c> = &'c [Option<&'c ScalarValue>];

fn sum_type(of: &[FieldRef], _: Constants<'_>) -> Result<DataType> {
    let ((p, s), (q, t)) = (digits(of, 0)?, digits(of, 1)?);
    let scale = s.max(t);
    Ok(decimal(before(p, s).max(before(q, t)) + scale.unsigned_abs() + 1, scale))
}

fn product_type(of: &[FieldRef], _: Constants<'_>) -> Result<DataType> {
    let ((p, s), (q, t)) = (digits(of, 0)?, digits(of, 1)?);
    if (s + t).unsigned_abs() > MOST {
        return plan_err!("the product has more than 38 digits after the point: cast a factor to double");
    }
    Ok(decimal(p + q, s + t))
}

fn quotient_type(of: &[FieldRef], _: Constants<'_>) -> Result<DataType> {
    let ((p, s), (_, t)) = (digits(of, 0)?, digits(of, 1)?);
    let scale = s.max(t);
    let precision = p + t.unsigned_abs() + (t - s).max(0).unsigned_abs();
    Ok(decimal(precision.max(scale.unsigned_abs()), scale))
}

fn rest_type(of: &[FieldRef], _: Constants<'_>) -> Result<DataType> {
    let ((p, s), (q, t)) = (digits(of, 0)?, digits(of, 1)?);
    let scale = s.max(t);
    Ok(decimal(before(p, s).min(before(q, t)) + scale.unsigned_abs(), scale))
}

fn whole_type(of: &[FieldRef], _: Constants<'_>) -> Result<DataType> {
    let (p, s) = digits(of, 0)?;
    Ok(decimal(before(p, s) + u8::from(s > 0), 0))
}

fn wider_type(of: &[FieldRef], _: Constants<'_>) -> Result<DataType> {
    let (p, s) = digits(of, 0)?;
    Ok(decimal(p + 1, s))
}

/// The type of a mean. The engine calculates the mean of decimals with four more digits, which it cuts off; Athena rounds it to
/// the digits of the values.
fn mean_type(of: &[FieldRef], _: Constants<'_>) -> Result<DataType> {
    /// What the engine adds.
    const MORE: u8 = 4;
    match of.first().map(|field| field.data_type()) {
        Some(DataType::Decimal128(p, s)) if s.unsigned_abs() < MOST => {
            Ok(decimal(if *p == MOST { MOST } else { p - MORE }, s - MORE.cast_signed()))
        }
        Some(DataType::Decimal128(..)) => {
            plan_err!("the mean of these decimals has too many digits: cast them to double")
        }
        Some(other) => Ok(other.clone()),
        None => plan_err!("an argument is missing"),
    }
}

/// The scale of a column.
fn scale(column: &ArrayRef) -> u32 {
    match column.data_type() {
        DataType::Decimal128(_, scale) => u32::from(scale.unsigned_abs()),
        _ => 0,
    }
}

fn power(of_ten: u32) -> i256 {
    i256::from_i128(10).checked_pow(of_ten).unwrap_or(i256::MAX)
}

/// Collects numbers into a column of decimals.
fn column(numbers: impl Iterator<Item = Result<Option<i128>>>, to: &DataType) -> Result<ArrayRef> {
    let DataType::Decimal128(precision, scale) = *to else { return exec_err!("the result is not a decimal") };
    let most = 10_i128.pow(u32::from(precision));
    let fitting = numbers.map(|number| match number? {
        Some(number) if number <= -most || number >= most => too_long(),
        number => Ok(number),
    });
    let numbers = fitting.collect::<Result<Decimal128Array>>()?;
    Ok(Arc::new(numbers.with_precision_and_scale(precision, scale)?))
}

fn too_long<T>() -> Result<T> {
    exec_err!("the decimal result has too many digits: cast an operand to double")
}

/// Calculates with the rows of two columns in which both have a value.
fn pairs(columns: &[ArrayRef], to: &DataType, of: impl Fn(i128, i128) -> Result<i128>) -> Result<ArrayRef> {
    let [one, other] = columns else { return exec_err!("two decimals are required") };
    let pairs = one.as_primitive::<Decimal128Type>().iter().zip(other.as_primitive::<Decimal128Type>());
    column(pairs.map(|(one, other)| one.zip(other).map(|(one, other)| of(one, other)).transpose()), to)
}

/// Calculates with two numbers of the same scale.
fn of_two(columns: &[ArrayRef], to: &DataType, of: fn(i256, i256) -> Option<i256>) -> Result<ArrayRef> {
    let most = scale(&columns[0]).max(scale(&columns[1]));
    let [up, other_up] = [0, 1].map(|place| power(most - scale(&columns[place])));
    pairs(columns, to, |one, other| {
        let number = i256::from_i128(one)
            .checked_mul(up)
            .zip(i256::from_i128(other).checked_mul(other_up))
            .and_then(|(one, other)| of(one, other));
        match number.and_then(i256::to_i128) {
            Some(number) => Ok(number),
            None if other == 0 => exec_err!("division by zero"),
            None => too_long(),
        }
    })
}

fn product(columns: &[ArrayRef], to: &DataType) -> Result<ArrayRef> {
    pairs(columns, to, |one, other| one.checked_mul(other).map_or_else(too_long, Ok))
}

fn quotient(columns: &[ArrayRef], to: &DataType) -> Result<ArrayRef> {
    let (one, other) = (scale(&columns[0]), scale(&columns[1]));
    let up = one.max(other) + other - one;
    let narrow = 10_i128.checked_pow(up);
    pairs(columns, to, |dividend, divisor| {
        if divisor == 0 {
            return exec_err!("division by zero");
        }
        if let Some(dividend) = narrow.and_then(|narrow| dividend.checked_mul(narrow)) {
            return Ok(half_up(dividend, divisor));
        }
        let (dividend, divisor) =
            (i256::from_i128(dividend).checked_mul(power(up)), i256::from_i128(divisor));
        let Some(dividend) = dividend else { return too_long() };
        let (whole, rest) = (dividend / divisor, dividend % divisor);
        let is_half = rest.wrapping_abs().wrapping_mul(i256::from_i128(2)) >= divisor.wrapping_abs();
        let away =
            if (dividend < i256::ZERO) == (divisor < i256::ZERO) { i256::ONE } else { i256::MINUS_ONE };
        let whole = if is_half { whole.wrapping_add(away) } else { whole };
        whole.to_i128().map_or_else(too_long, Ok)
    })
}

/// Divides and rounds half away from zero.
fn half_up(number: i128, unit: i128) -> i128 {
    let (whole, rest) = (number / unit, number % unit);
    let is_half = rest.unsigned_abs() >= unit.unsigned_abs() - rest.unsigned_abs();
    let away = if (number < 0) == (unit < 0) { 1 } else { -1 };
    if is_half { whole + away } else { whole }
}

/// Makes whole numbers of decimals.
fn rounded(columns: &[ArrayRef], to: &DataType, of: fn(i128, i128) -> i128) -> Result<ArrayRef> {
    let unit = 10_i128.pow(scale(&columns[0]).min(u32::from(MOST)));
    let numbers = columns[0].as_primitive::<Decimal128Type>().iter();
    column(numbers.map(|number| Ok(number.map(|number| of(number, unit)))), to)
}

/// Changes the digits behind a place, counted from the point, to zeros.
fn rounded_to(columns: &[ArrayRef], to: &DataType, of: fn(i128, i128) -> i128) -> Result<ArrayRef> {
    let [numbers, places] = columns else {
        return exec_err!("a decimal and a number of digits are required");
    };
    if places.data_type().is_null() {
        return Ok(new_null_array(to, numbers.len()));
    }
    let scale = i64::from(scale(numbers));
    let places: &Int64Array = places.as_primitive::<Int64Type>();
    let pairs = numbers.as_primitive::<Decimal128Type>().iter().zip(places);
    let one = |number: i128, place: i64| {
        let behind =
            u32::try_from(scale.saturating_sub(place)).unwrap_or(if place < 0 { u32::MAX } else { 0 });
        match 10_i128.checked_pow(behind) {
            Some(unit) => of(number, unit).checked_mul(unit).map_or_else(too_long, Ok),
            // All digits are behind the place.
            None => Ok(0),
        }
    };
    column(
        pairs.map(|(number, place)| number.zip(place).map(|(number, place)| one(number, place)).transpose()),
        to,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotient_is_rounded_half_away_from_zero() {
        for (number, unit, expected) in [
            (25, 10, 3),
            (24, 10, 2),
            (-25, 10, -3),
            (-24, 10, -2),
            (25, -10, -3),
            (0, 7, 0),
            (1, 3, 0),
            (2, 3, 1),
        ] {
            assert_eq!(half_up(number, unit), expected, "{number} / {unit}");
        }
    }
}

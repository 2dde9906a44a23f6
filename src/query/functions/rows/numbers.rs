//! Functions of numbers.

use datafusion::common::{Result, exec_err};

use super::{RowFunction, Value, float, list, row, text, whole};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("bit_count(bigint, bigint) -> bigint", |of, _| bit_count(whole(of, 0), whole(of, 1))),
    row("bitwise_and(bigint, bigint) -> bigint", |of, _| Ok(Value::Whole(whole(of, 0) & whole(of, 1)))),
    row("bitwise_left_shift(bigint, bigint) -> bigint", |of, _| {
        Ok(Value::Whole(shifted(of, i64::checked_shl).unwrap_or(0)))
    }),
    row("bitwise_not(bigint) -> bigint", |of, _| Ok(Value::Whole(!whole(of, 0)))),
    row("bitwise_or(bigint, bigint) -> bigint", |of, _| Ok(Value::Whole(whole(of, 0) | whole(of, 1)))),
    row("bitwise_right_shift(bigint, bigint) -> bigint", |of, _| {
        let shift = |number: i64, by| number.cast_unsigned().checked_shr(by).map(u64::cast_signed);
        Ok(Value::Whole(shifted(of, shift).unwrap_or(0)))
    }),
    row("bitwise_right_shift_arithmetic(bigint, bigint) -> bigint", |of, _| {
        let sign = if whole(of, 0) < 0 { -1 } else { 0 };
        Ok(Value::Whole(shifted(of, i64::checked_shr).unwrap_or(sign)))
    }),
    row("bitwise_xor(bigint, bigint) -> bigint", |of, _| Ok(Value::Whole(whole(of, 0) ^ whole(of, 1)))),
    row("from_base(varchar, bigint) -> bigint", |of, _| {
        let radix = radix(whole(of, 1))?;
        let Ok(number) = i64::from_str_radix(text(of, 0), radix) else {
            return exec_err!("'{}' is not a number in base {radix}", text(of, 0));
        };
        Ok(Value::Whole(number))
    }),
    row("infinity() -> double", |_, _| Ok(Value::Float(f64::INFINITY))),
    row("is_finite(double) -> boolean", |of, _| Ok(float(of, 0).is_finite().into())),
    row("is_infinite(double) -> boolean", |of, _| Ok(float(of, 0).is_infinite().into())),
    row("is_nan(double) -> boolean", |of, _| Ok(float(of, 0).is_nan().into())),
    row("e() -> double", |_, _| Ok(Value::Float(std::f64::consts::E))),
    row("mod(bigint, bigint) -> bigint", |of, _| {
        let Some(rest) = whole(of, 0).checked_rem(whole(of, 1)) else { return exec_err!("division by zero") };
        Ok(Value::Whole(rest))
    }),
    row("mod(double, double) -> double", |of, _| Ok(Value::Float(float(of, 0) % float(of, 1)))),
    row("nan() -> double", |_, _| Ok(Value::Float(f64::NAN))),
    row("sign(bigint) -> bigint", |of, _| Ok(Value::Whole(whole(of, 0).signum()))),
    row("sign(double) -> double", |of, _| {
        let number = float(of, 0);
        Ok(Value::Float(if number == 0.0 || number.is_nan() { number } else { number.signum() }))
    }),
    row("to_base(bigint, bigint) -> varchar", |of, _| Ok(to_base(whole(of, 0), radix(whole(of, 1))?).into())),
    row("truncate(double) -> double", |of, _| Ok(Value::Float(float(of, 0).trunc()))),
    row("truncate(double, bigint) -> double", |of, _| {
        let factor = 10_f64.powi(i32::try_from(whole(of, 1)).unwrap_or(i32::MAX));
        Ok(Value::Float((float(of, 0) * factor).trunc() / factor))
    }),
    row("width_bucket(double, double, double, bigint) -> bigint", |of, _| width_bucket(of)),
    row("width_bucket(double, array(double)) -> bigint", |of, _| {
        let below =
            list(of, 1).iter().filter(|bound| bound.float().is_some_and(|bound| bound <= float(of, 0)));
        Ok(super::count(below.count()))
    }),
];

fn shifted(of: &[Value], shift: impl Fn(i64, u32) -> Option<i64>) -> Option<i64> {
    shift(whole(of, 0), u32::try_from(whole(of, 1)).ok()?)
}

fn bit_count(number: i64, bits: i64) -> Result<Value> {
    if !(2..=64).contains(&bits) {
        return exec_err!("bit_count takes 2 to 64 bits");
    }
    let least = -1_i64 << (bits - 1);
    if number < least || number > !least {
        return exec_err!("{number} does not fit into {bits} bits");
    }
    let mask = if bits == 64 { u64::MAX } else { (1_u64 << bits) - 1 };
    Ok(Value::Whole(i64::from((number.cast_unsigned() & mask).count_ones())))
}

fn radix(radix: i64) -> Result<u32> {
    let Some(radix) = u32::try_from(radix).ok().filter(|radix| (2..=36).contains(radix)) else {
        return exec_err!("a base is from 2 to 36");
    };
    Ok(radix)
}

fn to_base(number: i64, radix: u32) -> String {
    let (mut rest, mut digits) = (number.unsigned_abs(), Vec::new());
    while rest > 0 || digits.is_empty() {
        let digit = u32::try_from(rest % u64::from(radix)).unwrap_or_default();
        digits.extend(char::from_digit(digit, radix));
        rest /= u64::from(radix);
    }
    digits.extend((number < 0).then_some('-'));
    digits.into_iter().rev().collect()
}

/// The bucket of a number among equally wide ones; 0 below them, and one more than their count above them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "the number is within the buckets, and only equal bounds have none between them"
)]
fn width_bucket(of: &[Value]) -> Result<Value> {
    let (number, first, last, buckets) = (float(of, 0), float(of, 1), float(of, 2), whole(of, 3));
    if buckets <= 0 || first == last || !first.is_finite() || !last.is_finite() || number.is_nan() {
        return exec_err!("width_bucket takes two different finite bounds and a positive count of buckets");
    }
    let (low, high) = (first.min(last), first.max(last));
    let bucket = if number < low {
        0
    } else if number >= high {
        buckets + 1
    } else {
        (buckets as f64 * (number - low) / (high - low)).floor() as i64 + 1
    };
    Ok(Value::Whole(if first > last { buckets - bucket + 1 } else { bucket }))
}

//! Groups types into families that Athena converts implicitly. Mixing families is refused, because the engine would convert
//! one side and return an answer.

use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};

use super::types;

/// Types that Athena converts to each other implicitly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// NULL, and types that these checks do not distinguish.
    Any,
    Truth,
    Number,
    Text,
    Json,
    Address,
    Bytes,
    Moment,
    Clock,
    Span,
}

pub(super) fn family(data_type: &DataType) -> Family {
    match data_type {
        DataType::Dictionary(_, value) => family(value),
        DataType::Boolean => Family::Truth,
        DataType::LargeUtf8 => Family::Json,
        DataType::FixedSizeBinary(_) => Family::Address,
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => Family::Bytes,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Family::Moment,
        DataType::Time32(_) | DataType::Time64(_) => Family::Clock,
        DataType::Interval(_) | DataType::Duration(_) => Family::Span,
        data_type if data_type.is_numeric() => Family::Number,
        data_type if data_type.is_string() => Family::Text,
        _ => Family::Any,
    }
}

/// Refuses quotients and means of decimals: Athena rounds them, while the engine returns more digits.
pub(super) fn refuse_decimals(what: &str, of: &[&DataType]) -> Result<()> {
    let is_decimal = |of: &&DataType| matches!(of, DataType::Decimal128(..) | DataType::Decimal256(..));
    if of.iter().any(is_decimal) && !of.iter().any(|of| of.is_floating()) {
        return plan_err!("{what} of decimals has different digits in Athena: cast them to double");
    }
    Ok(())
}

pub(super) fn is_zoned(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, Some(_)))
}

/// What to write instead of mixing two types.
fn advice(one: &DataType, other: &DataType) -> &'static str {
    match [family(one), family(other)] {
        [Family::Text, Family::Moment] | [Family::Moment, Family::Text] => {
            "write a literal, for example timestamp '2023-11-01 00:00:00' or date '2023-11-01', or cast one of them"
        }
        [Family::Text, Family::Number] | [Family::Number, Family::Text] => {
            "write the number without quotes, or cast one of them"
        }
        [Family::Text, Family::Json] | [Family::Json, Family::Text] => "use json_extract_scalar for a text",
        _ => "cast one of them",
    }
}

/// The operation that combines two values.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Comparison,
    Joining,
    Arithmetic,
    Column,
}

impl Purpose {
    fn problem(self, one: &DataType, other: &DataType) -> String {
        let (one, other) = (types::name(one), types::name(other));
        match self {
            Self::Comparison => format!("cannot compare {one} with {other}"),
            Self::Joining => format!("cannot join {one} and {other} with ||"),
            Self::Arithmetic => format!("cannot calculate with {one} and {other}"),
            Self::Column => format!("cannot put {one} and {other} into one column"),
        }
    }
}

pub(super) fn refuse_mixed(one: &DataType, other: &DataType, purpose: Purpose) -> Result<()> {
    let (a, b) = (family(one), family(other));
    if a == b || a == Family::Any || b == Family::Any {
        return Ok(());
    }
    let advice = match purpose {
        Purpose::Joining => "write CAST(... AS varchar)",
        _ => advice(one, other),
    };
    plan_err!("{}, and neither can Athena: {advice}", purpose.problem(one, other))
}

/// Refuses types that cannot share a column. Timestamps must also have the same zone.
pub(super) fn refuse_unlike(one: &DataType, other: &DataType) -> Result<()> {
    refuse_mixed(one, other, Purpose::Column)?;
    let is_apart = one != other && (is_zoned(one) || is_zoned(other));
    if is_apart && !one.is_null() && !other.is_null() {
        return plan_err!(
            "{}, because their zones differ: convert both to one zone with AT TIME ZONE",
            Purpose::Column.problem(one, other)
        );
    }
    Ok(())
}

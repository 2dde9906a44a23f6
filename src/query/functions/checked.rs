//! Sums, differences and products of whole numbers that fail if they need more than 64 bits, as in Athena.

use arrow::array::ArrayRef;
use arrow::compute::kernels::numeric;
use arrow::error::ArrowError;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::Operator;

use super::{Argument, Function, whole};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("plus_checked", &[Argument::Whole, Argument::Whole], whole, |columns, _| {
        checked(numeric::add(&columns[0], &columns[1]))
    }),
    Function::new("minus_checked", &[Argument::Whole, Argument::Whole], whole, |columns, _| {
        checked(numeric::sub(&columns[0], &columns[1]))
    }),
    Function::new("times_checked", &[Argument::Whole, Argument::Whole], whole, |columns, _| {
        checked(numeric::mul(&columns[0], &columns[1]))
    }),
];

/// The function for an operator.
pub(in crate::query) fn of_operator(operator: Operator) -> Option<&'static str> {
    match operator {
        Operator::Plus => Some("plus_checked"),
        Operator::Minus => Some("minus_checked"),
        Operator::Multiply => Some("times_checked"),
        _ => None,
    }
}

fn checked(result: std::result::Result<ArrayRef, ArrowError>) -> Result<ArrayRef> {
    match result {
        Ok(numbers) => Ok(numbers),
        Err(ArrowError::ArithmeticOverflow(why)) => exec_err!("the result needs more than 64 bits: {why}"),
        Err(other) => Err(other.into()),
    }
}

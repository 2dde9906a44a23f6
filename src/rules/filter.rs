//! Filters rows with rules over the columns of a decoded batch.
//!
//! A row is left out if any rule matches it. A rule matches if all its conditions hold. As in SQL, a comparison with NULL is
//! not true, so the row is kept.

pub(crate) mod grammar;
mod written;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, Scalar, StringArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::comparison::{like, nlike};
use arrow::compute::kernels::{boolean, cmp};
use arrow::error::ArrowError;

use self::grammar::{Comparison, Condition, Fault, Literal, Test};
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::table::plain;
use crate::table::{ColumnType, TableSchema};

/// The rules of a table, resolved to its columns.
#[derive(Debug, Default)]
pub struct RowFilter {
    /// The conditions of each rule.
    rules: Vec<Vec<ColumnTest>>,
}

/// A condition on a column, by its position among the decoded columns.
#[derive(Debug)]
struct ColumnTest {
    column: usize,
    predicate: Predicate,
}

#[derive(Debug)]
enum Predicate {
    Compare(Comparison, Scalar<ArrayRef>),
    Like { pattern: Scalar<ArrayRef>, negated: bool },
    In { values: Vec<Scalar<ArrayRef>>, negated: bool },
    IsNull { negated: bool },
}

impl RowFilter {
    /// Parses rules such as `event_source = 'kms.amazonaws.com' and read_only = true`. Both namings of a column are accepted.
    pub fn new(schema: &TableSchema, rules: &[String]) -> Result<Self> {
        let rule = |rule: &String| {
            let conditions = grammar::parse(rule)?;
            let tests = conditions.iter().map(|condition| ColumnTest::of(schema, condition));
            tests.collect::<std::result::Result<_, _>>().map_err(|fault: Fault| fault.of_rule(rule))
        };
        Ok(Self { rules: rules.iter().map(rule).collect::<Result<_>>()? })
    }

    /// Returns the rows that are left out; `None` if all are kept.
    pub fn matches(&self, cells: &[ArrayRef]) -> Result<Option<BooleanBuffer>> {
        let mut any: Option<BooleanBuffer> = None;
        for rule in &self.rules {
            let found = matches_all(rule, cells)
                .map_err(|cause| Error::bug("cannot evaluate a filter rule").caused_by(cause))?;
            any = match (any, found) {
                (Some(any), Some(found)) => Some(&any | &found),
                (any, found) => any.or(found),
            };
        }
        Ok(any)
    }
}

/// Returns the rows for which every condition is true; `None` if no row matches.
fn matches_all(
    rule: &[ColumnTest],
    cells: &[ArrayRef],
) -> std::result::Result<Option<BooleanBuffer>, ArrowError> {
    let mut all: Option<BooleanBuffer> = None;
    for test in rule {
        let truth = is_true(&test.predicate.evaluate(&plain(&cells[test.column])?)?);
        let both = all.map_or(truth.clone(), |all| &all & &truth);
        if both.count_set_bits() == 0 {
            return Ok(None);
        }
        all = Some(both);
    }
    Ok(all)
}

/// Returns the rows with the value true. NULL is not true.
fn is_true(answers: &BooleanArray) -> BooleanBuffer {
    match answers.nulls() {
        Some(nulls) => answers.values() & nulls.inner(),
        None => answers.values().clone(),
    }
}

impl Predicate {
    fn evaluate(&self, cells: &ArrayRef) -> std::result::Result<BooleanArray, ArrowError> {
        match self {
            Self::Compare(comparison, value) => match comparison {
                Comparison::Equal => cmp::eq(cells, value),
                Comparison::NotEqual => cmp::neq(cells, value),
                Comparison::Less => cmp::lt(cells, value),
                Comparison::LessOrEqual => cmp::lt_eq(cells, value),
                Comparison::Greater => cmp::gt(cells, value),
                Comparison::GreaterOrEqual => cmp::gt_eq(cells, value),
            },
            Self::Like { pattern, negated: false } => like(cells, pattern),
            Self::Like { pattern, negated: true } => nlike(cells, pattern),
            Self::In { values, negated } => {
                let mut found =
                    BooleanArray::new(BooleanBuffer::new_unset(cells.len()), cells.nulls().cloned());
                for value in values {
                    found = boolean::or(&found, &cmp::eq(cells, value)?)?;
                }
                if *negated { boolean::not(&found) } else { Ok(found) }
            }
            Self::IsNull { negated: false } => boolean::is_null(cells),
            Self::IsNull { negated: true } => boolean::is_not_null(cells),
        }
    }
}

impl ColumnTest {
    fn of(schema: &TableSchema, condition: &Condition) -> std::result::Result<Self, Fault> {
        let Condition { column: name, at, test } = condition;
        let refused = |why: String| Err(Fault { at: *at, why });
        let Some(found) = schema.named(name) else {
            let names: Vec<_> = schema.columns.iter().map(|column| column.named(schema.naming)).collect();
            let meant = did_you_mean(name, names.iter().map(AsRef::as_ref));
            return refused(format!("the table has no column '{name}'{meant}"));
        };
        if found.origin.is_derived() {
            return refused(format!(
                "'{name}' is computed when files are written and cannot be used in a filter"
            ));
        }
        let Some(column) = schema.decoded().position(|column| column.name == found.name) else {
            return refused(format!("'{name}' is not decoded"));
        };
        match Predicate::of(found.column_type, test) {
            Ok(predicate) => Ok(Self { column, predicate }),
            Err(why) => refused(format!("'{name}' {why}")),
        }
    }
}

impl Predicate {
    /// Builds the test for a column type, or returns why the type does not support it.
    fn of(kind: ColumnType, test: &Test) -> std::result::Result<Self, String> {
        let scalar = |literal: &Literal| scalar(kind, literal);
        match test {
            Test::IsNull { negated } => Ok(Self::IsNull { negated: *negated }),
            Test::Compare(comparison, literal) => {
                let is_order = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                if is_order && !kind.is_number() {
                    return Err("is not a number: <, <=, > and >= compare numbers".to_owned());
                }
                Ok(Self::Compare(*comparison, scalar(literal)?))
            }
            Test::In { values, negated } => {
                let values = values.iter().map(scalar).collect::<std::result::Result<_, _>>()?;
                Ok(Self::In { values, negated: *negated })
            }
            Test::Like { pattern, negated } => {
                // The kernel treats a backslash as an escape, but Athena and DuckDB do not.
                let pattern = Literal::Text(pattern.replace('\\', "\\\\"));
                Ok(Self::Like { pattern: scalar(&pattern)?, negated: *negated })
            }
        }
    }
}

/// Converts a literal to the type of a column.
fn scalar(kind: ColumnType, literal: &Literal) -> std::result::Result<Scalar<ArrayRef>, String> {
    let array: ArrayRef = match (kind, literal) {
        (ColumnType::Text | ColumnType::Json, Literal::Text(text)) => {
            Arc::new(StringArray::from_iter_values([text]))
        }
        (ColumnType::Text | ColumnType::Json, _) => {
            return Err("is a text: put the value in single quotes".to_owned());
        }
        (ColumnType::Bool, Literal::Bool(value)) => Arc::new(BooleanArray::from(vec![*value])),
        (ColumnType::Bool, _) => return Err("is true or false".to_owned()),
        (ColumnType::Int, Literal::Number(number)) => {
            let number =
                i32::try_from(*number).map_err(|_| format!("is never {number}: the column has 32 bits"))?;
            Arc::new(Int32Array::from_iter_values([number]))
        }
        (ColumnType::BigInt, Literal::Number(number)) => Arc::new(Int64Array::from_iter_values([*number])),
        (ColumnType::Int | ColumnType::BigInt, Literal::Decimal(_)) => {
            return Err("is a whole number".to_owned());
        }
        (ColumnType::Double, Literal::Number(number)) => {
            Arc::new(Float64Array::from_iter_values([*number as f64]))
        }
        // Columns contain no -0.0, and the kernel does not treat it as equal to 0.0.
        (ColumnType::Double, Literal::Decimal(number)) => {
            Arc::new(Float64Array::from_iter_values([*number + 0.0]))
        }
        (ColumnType::Int | ColumnType::BigInt | ColumnType::Double, _) => {
            return Err("is a number".to_owned());
        }
        (ColumnType::Timestamp | ColumnType::TextList, _) => {
            return Err("is a time or a list: use only 'is null' or 'is not null'".to_owned());
        }
    };
    Ok(Scalar::new(array))
}

#[cfg(test)]
mod tests;

//! The result of a query as rows of cells.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use super::format::{Unit, exact, thousands};
use crate::error::{Error, Result};

/// A value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// A text, or a time as text.
    Text(String),
    /// A count.
    Integer(i64),
    /// A mean.
    Real(f64),
}

impl Cell {
    /// Returns the number; `None` for a text or NULL.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Text(_) | Self::Null => None,
        }
    }

    /// Returns the displayed text; a dash for NULL.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Null => "–".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Integer(number) => thousands(*number),
            Self::Real(number) => format!("{number:.1}"),
        }
    }

    /// Returns the displayed text in a unit.
    pub(super) fn text_in(&self, unit: Unit) -> String {
        match self {
            Self::Integer(number) if unit == Unit::Count => thousands(*number),
            Self::Real(_) if unit == Unit::Count => self.text(),
            _ => self.number().map_or_else(|| self.text(), |number| exact(number, unit)),
        }
    }
}

/// The rows of an answer, all with the same number of cells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The rows, in the order of the query.
    pub rows: Vec<Vec<Cell>>,
}

impl Answer {
    /// Converts batches to rows.
    pub fn of(batches: &[RecordBatch]) -> Result<Self> {
        let mut rows = Vec::new();
        for batch in batches {
            let columns = batch.columns().iter().map(cells).collect::<Result<Vec<_>>>()?;
            let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
            rows.extend(
                (0..batch.num_rows()).map(|_| columns.iter_mut().filter_map(Iterator::next).collect()),
            );
        }
        Ok(Self { rows })
    }

    /// Splits off the last column, which has the number of all rows.
    #[must_use]
    pub fn without_count(mut self) -> (Self, usize) {
        let mut count = 0;
        for row in &mut self.rows {
            if let Some(Cell::Integer(all)) = row.pop() {
                count = usize::try_from(all).unwrap_or_default();
            }
        }
        (self, count)
    }

    /// Returns the values of a column; zero for a cell without a number.
    pub(super) fn numbers(&self, column: usize) -> impl Iterator<Item = f64> {
        self.rows.iter().map(move |row| row[column].number().unwrap_or(0.0))
    }
}

fn cells(column: &ArrayRef) -> Result<Vec<Cell>> {
    let kind = column.data_type();
    if kind.is_integer() {
        let column = cast_to(column, &DataType::Int64)?;
        return Ok(column
            .as_primitive::<Int64Type>()
            .iter()
            .map(|value| value.map_or(Cell::Null, Cell::Integer))
            .collect());
    }
    if kind.is_numeric() {
        let column = cast_to(column, &DataType::Float64)?;
        return Ok(column
            .as_primitive::<Float64Type>()
            .iter()
            .map(|value| value.map_or(Cell::Null, Cell::Real))
            .collect());
    }
    let is_time = matches!(kind, DataType::Timestamp(..));
    let texts = cast_to(column, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>().iter().map(|text| match text {
        None => Cell::Null,
        Some(text) if is_time => Cell::Text(text.replace('T', " ")),
        Some(text) => Cell::Text(text.to_owned()),
    });
    Ok(texts.collect())
}

fn cast_to(column: &ArrayRef, kind: &DataType) -> Result<ArrayRef> {
    cast(column, kind).map_err(|cause| Error::bug("cannot show a column of an answer").caused_by(cause))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Int32Array, StringViewArray, TimestampMillisecondArray};

    use super::*;

    #[test]
    fn every_kind_of_column_becomes_cells() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("text", Arc::new(StringViewArray::from(vec![Some("a"), None]))),
            ("count", Arc::new(Int32Array::from(vec![Some(3), None]))),
            (
                "mean",
                Arc::new(
                    Decimal128Array::from(vec![Some(125), None]).with_precision_and_scale(10, 1).unwrap(),
                ),
            ),
            ("time", Arc::new(TimestampMillisecondArray::from(vec![Some(1_698_796_800_000), None]))),
        ];
        let answer = Answer::of(&[RecordBatch::try_from_iter(columns).unwrap()]).unwrap();
        let first = ["a", "3", "12.5", "2023-11-01 00:00:00"];
        assert_eq!(answer.rows[0].iter().map(Cell::text).collect::<Vec<_>>(), first);
        assert_eq!(answer.rows[1], vec![Cell::Null; 4]);
    }
}

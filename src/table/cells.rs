//! The cells of columns while decoders fill them.

use std::borrow::Cow;
use std::mem::replace;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, ListBuilder,
    StringBuilder, TimestampMillisecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::column::{Column, ColumnType, Spread};
use super::text_cells::{TextCells, text_bytes};
use crate::kst::UtcInstant;

/// Returns the cells of a text column as an array with one text for each cell, even if the batch stores equal texts once.
pub(crate) fn plain(cells: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match cells.data_type() {
        DataType::Dictionary(..) | DataType::Null => cast(cells, &DataType::Utf8),
        _ => Ok(Arc::clone(cells)),
    }
}

/// The cells of one column.
#[derive(Debug)]
pub enum Cells {
    /// Text and JSON.
    Text(TextCells),
    /// Booleans.
    Bool(BooleanBuilder),
    /// 32-bit integers.
    Int(Int32Builder),
    /// 64-bit integers.
    BigInt(Int64Builder),
    /// Floating-point numbers.
    Double(Float64Builder),
    /// Milliseconds.
    Timestamp(TimestampMillisecondBuilder),
    /// Lists of texts.
    TextList(ListBuilder<StringBuilder>),
}

impl Cells {
    /// Returns the empty cells of a column.
    pub(super) fn of(column: &Column) -> Self {
        match column.column_type {
            ColumnType::Json => Self::Text(TextCells::plain()),
            ColumnType::Text if column.spread == Spread::Unique => Self::Text(TextCells::plain()),
            ColumnType::Text => Self::Text(TextCells::repeating()),
            ColumnType::Bool => Self::Bool(BooleanBuilder::new()),
            ColumnType::Int => Self::Int(Int32Builder::new()),
            ColumnType::BigInt => Self::BigInt(Int64Builder::new()),
            ColumnType::Double => Self::Double(Float64Builder::new()),
            ColumnType::Timestamp => Self::Timestamp(TimestampMillisecondBuilder::new()),
            ColumnType::TextList => {
                Self::TextList(ListBuilder::new(StringBuilder::new()).with_field(ColumnType::list_element()))
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Bool(cells) => cells.len(),
            Self::Int(cells) => cells.len(),
            Self::BigInt(cells) => cells.len(),
            Self::Double(cells) => cells.len(),
            Self::Timestamp(cells) => cells.len(),
            Self::TextList(cells) => cells.len(),
        }
    }

    /// Returns the memory that the cells use. Spare capacity is not counted, because untouched memory costs nothing.
    pub(super) fn memory_bytes(&self) -> usize {
        let fixed = |width: usize| self.len() * width + self.len() / 8;
        match self {
            Self::Text(cells) => cells.memory_bytes(),
            Self::Bool(_) => fixed(0) + self.len() / 8,
            Self::Int(_) => fixed(size_of::<i32>()),
            Self::BigInt(_) | Self::Double(_) | Self::Timestamp(_) => fixed(size_of::<i64>()),
            Self::TextList(cells) => fixed(size_of::<i32>()) + text_bytes(cells.values_ref()),
        }
    }

    /// Returns the cells as an array of the column's type, a dictionary or an array of nulls, and starts empty.
    pub(super) fn finish(&mut self) -> ArrayRef {
        // The next batch will be about as large, and spare capacity costs nothing until it is touched.
        let room = self.len() + self.len() / 8;
        let mut cells: ArrayRef = match self {
            Self::Text(cells) => cells.finish(),
            Self::Bool(cells) => Arc::new(replace(cells, BooleanBuilder::with_capacity(room)).finish()),
            Self::Int(cells) => Arc::new(replace(cells, Int32Builder::with_capacity(room)).finish()),
            Self::BigInt(cells) => Arc::new(replace(cells, Int64Builder::with_capacity(room)).finish()),
            Self::Double(cells) => Arc::new(replace(cells, Float64Builder::with_capacity(room)).finish()),
            Self::Timestamp(cells) => {
                Arc::new(replace(cells, TimestampMillisecondBuilder::with_capacity(room)).finish())
            }
            Self::TextList(cells) => Arc::new(cells.finish()),
        };
        // The array may stay in memory until all objects are read.
        cells.shrink_to_fit();
        cells
    }

    /// Appends a null.
    pub fn push_null(&mut self) {
        self.push_nulls(1);
    }

    /// Appends nulls.
    pub fn push_nulls(&mut self, count: usize) {
        match self {
            Self::Text(cells) => cells.push_nulls(count),
            Self::Bool(cells) => cells.append_nulls(count),
            Self::Int(cells) => cells.append_nulls(count),
            Self::BigInt(cells) => cells.append_nulls(count),
            Self::Double(cells) => cells.append_nulls(count),
            Self::Timestamp(cells) => cells.append_nulls(count),
            Self::TextList(cells) => cells.append_nulls(count),
        }
    }

    /// Appends a text, or a null.
    ///
    /// # Panics
    /// If the column is not text, because the decoder and its column table disagree.
    pub fn push_text(&mut self, value: Option<&str>) {
        let Self::Text(cells) = self else { unreachable!("the column table says that this column is text") };
        match value {
            Some(value) => cells.push(value),
            None => cells.push_nulls(1),
        }
    }

    /// Appends a boolean, or a null.
    ///
    /// # Panics
    /// If the column is not a boolean.
    pub fn push_bool(&mut self, value: Option<bool>) {
        let Self::Bool(cells) = self else {
            unreachable!("the column table says that this column is boolean")
        };
        cells.append_option(value);
    }

    /// Appends an integer, or a null, to a column of either width. A value that does not fit becomes null.
    ///
    /// # Panics
    /// If the column is not an integer.
    pub fn push_integer(&mut self, value: Option<i64>) {
        match self {
            Self::Int(cells) => cells.append_option(value.and_then(|value| i32::try_from(value).ok())),
            Self::BigInt(cells) => cells.append_option(value),
            Self::Text(_) | Self::Bool(_) | Self::Double(_) | Self::Timestamp(_) | Self::TextList(_) => {
                unreachable!("the column table says that this column is an integer")
            }
        }
    }

    /// Appends a floating-point number, or a null. NaN and infinities become null and -0.0 becomes 0.0, which engines
    /// compare differently.
    ///
    /// # Panics
    /// If the column is not a double.
    pub fn push_double(&mut self, value: Option<f64>) {
        let Self::Double(cells) = self else {
            unreachable!("the column table says that this column is a double")
        };
        cells.append_option(value.filter(|value| value.is_finite()).map(|value| value + 0.0));
    }

    /// Appends a time, or a null.
    ///
    /// # Panics
    /// If the column is not a time.
    pub fn push_time(&mut self, value: Option<UtcInstant>) {
        let Self::Timestamp(cells) = self else {
            unreachable!("the column table says that this column is a time")
        };
        cells.append_option(value.map(|instant| instant.0));
    }

    /// Appends a list of texts.
    ///
    /// # Panics
    /// If the column is not a list.
    pub fn push_list<'t>(&mut self, values: impl Iterator<Item = Option<Cow<'t, str>>>) {
        let Self::TextList(cells) = self else {
            unreachable!("the column table says that this column is a list")
        };
        for value in values {
            cells.values().append_option(value);
        }
        cells.append(true);
    }
}

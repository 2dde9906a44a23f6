//! One value of any type, read from a column and written to one. Functions over single rows work on these.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int64Array,
    ListArray, MapArray, StringArray, StructArray, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{CastOptions, can_cast_types, cast, cast_with_options};
use arrow::datatypes::{DataType, FieldRef, Fields, Float64Type, Int64Type, TimestampMillisecondType};
use datafusion::common::{Result, ScalarValue, exec_err};

/// A value.
#[derive(Debug, Clone)]
pub(in crate::query) enum Value {
    Null,
    Truth(bool),
    Whole(i64),
    Float(f64),
    /// Text, and JSON.
    Text(String),
    /// Bytes, IP addresses and IP prefixes.
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Row(Vec<Value>),
    /// A date, time, interval or decimal.
    Other(ScalarValue),
}

impl Value {
    pub(in crate::query) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Wraps an optional value; `None` is NULL.
    pub(super) fn from_option<T: Into<Self>>(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }

    /// The column with the types that are read fastest. Otherwise each cell would be cast by itself.
    pub(super) fn wide(column: &ArrayRef) -> Result<ArrayRef> {
        let wide = wide(column.data_type());
        if wide == *column.data_type() || !can_cast_types(column.data_type(), &wide) {
            return Ok(Arc::clone(column));
        }
        Ok(cast(column, &wide)?)
    }

    /// Becomes the cell of a row. A text keeps its memory.
    pub(super) fn read(&mut self, column: &ArrayRef, row: usize) -> Result<()> {
        match (&mut *self, column.data_type()) {
            (Self::Text(text), DataType::Utf8) if column.is_valid(row) => {
                text.clear();
                text.push_str(column.as_string::<i32>().value(row));
            }
            _ => *self = Self::of(column, row)?,
        }
        Ok(())
    }

    /// Reads the cell of a row.
    pub(in crate::query) fn of(column: &ArrayRef, row: usize) -> Result<Self> {
        if column.is_null(row) {
            return Ok(Self::Null);
        }
        let all =
            |cells: &ArrayRef| (0..cells.len()).map(|at| Self::of(cells, at)).collect::<Result<Vec<_>>>();
        Ok(match column.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Truth(column.as_boolean().value(row)),
            DataType::Int64 => Self::Whole(column.as_primitive::<Int64Type>().value(row)),
            DataType::Float64 => Self::Float(column.as_primitive::<Float64Type>().value(row)),
            DataType::Utf8 => Self::Text(column.as_string::<i32>().value(row).to_owned()),
            DataType::LargeUtf8 => Self::Text(column.as_string::<i64>().value(row).to_owned()),
            DataType::Utf8View => Self::Text(column.as_string_view().value(row).to_owned()),
            DataType::Binary => Self::Bytes(column.as_binary::<i32>().value(row).to_owned()),
            DataType::FixedSizeBinary(_) => Self::Bytes(column.as_fixed_size_binary().value(row).to_owned()),
            DataType::List(_) => Self::List(all(&column.as_list::<i32>().value(row))?),
            DataType::Map(..) => {
                let entries = column.as_map().value(row);
                Self::Map(all(entries.column(0))?.into_iter().zip(all(entries.column(1))?).collect())
            }
            DataType::Struct(_) => {
                let cells = column.as_struct().columns().iter();
                Self::Row(cells.map(|cells| Self::of(cells, row)).collect::<Result<_>>()?)
            }
            kind if kind.is_integer() => Self::of(&cast(&column.slice(row, 1), &DataType::Int64)?, 0)?,
            kind if kind.is_floating() => Self::of(&cast(&column.slice(row, 1), &DataType::Float64)?, 0)?,
            DataType::Dictionary(_, value) => Self::of(&cast(&column.slice(row, 1), value)?, 0)?,
            DataType::BinaryView | DataType::LargeBinary => {
                Self::of(&cast(&column.slice(row, 1), &DataType::Binary)?, 0)?
            }
            _ => Self::Other(ScalarValue::try_from_array(column, row)?),
        })
    }

    /// Builds a column of values.
    pub(in crate::query) fn column(values: &[&Self], data_type: &DataType) -> Result<ArrayRef> {
        if values.iter().all(|value| value.is_null()) {
            return Ok(new_null_array(data_type, values.len()));
        }
        Ok(match data_type {
            DataType::Boolean => Arc::new(values.iter().map(|value| value.truth()).collect::<BooleanArray>()),
            DataType::Utf8 => Arc::new(values.iter().map(|value| value.text()).collect::<StringArray>()),
            DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
                cast(&Self::column(values, &DataType::Utf8)?, data_type)?
            }
            DataType::Binary => Arc::new(values.iter().map(|value| value.bytes()).collect::<BinaryArray>()),
            DataType::FixedSizeBinary(size) => {
                let cells = values.iter().map(|value| value.bytes());
                Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(cells, *size)?)
            }
            DataType::List(field) => {
                let lists: Vec<Option<&Vec<Self>>> = values.iter().map(|value| value.list()).collect();
                let (offsets, valid) = extents(lists.iter().map(|list| list.map(Vec::len)));
                let elements: Vec<&Self> = lists.into_iter().flatten().flatten().collect();
                let elements = Self::column(&elements, field.data_type())?;
                Arc::new(ListArray::try_new(Arc::clone(field), offsets, elements, Some(valid))?)
            }
            DataType::Map(field, sorted) => {
                let DataType::Struct(sides) = field.data_type() else { return exec_err!("not a map") };
                let maps: Vec<Option<&Vec<(Self, Self)>>> = values.iter().map(|value| value.map()).collect();
                let (offsets, valid) = extents(maps.iter().map(|map| map.map(Vec::len)));
                let pairs: Vec<&(Self, Self)> = maps.into_iter().flatten().flatten().collect();
                let keys: Vec<&Self> = pairs.iter().map(|(key, _)| key).collect();
                let cells: Vec<&Self> = pairs.iter().map(|(_, value)| value).collect();
                let [keys, cells] = [(keys, 0), (cells, 1)]
                    .map(|(side, place)| Self::column(&side, sides[place].data_type()));
                let entries = StructArray::try_new(sides.clone(), vec![keys?, cells?], None)?;
                Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, Some(valid), *sorted)?)
            }
            DataType::Struct(fields) => Self::rows(values, fields)?,
            DataType::Null => return exec_err!("a value is not NULL"),
            kind if kind.is_numeric() => Self::numbers(values, kind)?,
            _ => Self::others(values, data_type)?,
        })
    }

    fn rows(values: &[&Self], fields: &Fields) -> Result<ArrayRef> {
        let cell = |value: &&Self, place: usize| match value {
            Self::Row(cells) => cells.get(place).cloned().unwrap_or(Self::Null),
            _ => Self::Null,
        };
        let columns = fields.iter().enumerate().map(|(place, field)| {
            let cells: Vec<Self> = values.iter().map(|value| cell(value, place)).collect();
            Self::column(&cells.iter().collect::<Vec<_>>(), field.data_type())
        });
        let valid: NullBuffer = values.iter().map(|value| !value.is_null()).collect();
        Ok(Arc::new(StructArray::try_new(fields.clone(), columns.collect::<Result<_>>()?, Some(valid))?))
    }

    fn numbers(values: &[&Self], data_type: &DataType) -> Result<ArrayRef> {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let plain: ArrayRef = if values.iter().any(|value| matches!(value, Self::Other(_))) {
            return Self::others(values, data_type);
        } else if values.iter().any(|value| matches!(value, Self::Float(_))) {
            Arc::new(values.iter().map(|value| value.float()).collect::<Float64Array>())
        } else {
            Arc::new(values.iter().map(|value| value.whole()).collect::<Int64Array>())
        };
        Ok(cast_with_options(&plain, data_type, &options)?)
    }

    fn others(values: &[&Self], data_type: &DataType) -> Result<ArrayRef> {
        let null = ScalarValue::try_from(data_type)?;
        let scalar = |value: &&Self| match value {
            Self::Other(scalar) => scalar.cast_to(data_type),
            Self::Null => Ok(null.clone()),
            Self::Whole(number) => ScalarValue::Int64(Some(*number)).cast_to(data_type),
            Self::Float(number) => ScalarValue::Float64(Some(*number)).cast_to(data_type),
            Self::Text(text) => ScalarValue::Utf8(Some(text.clone())).cast_to(data_type),
            _ => exec_err!("a value does not have the type {data_type}"),
        };
        ScalarValue::iter_to_array(values.iter().map(scalar).collect::<Result<Vec<_>>>()?)
    }

    pub(in crate::query) fn truth(&self) -> Option<bool> {
        if let Self::Truth(truth) = self { Some(*truth) } else { None }
    }

    pub(in crate::query) fn whole(&self) -> Option<i64> {
        if let Self::Whole(number) = self { Some(*number) } else { None }
    }

    /// A number as a double.
    #[expect(clippy::cast_precision_loss, reason = "a double has fewer digits, as in Athena")]
    pub(in crate::query) fn float(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            Self::Whole(number) => Some(*number as f64),
            _ => None,
        }
    }

    pub(in crate::query) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(in crate::query) fn bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    pub(in crate::query) fn list(&self) -> Option<&Vec<Self>> {
        if let Self::List(elements) = self { Some(elements) } else { None }
    }

    pub(in crate::query) fn map(&self) -> Option<&Vec<(Self, Self)>> {
        if let Self::Map(entries) = self { Some(entries) } else { None }
    }

    pub(in crate::query) fn row(&self) -> Option<&Vec<Self>> {
        if let Self::Row(cells) = self { Some(cells) } else { None }
    }

    /// The time of a date or timestamp without its zone, in milliseconds since 1970.
    pub(super) fn millis(&self) -> Option<i64> {
        let Self::Other(scalar) = self else { return None };
        let column = scalar.to_array().ok()?;
        let millis =
            cast(&column, &DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None)).ok()?;
        millis.is_valid(0).then(|| millis.as_primitive::<TimestampMillisecondType>().value(0))
    }

    /// The value with all IP addresses and prefixes as texts.
    pub(in crate::query) fn with_addresses_as_text(self, data_type: &DataType) -> Self {
        match (self, data_type) {
            (Self::Bytes(bytes), DataType::FixedSizeBinary(_)) => {
                Self::from_option(super::address::text_of(&bytes))
            }
            (Self::List(elements), DataType::List(field)) => {
                let element = |element: Self| element.with_addresses_as_text(field.data_type());
                Self::List(elements.into_iter().map(element).collect())
            }
            (Self::Map(entries), DataType::Map(field, _)) => {
                let DataType::Struct(sides) = field.data_type() else { return Self::Map(entries) };
                let side = |value: Self, side: usize| value.with_addresses_as_text(sides[side].data_type());
                Self::Map(entries.into_iter().map(|(key, value)| (side(key, 0), side(value, 1))).collect())
            }
            (Self::Row(cells), DataType::Struct(fields)) => {
                let cells = cells.into_iter().zip(fields);
                Self::Row(cells.map(|(cell, field)| cell.with_addresses_as_text(field.data_type())).collect())
            }
            (value, _) => value,
        }
    }

    /// The order of two values of one type. NULL is last.
    pub(in crate::query) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Greater,
            (_, Self::Null) => Ordering::Less,
            (Self::Truth(one), Self::Truth(other)) => one.cmp(other),
            (Self::Whole(one), Self::Whole(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Bytes(one), Self::Bytes(other)) => one.cmp(other),
            (Self::List(one), Self::List(other)) | (Self::Row(one), Self::Row(other)) => in_order(one, other),
            (Self::Map(one), Self::Map(other)) => {
                let flat = |entries: &[(Self, Self)]| {
                    let mut entries = entries.to_vec();
                    entries.sort_by(|(one, _), (other, _)| one.order(other));
                    entries.into_iter().flat_map(|(key, value)| [key, value]).collect::<Vec<_>>()
                };
                in_order(&flat(one), &flat(other))
            }
            (Self::Other(one), Self::Other(other)) => one.partial_cmp(other).unwrap_or(Ordering::Equal),
            _ => match (self.float(), other.float()) {
                (Some(one), Some(other)) => one.total_cmp(&other),
                _ => Ordering::Equal,
            },
        }
    }

    /// Whether two values are the same. NULL is the same as NULL.
    pub(in crate::query) fn is(&self, other: &Self) -> bool {
        self.order(other) == Ordering::Equal
    }
}

/// The type that holds the values of another one and that [`Value::of`] reads without a cast.
fn wide(data_type: &DataType) -> DataType {
    let field = |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(wide(field.data_type())));
    match data_type {
        kind if kind.is_integer() => DataType::Int64,
        kind if kind.is_floating() => DataType::Float64,
        DataType::Dictionary(_, value) => wide(value),
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::List(element) => DataType::List(field(element)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}

fn in_order(one: &[Value], other: &[Value]) -> Ordering {
    let first = one.iter().zip(other).map(|(one, other)| one.order(other)).find(|order| order.is_ne());
    first.unwrap_or_else(|| one.len().cmp(&other.len()))
}

/// The offsets and the validity of lists with these lengths; `None` is NULL.
fn extents(lengths: impl Iterator<Item = Option<usize>> + Clone) -> (OffsetBuffer<i32>, NullBuffer) {
    let valid = lengths.clone().map(|length| length.is_some()).collect();
    (OffsetBuffer::from_lengths(lengths.map(Option::unwrap_or_default)), valid)
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<Value>> for Value {
    fn from(elements: Vec<Value>) -> Self {
        Self::List(elements)
    }
}

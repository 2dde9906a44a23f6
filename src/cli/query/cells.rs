//! Cells as people and machines read them: times as Athena prints them, NULL apart from an empty text.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow::datatypes::{UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};

/// `2023-11-01 09:00:00.000`; of a column with a zone this is what a clock there shows, and its name follows.
const TIMESTAMP: &str = "%Y-%m-%d %H:%M:%S%.3f";

const OPTIONS: FormatOptions<'static> = FormatOptions::new()
    .with_null("NULL")
    .with_timestamp_format(Some(TIMESTAMP))
    .with_timestamp_tz_format(Some(TIMESTAMP));

/// Says the cells of a column as text.
pub(super) struct Texts<'a> {
    /// Those of NULL, too, whatever form they have.
    nulls: Option<NullBuffer>,
    formatter: ArrayFormatter<'a>,
    zone: Option<&'a str>,
}

impl<'a> Texts<'a> {
    pub(super) fn of(cells: &'a ArrayRef) -> Result<Self> {
        let formatter = ArrayFormatter::try_new(cells.as_ref(), &OPTIONS);
        let formatter = formatter.map_err(|cause| {
            Error::bug("a column cannot be shown").with("type", cells.data_type()).caused_by(cause)
        })?;
        let zone = match cells.data_type() {
            DataType::Timestamp(_, zone) => zone.as_deref(),
            _ => None,
        };
        Ok(Self { nulls: cells.logical_nulls(), formatter, zone })
    }

    /// The cell of a row; `None` for NULL.
    pub(super) fn cell(&self, row: usize) -> Result<Option<String>> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(None);
        }
        let text = self.formatter.value(row).try_to_string();
        let zoned = |text: String| match self.zone {
            Some(zone) => format!("{text} {zone}"),
            None => text,
        };
        text.map(|text| Some(zoned(text)))
            .map_err(|cause| Error::new(ErrorKind::Usage, "a cell cannot be shown").caused_by(cause))
    }
}

/// A cell as JSON: numbers, truth, lists and structs as such, the rest as text.
pub(super) fn json(cells: &ArrayRef, row: usize) -> Result<Value> {
    if cells.is_null(row) {
        return Ok(Value::Null);
    }
    macro_rules! number {
        ($type:ty) => {
            cells.as_primitive::<$type>().value(row).into()
        };
    }
    Ok(match cells.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => cells.as_boolean().value(row).into(),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Utf8 => cells.as_string::<i32>().value(row).into(),
        DataType::List(_) => {
            let elements = cells.as_list::<i32>().value(row);
            (0..elements.len()).map(|place| json(&elements, place)).collect::<Result<Vec<_>>>()?.into()
        }
        DataType::Struct(fields) => {
            let columns = cells.as_struct();
            let field =
                |(place, name): (usize, &String)| Ok((name.clone(), json(columns.column(place), row)?));
            let names = fields.iter().map(|field| field.name()).enumerate();
            Value::Object(names.map(field).collect::<Result<Map<_, _>>>()?)
        }
        DataType::Map(..) => {
            let map = cells.as_map();
            let entries = map.value(row);
            let [keys, values] = [0, 1].map(|place| std::sync::Arc::clone(entries.column(place)));
            let keys = Texts::of(&keys)?;
            let entry = |place| Ok((keys.cell(place)?.unwrap_or_default(), json(&values, place)?));
            Value::Object((0..entries.len()).map(entry).collect::<Result<Map<_, _>>>()?)
        }
        _ => Texts::of(cells)?.cell(row)?.into(),
    })
}

/// Whether a column is aligned to the right.
pub(super) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

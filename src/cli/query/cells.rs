//! Cells as text and as JSON. Times are printed as Athena prints them, and NULL differs from an empty text.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow::datatypes::{
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use arrow::datatypes::{UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::kst::DAY_MS;

/// `2023-11-01 09:00:00.000`. In a column with a zone, this is the local time of the zone, followed by its name.
const TIMESTAMP: &str = "%Y-%m-%d %H:%M:%S%.3f";

const TIME: &str = "%H:%M:%S%.3f";

const OPTIONS: FormatOptions<'static> = FormatOptions::new()
    .with_null("NULL")
    .with_time_format(Some(TIME))
    .with_timestamp_format(Some(TIMESTAMP))
    .with_timestamp_tz_format(Some(TIMESTAMP));

/// Formats the cells of a column as text.
pub(super) struct Texts<'a> {
    /// The logical NULLs of the column.
    nulls: Option<NullBuffer>,
    cells: &'a ArrayRef,
    formatter: ArrayFormatter<'a>,
    zone: Option<&'a str>,
}

impl<'a> Texts<'a> {
    pub(super) fn of(cells: &'a ArrayRef) -> Result<Self> {
        let formatter = ArrayFormatter::try_new(cells.as_ref(), &OPTIONS);
        let formatter = formatter.map_err(|cause| {
            Error::bug("cannot format a column").with("type", cells.data_type()).caused_by(cause)
        })?;
        let zone = match cells.data_type() {
            DataType::Timestamp(_, zone) => zone.as_deref(),
            _ => None,
        };
        Ok(Self { nulls: cells.logical_nulls(), cells, formatter, zone })
    }

    /// Returns the cell of a row, or `None` for NULL.
    pub(super) fn cell(&self, row: usize) -> Result<Option<String>> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(None);
        }
        if let Some(text) = span(self.cells, row) {
            return Ok(Some(text));
        }
        if let Some(text) = nested(self.cells, row)? {
            return Ok(Some(text));
        }
        let text = self.formatter.value(row).try_to_string();
        let zoned = |text: String| match self.zone {
            Some(zone) => format!("{text} {zone}"),
            None if self.cells.data_type().is_floating() => text.replace("inf", "Infinity"),
            None => text,
        };
        text.map(|text| Some(zoned(text)))
            .map_err(|cause| Error::new(ErrorKind::Usage, "cannot format a cell").caused_by(cause))
    }
}

/// Formats an array, a map or a row as Athena prints it: `[1, null]`, `{a=1}`. Returns `None` for other types.
fn nested(cells: &ArrayRef, row: usize) -> Result<Option<String>> {
    let inner = |cells: &ArrayRef, row| {
        Ok::<_, Error>(Texts::of(cells)?.cell(row)?.unwrap_or_else(|| "null".to_owned()))
    };
    let parts = match cells.data_type() {
        DataType::List(_) => {
            let elements = cells.as_list::<i32>().value(row);
            let parts =
                (0..elements.len()).map(|place| inner(&elements, place)).collect::<Result<Vec<_>>>()?;
            return Ok(Some(format!("[{}]", parts.join(", "))));
        }
        DataType::Struct(fields) => {
            let columns = cells.as_struct();
            let part = |(place, field): (usize, &std::sync::Arc<arrow::datatypes::Field>)| {
                Ok(format!("{}={}", field.name(), inner(columns.column(place), row)?))
            };
            fields.iter().enumerate().map(part).collect::<Result<Vec<_>>>()?
        }
        DataType::Map(..) => {
            let entries = cells.as_map().value(row);
            let part = |place| {
                Ok(format!("{}={}", inner(entries.column(0), place)?, inner(entries.column(1), place)?))
            };
            (0..entries.len()).map(part).collect::<Result<Vec<_>>>()?
        }
        _ => return Ok(None),
    };
    Ok(Some(format!("{{{}}}", parts.join(", "))))
}

/// Converts a cell to JSON: numbers, booleans, lists, structs and maps as such, other types as text.
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
        DataType::Decimal128(..) => decimal(&Texts::of(cells)?.cell(row)?.unwrap_or_default()),
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

/// A decimal as a number, if a double has all its digits, and otherwise as text.
fn decimal(text: &str) -> Value {
    /// Digits that every double has.
    const EXACT: usize = 15;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let number = text.parse().ok().filter(|_| digits <= EXACT).and_then(serde_json::Number::from_f64);
    number.map_or_else(|| text.into(), Value::Number)
}

/// Formats an interval as Athena prints it: `0 09:00:00.000`, or `1-2` for years and months. Returns `None` for other types,
/// and for intervals that mix months with shorter units.
fn span(cells: &ArrayRef, row: usize) -> Option<String> {
    let (months, millis) = match cells.data_type() {
        DataType::Duration(TimeUnit::Second) => {
            (0, cells.as_primitive::<DurationSecondType>().value(row).checked_mul(1000)?)
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            (0, cells.as_primitive::<DurationMillisecondType>().value(row))
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            (0, cells.as_primitive::<DurationMicrosecondType>().value(row) / 1000)
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            (0, cells.as_primitive::<DurationNanosecondType>().value(row) / 1_000_000)
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let span = cells.as_primitive::<IntervalMonthDayNanoType>().value(row);
            (span.months, i64::from(span.days) * DAY_MS + span.nanoseconds / 1_000_000)
        }
        _ => return None,
    };
    if months != 0 && millis != 0 {
        return None;
    }
    let sign = if months < 0 || millis < 0 { "-" } else { "" };
    let (months, millis) = (months.unsigned_abs(), millis.unsigned_abs());
    if months != 0 {
        return Some(format!("{sign}{}-{}", months / 12, months % 12));
    }
    let (days, seconds) = (millis / DAY_MS.unsigned_abs(), millis / 1000);
    let [hour, minute, second] = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60];
    Some(format!("{sign}{days} {hour:02}:{minute:02}:{second:02}.{:03}", millis % 1000))
}

/// Returns whether a column is aligned to the right.
pub(super) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

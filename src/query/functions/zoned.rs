//! Functions that create and convert timestamps with a time zone. A zone belongs to a column, not to a row: it is constant,
//! or UTC.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, TimestampMillisecondArray};
use arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};

use super::java::mysql;
use super::moment::Moments;
use super::time::parsed_with_offset;
use super::{Argument, Function, TIME, constant, float, text_at, texts, time};
use crate::kst::UtcInstant;
use crate::query::casts::TimestampText;
use crate::query::zone::{UTC, Zone, name_of_offset};

pub(in crate::query) const AT_TIMEZONE: &str = "at_timezone";
pub(in crate::query) const WITH_TIMEZONE: &str = "with_timezone";
/// Converts a timestamp with a zone to one without, at the same instant in UTC.
pub(in crate::query) const INSTANT: &str = "instant_in_utc";
/// Converts a timestamp with a zone to one without, with the wall clock time of the zone.
pub(in crate::query) const WALL_CLOCK: &str = "wall_clock";

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        AT_TIMEZONE,
        &[Argument::Timestamp, Argument::Text],
        second_names_zone,
        |columns, data_type| rezoned(&columns[0], data_type),
    ),
    Function::new(
        WITH_TIMEZONE,
        &[Argument::Timestamp, Argument::Text],
        zone_for_clock,
        |columns, data_type| with_timezone(&columns[0], data_type),
    ),
    Function::new("as_zoned", &[Argument::Any], zone_of_any, as_zoned),
    Function::new(INSTANT, &[Argument::Timestamp], time, |columns, data_type| {
        rezoned(&columns[0], data_type)
    }),
    Function::new(WALL_CLOCK, &[Argument::Timestamp], time, |columns, _| wall_clock(&columns[0])),
    Function::new("from_unixtime", &[Argument::Float], zone_utc, from_unixtime),
    Function::new("from_unixtime_in", &[Argument::Float, Argument::Text], second_names_zone, from_unixtime),
    Function::new("to_unixtime", &[Argument::Moment], float, |columns, _| to_unixtime(&columns[0])),
    Function::new("from_iso8601_timestamp", &[Argument::Text], zone_of_iso8601, from_iso8601),
    Function::new("from_iso8601_instant", &[Argument::Text], time, from_iso8601),
    Function::new("parse_datetime", &[Argument::Text, Argument::Text], zone_of_datetime, parse_datetime),
    Function::new("parse_datetime_instant", &[Argument::Text, Argument::Text], time, parse_datetime),
];

/// Functions, and their variants that return the same instant without a zone, whatever zone each row names.
pub(in crate::query) const INSTANTS: [(&str, &str); 2] =
    [("from_iso8601_timestamp", "from_iso8601_instant"), ("parse_datetime", "parse_datetime_instant")];

/// The values of constant arguments.
type Scalars<'a> = &'a [Option<&'a ScalarValue>];

fn second_names_zone(_: &[FieldRef], scalars: Scalars<'_>) -> Result<DataType> {
    let Some(name) = constant(scalars, 1) else {
        return plan_err!("a time zone must be a constant text, for example 'Asia/Seoul'");
    };
    Ok(Zone::named(name)?.data_type())
}

fn zone_for_clock(fields: &[FieldRef], scalars: Scalars<'_>) -> Result<DataType> {
    match fields.first().map(|field| Zone::of(field.data_type())).transpose()?.flatten() {
        Some(zone) => plan_err!(
            "with_timezone takes a timestamp without time zone, but this one is in {}: use AT TIME ZONE",
            zone.name()
        ),
        None => second_names_zone(fields, scalars),
    }
}

fn zone_utc(_: &[FieldRef], _: Scalars<'_>) -> Result<DataType> {
    Ok(Zone::utc()?.data_type())
}

fn zone_of_any(fields: &[FieldRef], scalars: Scalars<'_>) -> Result<DataType> {
    let given = fields.first().map_or(&DataType::Null, |field| field.data_type());
    match (given, constant(scalars, 0)) {
        (DataType::Timestamp(..), _) => {
            Ok(Zone::of(given)?.map_or(zone_utc(fields, scalars)?, |zone| zone.data_type()))
        }
        (DataType::Date32 | DataType::Null, _) => zone_utc(fields, scalars),
        (_, Some(text)) => {
            let zone = TimestampText::parse(text).and_then(|text| text.zone);
            Ok(Zone::named(zone.unwrap_or(UTC))?.data_type())
        }
        _ => plan_err!(
            "CAST(... AS timestamp with time zone) takes a timestamp, a date or a constant text: \
             cast to a timestamp, then use with_timezone"
        ),
    }
}

/// Returns the offset that a constant text names; UTC if the text is not constant.
fn zone_of_iso8601(_: &[FieldRef], scalars: Scalars<'_>) -> Result<DataType> {
    let ahead_ms = constant(scalars, 0).and_then(iso8601).map_or(0, |(_, ahead_ms)| ahead_ms);
    Ok(Zone::named(&name_of_offset(ahead_ms))?.data_type())
}

fn zone_of_datetime(_: &[FieldRef], scalars: Scalars<'_>) -> Result<DataType> {
    let ahead_ms = match (constant(scalars, 0), constant(scalars, 1)) {
        (Some(value), Some(pattern)) => {
            parsed_with_offset(value, &mysql(pattern)?).map_or(0, |(_, ahead)| ahead)
        }
        _ => 0,
    };
    Ok(Zone::named(&name_of_offset(ahead_ms))?.data_type())
}

fn column(
    instants: impl Iterator<Item = Result<Option<UtcInstant>>>,
    data_type: &DataType,
) -> Result<ArrayRef> {
    let millis = instants.map(|instant| Ok(instant?.map(|instant| instant.0)));
    let column = millis.collect::<Result<TimestampMillisecondArray>>()?;
    Ok(Arc::new(column.with_data_type(data_type.clone())))
}

/// Returns the same instants in another zone, or without a zone.
fn rezoned(times: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let moments = Moments::of(times)?;
    column((0..moments.len()).map(|row| Ok(moments.instant(row))), data_type)
}

fn with_timezone(times: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let (moments, zone) = (Moments::of(times)?, Zone::of(data_type)?);
    let instant = |wall| zone.as_ref().map_or(Ok(wall), |zone| zone.instant(wall));
    column((0..moments.len()).map(|row| moments.instant(row).map(instant).transpose()), data_type)
}

fn wall_clock(times: &ArrayRef) -> Result<ArrayRef> {
    let moments = Moments::of(times)?;
    column((0..moments.len()).map(|row| moments.wall(row)), &TIME)
}

fn as_zoned(columns: &[ArrayRef], data_type: &DataType) -> Result<ArrayRef> {
    let given = &columns[0];
    if !given.data_type().is_string() {
        let taken = if given.data_type().is_null() { TIME } else { given.data_type().clone() };
        let millis = match taken {
            DataType::Timestamp(_, zone) => {
                DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, zone)
            }
            other => other,
        };
        return rezoned(&arrow::compute::cast(given, &millis)?, data_type);
    }
    let (given, zone) = (arrow::compute::cast(given, &DataType::Utf8)?, Zone::of(data_type)?);
    let one = |text: Option<&str>| {
        let Some(text) = text else { return Ok(None) };
        let Some(wall) = TimestampText::parse(text).and_then(|text| text.millis()) else {
            return exec_err!("'{text}' is not a timestamp: write it as 2023-11-01 00:00:00.000 Asia/Seoul");
        };
        zone.as_ref().map_or(Ok(wall), |zone| zone.instant(wall)).map(Some)
    };
    column(texts(&given).iter().map(one), data_type)
}

/// The largest number of milliseconds. A double cannot distinguish larger neighbours.
const MAX_MILLIS: f64 = 9.0e15;

fn from_unixtime(columns: &[ArrayRef], data_type: &DataType) -> Result<ArrayRef> {
    let one = |seconds: Option<f64>| {
        let Some(seconds) = seconds else { return Ok(None) };
        let millis = (seconds * 1000.0 + 0.5).floor();
        if !(-MAX_MILLIS..=MAX_MILLIS).contains(&millis) {
            return exec_err!("{seconds} seconds since 1970 is out of range");
        }
        #[expect(clippy::cast_possible_truncation, reason = "the number is whole and within the range")]
        Ok(Some(UtcInstant(millis as i64)))
    };
    column(columns[0].as_primitive::<Float64Type>().iter().map(one), data_type)
}

fn to_unixtime(times: &ArrayRef) -> Result<ArrayRef> {
    let moments = Moments::of(times)?;
    #[expect(clippy::cast_precision_loss, reason = "as Athena does")]
    let seconds = |row| moments.instant(row).map(|instant| instant.0 as f64 / 1000.0);
    Ok(Arc::new((0..moments.len()).map(seconds).collect::<Float64Array>()))
}

/// Parses an ISO 8601 time into its instant and how far its clock is ahead of UTC.
fn iso8601(text: &str) -> Option<(UtcInstant, i64)> {
    // A text without a zone is in UTC, and one without a time is midnight.
    let forms = [text.to_owned(), format!("{text}Z"), format!("{text}T00:00:00Z")];
    let instant = forms.iter().find_map(|form| UtcInstant::parse_iso8601(form))?;
    let offset = text.split_once('T').and_then(|(_, time)| Some(&time[time.find(['+', '-'])?..]));
    let wall =
        offset.and_then(|offset| UtcInstant::parse_iso8601(&format!("{}Z", text.strip_suffix(offset)?)));
    Some((instant, wall.map_or(0, |wall| wall.0 - instant.0)))
}

/// Returns the instant of a row, if its offset is that of the column's zone.
fn of_zone(parsed: (UtcInstant, i64), text: &str, zone: Option<&Zone>) -> Result<Option<UtcInstant>> {
    let (instant, ahead_ms) = parsed;
    match zone {
        Some(zone) if zone.ahead_ms(instant)? != ahead_ms => exec_err!(
            "'{text}' is not in {} like the other rows: convert all rows to one zone with AT TIME ZONE",
            zone.name()
        ),
        _ => Ok(Some(instant)),
    }
}

fn from_iso8601(columns: &[ArrayRef], data_type: &DataType) -> Result<ArrayRef> {
    let zone = Zone::of(data_type)?;
    let one = |text: Option<&str>| {
        let Some(text) = text else { return Ok(None) };
        let Some(parsed) = iso8601(text) else { return exec_err!("'{text}' is not an ISO 8601 time") };
        of_zone(parsed, text, zone.as_ref())
    };
    column(texts(&columns[0]).iter().map(one), data_type)
}

fn parse_datetime(columns: &[ArrayRef], data_type: &DataType) -> Result<ArrayRef> {
    let (values, patterns, zone) = (texts(&columns[0]), texts(&columns[1]), Zone::of(data_type)?);
    let one = |row| match (text_at(values, row), text_at(patterns, row)) {
        (Some(value), Some(pattern)) => {
            let Some(parsed) = parsed_with_offset(value, &mysql(pattern)?) else {
                return exec_err!("'{value}' is not a time in the format '{pattern}'");
            };
            of_zone(parsed, value, zone.as_ref())
        }
        _ => Ok(None),
    };
    column((0..values.len()).map(one), data_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iso_8601_time_keeps_its_offset() {
        let at = |text| UtcInstant::parse_iso8601(text).unwrap();
        for (text, instant, hours) in [
            ("2023-11-01T09:00:00+09:00", "2023-11-01T00:00:00Z", 9),
            ("2023-11-01T09:00:00.500-0330", "2023-11-01T12:30:00.500Z", -3),
            ("2023-11-01T09:00:00Z", "2023-11-01T09:00:00Z", 0),
            ("2023-11-01T09:00:00", "2023-11-01T09:00:00Z", 0),
            ("2023-11-01", "2023-11-01T00:00:00Z", 0),
        ] {
            let (found, ahead_ms) = iso8601(text).unwrap();
            assert_eq!((found, ahead_ms / 3_600_000), (at(instant), hours), "{text}");
        }
        assert_eq!(iso8601("2023-11-01T09"), None);
    }
}

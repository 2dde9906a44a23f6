//! Fields of dates and timestamps, and arithmetic in calendar units. A timestamp with a zone uses the wall clock of its zone,
//! but units below a day count elapsed time.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, PrimitiveArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use datafusion::common::{Result, exec_err};

use super::moment::Moments;
use super::{Argument, Function, same_as_last, text_at, texts, whole};
use crate::kst::{Civil, DAY_MS, UtcInstant};
use crate::query::zone::Zone;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("date_add", &[Argument::Text, Argument::Whole, Argument::Moment], same_as_last, date_add),
    Function::new("date_diff", &[Argument::Text, Argument::Moment, Argument::Moment], whole, |columns, _| {
        date_diff(columns)
    }),
    Function::new("date_trunc", &[Argument::Text, Argument::Moment], same_as_last, date_trunc),
    Function::new("time_field", &[Argument::Text, Argument::Moment], whole, |columns, _| {
        time_fields(columns)
    }),
];

/// Reads a field of a wall clock time.
type Field = fn(UtcInstant, Civil) -> i64;

/// The fields by the names that functions and `EXTRACT` use.
const FIELDS: [(&str, Field); 13] = [
    ("day", |_, civil| i64::from(civil.day)),
    ("day_of_month", |_, civil| i64::from(civil.day)),
    ("day_of_week", |wall, _| weekday(wall) + 1),
    ("day_of_year", day_of_year),
    ("dow", |wall, _| weekday(wall) + 1),
    ("doy", day_of_year),
    ("hour", |_, civil| i64::from(civil.hour)),
    ("millisecond", |_, civil| i64::from(civil.milli)),
    ("minute", |_, civil| i64::from(civil.minute)),
    ("month", |_, civil| i64::from(civil.month)),
    ("quarter", |_, civil| i64::from((civil.month - 1) / 3 + 1)),
    ("second", |_, civil| i64::from(civil.second)),
    ("year", |_, civil| i64::from(civil.year)),
];

/// Fields of a week, which are those of the week's Thursday.
const WEEK_FIELDS: [(&str, Field); 4] = [
    ("week", week_of_year),
    ("week_of_year", week_of_year),
    ("year_of_week", |_, civil| i64::from(civil.year)),
    ("yow", |_, civil| i64::from(civil.year)),
];

/// Returns the value of a field; `None` if no field has this name.
fn field_of(name: &str, wall: UtcInstant) -> Result<Option<i64>> {
    let named = |fields: &[(&str, Field)]| fields.iter().find(|(field, _)| *field == name).map(|(_, of)| *of);
    let field = named(&FIELDS).map(|field| (field, wall));
    let field = field.or_else(|| named(&WEEK_FIELDS).map(|field| (field, thursday(wall))));
    field.map(|(field, wall)| Ok(field(wall, civil(wall)?))).transpose()
}

/// Returns the day of the week, from 0 for Monday. 1970 began on a Thursday.
pub(super) fn weekday(wall: UtcInstant) -> i64 {
    (wall.0.div_euclid(DAY_MS) + 3).rem_euclid(7)
}

/// Returns the Thursday of a week. The week belongs to the year of its Thursday.
fn thursday(wall: UtcInstant) -> UtcInstant {
    wall.plus_ms((3 - weekday(wall)) * DAY_MS)
}

fn week_of_year(thursday: UtcInstant, civil: Civil) -> i64 {
    (day_of_year(thursday, civil) - 1) / 7 + 1
}

/// Returns the day of the year, from 1.
pub(super) fn day_of_year(wall: UtcInstant, _: Civil) -> i64 {
    let year = wall.civil().unwrap_or_default().year;
    let first = Civil { year, month: 1, day: 1, ..Civil::default() }.to_utc();
    first.map_or(0, |first| (wall.0 - first.0).div_euclid(DAY_MS) + 1)
}

pub(super) fn civil(wall: UtcInstant) -> Result<Civil> {
    let Some(civil) = wall.civil() else {
        return exec_err!("{} milliseconds since 1970 lie outside the years 0 to 9999", wall.0);
    };
    Ok(civil)
}

/// Parts of the UTC offset in minutes. Only a timestamp with a zone has them.
const ZONE_FIELDS: [(&str, i64); 2] = [("timezone_hour", 60), ("timezone_minute", 1)];

fn time_fields(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (names, moments) = (texts(&columns[0]), Moments::of(&columns[1])?);
    let one = |row| {
        let (Some(name), Some(wall)) = (text_at(names, row), moments.wall(row)?) else { return Ok(None) };
        if let Some((_, minutes)) = ZONE_FIELDS.iter().find(|(field, _)| *field == name) {
            let Some(ahead_ms) = moments.ahead_ms(row)? else {
                return exec_err!("{name} needs a timestamp with time zone: use AT TIME ZONE first");
            };
            let ahead = ahead_ms / 60_000;
            return Ok(Some(if *minutes == 1 { ahead % 60 } else { ahead / minutes }));
        }
        let is_of_clock = ["hour", "millisecond", "minute", "second"].contains(&name);
        if moments.is_date && is_of_clock {
            return exec_err!("a date has no {name}: cast it to a timestamp first");
        }
        let Some(value) = field_of(name, wall)? else {
            return exec_err!("'{name}' is not a date or time field");
        };
        Ok(Some(value))
    };
    Ok(Arc::new((0..names.len()).map(one).collect::<Result<Int64Array>>()?))
}

/// A unit of time: a number of milliseconds, or of months.
#[derive(Clone, Copy)]
enum Unit {
    Millis(i64),
    Months(i64),
}

impl Unit {
    fn named(name: &str) -> Result<Self> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "millisecond" => Self::Millis(1),
            "second" => Self::Millis(1000),
            "minute" => Self::Millis(60_000),
            "hour" => Self::Millis(3_600_000),
            "day" => Self::Millis(DAY_MS),
            "week" => Self::Millis(7 * DAY_MS),
            "month" => Self::Months(1),
            "quarter" => Self::Months(3),
            "year" => Self::Months(12),
            _ => {
                return exec_err!(
                    "unknown unit '{name}': use millisecond, second, minute, hour, day, week, month, quarter or year"
                );
            }
        })
    }

    /// Returns the unit for a date or timestamp. A date has no units below a day.
    fn of(name: &str, is_date: bool) -> Result<Self> {
        let unit = Self::named(name)?;
        if is_date && unit.is_of_clock() {
            return exec_err!("a date has no unit '{name}': cast it to a timestamp first");
        }
        Ok(unit)
    }

    /// Whether the unit is shorter than a day.
    fn is_of_clock(self) -> bool {
        matches!(self, Self::Millis(millis) if millis < DAY_MS)
    }

    fn add(self, count: i64, wall: UtcInstant) -> Result<UtcInstant> {
        match self {
            Self::Millis(millis) => {
                let sum = millis.checked_mul(count).and_then(|millis| wall.0.checked_add(millis));
                in_range(sum).map(UtcInstant)
            }
            Self::Months(months) => plus_months(wall, months.saturating_mul(count)),
        }
    }

    /// Counts the whole units from one time to another.
    fn between(self, from: UtcInstant, to: UtcInstant) -> Result<i64> {
        match self {
            Self::Millis(millis) => Ok(in_range(to.0.checked_sub(from.0))? / millis),
            Self::Months(months) => {
                let (a, b) = (civil(from)?, civil(to)?);
                let apart = months_of(b) - months_of(a);
                let reached = plus_months(from, apart)?;
                // The last month counts only if it is complete.
                let over = i64::from(apart > 0 && reached > to) - i64::from(apart < 0 && reached < to);
                Ok((apart - over) / months)
            }
        }
    }

    /// Returns the start of the unit that contains a time. Weeks start on Monday.
    fn floor(self, wall: UtcInstant) -> Result<UtcInstant> {
        match self {
            Self::Millis(millis) => {
                let days = if millis > DAY_MS { weekday(wall) } else { 0 };
                let since = days * DAY_MS + wall.0.rem_euclid(millis.min(DAY_MS));
                in_range(wall.0.checked_sub(since)).map(UtcInstant)
            }
            Self::Months(months) => {
                let Civil { year, month, .. } = civil(wall)?;
                let months = u32::try_from(months).unwrap_or(1);
                let first =
                    Civil { year, month: (month - 1) / months * months + 1, day: 1, ..Civil::default() };
                Ok(first.to_utc().unwrap_or(wall))
            }
        }
    }
}

/// Returns the result of checked arithmetic on milliseconds, or an error for `None`.
fn in_range(millis: Option<i64>) -> Result<i64> {
    millis.map_or_else(|| exec_err!("the result is out of range"), Ok)
}

fn months_of(civil: Civil) -> i64 {
    i64::from(civil.year) * 12 + i64::from(civil.month) - 1
}

/// Returns the same day of another month, or the last day of a shorter month.
pub(super) fn plus_months(wall: UtcInstant, count: i64) -> Result<UtcInstant> {
    let start = civil(wall)?;
    let months = months_of(start).saturating_add(count);
    let parts = (u32::try_from(months.div_euclid(12)), u32::try_from(months.rem_euclid(12) + 1));
    let (Ok(year), Ok(month)) = parts else {
        return exec_err!("the year {} is out of range", months.div_euclid(12));
    };
    let on = |day| Civil { year, month, day, ..start }.to_utc();
    let Some(instant) = (start.day.saturating_sub(3).max(1)..=start.day).rev().find_map(on) else {
        return exec_err!("the year {year} is out of range");
    };
    Ok(instant)
}

/// Changes each time of a column by a unit: on the wall clock, or by elapsed time for units below a day.
fn changed(
    units: &ArrayRef,
    times: &ArrayRef,
    data_type: &DataType,
    change: impl Fn(Unit, usize, UtcInstant) -> Result<Option<UtcInstant>>,
) -> Result<ArrayRef> {
    let (units, moments) = (texts(units), Moments::of(times)?);
    let mut last: Option<(&str, Unit)> = None;
    let one = |row| {
        let (Some(name), Some(instant)) = (text_at(units, row), moments.instant(row)) else {
            return Ok(None);
        };
        // The unit is almost always the same in all rows.
        let unit = match last {
            Some((known, unit)) if known == name => unit,
            _ => last.insert((name, Unit::of(name, moments.is_date)?)).1,
        };
        let Some(zone) = &moments.zone else { return change(unit, row, instant) };
        let wall = zone.wall(instant)?;
        let Some(reached) = change(unit, row, wall)? else { return Ok(None) };
        if unit.is_of_clock() {
            let passed = reached.0.checked_sub(wall.0);
            let instant = in_range(passed.and_then(|passed| instant.0.checked_add(passed)))?;
            return Ok(Some(UtcInstant(instant)));
        }
        zone.instant_like(reached, instant).map(Some)
    };
    column((0..moments.len()).map(one), data_type)
}

/// Builds a column of dates or timestamps.
fn column(times: impl Iterator<Item = Result<Option<UtcInstant>>>, data_type: &DataType) -> Result<ArrayRef> {
    if *data_type == DataType::Date32 {
        let day = |time: Option<UtcInstant>| match time.map(|time| i32::try_from(time.0.div_euclid(DAY_MS))) {
            Some(Err(_)) => exec_err!("the date is out of range"),
            day => Ok(day.and_then(std::result::Result::ok)),
        };
        let days = times.map(|time| time.and_then(day)).collect::<Result<PrimitiveArray<Date32Type>>>()?;
        return Ok(Arc::new(days));
    }
    let millis = times.map(|time| time.map(|time| time.map(|time| time.0)));
    let column = millis.collect::<Result<TimestampMillisecondArray>>()?;
    Ok(Arc::new(column.with_data_type(data_type.clone())))
}

fn date_add(columns: &[ArrayRef], data_type: &DataType) -> Result<ArrayRef> {
    let counts = columns[1].as_primitive::<Int64Type>();
    changed(&columns[0], &columns[2], data_type, |unit, row, time| {
        if counts.is_null(row) { Ok(None) } else { unit.add(counts.value(row), time).map(Some) }
    })
}

fn date_trunc(columns: &[ArrayRef], data_type: &DataType) -> Result<ArrayRef> {
    changed(&columns[0], &columns[1], data_type, |unit, _, time| unit.floor(time).map(Some))
}

/// Counts calendar units on the wall clock of the first argument's zone.
fn date_diff(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (units, from, to) = (texts(&columns[0]), Moments::of(&columns[1])?, Moments::of(&columns[2])?);
    let clock = match &from.zone {
        Some(zone) => zone.clone(),
        None => Zone::utc()?,
    };
    let is_date = from.is_date && to.is_date;
    let one = |row| match (text_at(units, row), from.instant(row), to.instant(row)) {
        (Some(unit), Some(from), Some(to)) => {
            let unit = Unit::of(unit, is_date)?;
            if unit.is_of_clock() {
                return unit.between(from, to).map(Some);
            }
            unit.between(clock.wall(from)?, clock.wall(to)?).map(Some)
        }
        _ => Ok(None),
    };
    Ok(Arc::new((0..units.len()).map(one).collect::<Result<Int64Array>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> UtcInstant {
        UtcInstant::parse_iso8601(text).unwrap()
    }

    #[test]
    fn units_are_added_and_counted() {
        for (unit, from, count, to) in [
            ("hour", "2023-11-01T00:00:00Z", -24, "2023-10-31T00:00:00Z"),
            ("WEEK", "2023-11-01T00:00:00Z", 1, "2023-11-08T00:00:00Z"),
            ("month", "2023-01-31T10:00:00Z", 1, "2023-02-28T10:00:00Z"),
            ("month", "2024-03-31T10:00:00Z", -1, "2024-02-29T10:00:00Z"),
            ("quarter", "2023-11-01T00:00:00Z", 1, "2024-02-01T00:00:00Z"),
            ("year", "2024-02-29T00:00:00Z", 1, "2025-02-28T00:00:00Z"),
        ] {
            let added = Unit::named(unit).unwrap().add(count, instant(from)).unwrap();
            assert_eq!(added, instant(to), "{unit} {from}");
        }
        for (unit, from, to, count) in [
            ("day", "2023-11-01T12:00:00Z", "2023-11-03T11:59:59Z", 1),
            ("day", "2023-11-03T11:59:59Z", "2023-11-01T12:00:00Z", -1),
            ("month", "2023-01-31T00:00:00Z", "2023-02-28T00:00:00Z", 1),
            ("month", "2023-01-15T00:00:00Z", "2023-02-14T23:59:59Z", 0),
            ("month", "2023-02-15T00:00:00Z", "2023-01-16T00:00:00Z", 0),
            ("year", "2023-02-15T00:00:00Z", "2025-02-14T00:00:00Z", 1),
        ] {
            let found = Unit::named(unit).unwrap().between(instant(from), instant(to)).unwrap();
            assert_eq!(found, count, "{unit} {from} {to}");
        }
        assert!(Unit::named("fortnight").is_err());
        assert!(Unit::named("year").unwrap().add(i64::MAX, instant("2023-11-01T12:00:00Z")).is_err());
        assert!(Unit::named("day").unwrap().add(i64::MAX, instant("2023-11-01T12:00:00Z")).is_err());
    }

    #[test]
    fn overflow_of_64_bits_is_an_error() {
        let [first, epoch, last] = [i64::MIN, 0, i64::MAX].map(UtcInstant);
        for name in ["millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"] {
            let unit = Unit::named(name).unwrap();
            assert!(unit.between(first, last).is_err() && unit.between(last, first).is_err(), "{name}");
            assert!(unit.add(1, last).is_err() && unit.add(-1, first).is_err(), "{name}");
            assert!(unit.add(i64::MAX, instant("2023-11-01T00:00:00Z")).is_err(), "{name}");
            assert!(unit.add(i64::MIN, instant("1969-11-01T00:00:00Z")).is_err(), "{name}");
            assert_eq!(unit.floor(first).is_ok(), name == "millisecond", "{name}");
        }
        for (unit, floor) in [
            ("second", 9_223_372_036_854_775_000),
            ("hour", 9_223_372_036_854_000_000),
            ("day", 9_223_372_036_828_800_000),
            ("week", 9_223_372_036_310_400_000),
        ] {
            let unit = Unit::named(unit).unwrap();
            assert_eq!(unit.floor(last).unwrap(), UtcInstant(floor));
        }
        let second = Unit::named("second").unwrap();
        assert_eq!(second.between(epoch, last).unwrap(), 9_223_372_036_854_775);
    }

    #[test]
    fn a_time_is_truncated_to_the_start_of_its_unit() {
        for (unit, time, expected) in [
            ("hour", "2023-11-05T10:59:59.999Z", "2023-11-05T10:00:00Z"),
            ("day", "1969-12-31T10:00:00Z", "1969-12-31T00:00:00Z"),
            ("week", "2023-11-05T10:00:00Z", "2023-10-30T00:00:00Z"),
            ("week", "2023-10-30T00:00:00Z", "2023-10-30T00:00:00Z"),
            ("month", "2023-11-05T10:00:00Z", "2023-11-01T00:00:00Z"),
            ("quarter", "2023-11-05T10:00:00Z", "2023-10-01T00:00:00Z"),
            ("year", "2023-11-05T10:00:00Z", "2023-01-01T00:00:00Z"),
        ] {
            let floor = Unit::named(unit).unwrap().floor(instant(time)).unwrap();
            assert_eq!(floor, instant(expected), "{unit} {time}");
        }
    }

    #[test]
    fn a_week_belongs_to_the_year_of_its_thursday() {
        // From the calendar: 1 January 2023 was a Sunday, 1 January 2026 a Thursday.
        for (time, week, year) in [
            ("2023-01-01T00:00:00Z", 52, 2022),
            ("2023-01-02T00:00:00Z", 1, 2023),
            ("2024-12-30T23:00:00Z", 1, 2025),
            ("2026-12-31T00:00:00Z", 53, 2026),
            ("0000-01-03T00:00:00Z", 1, 0),
        ] {
            let field = |name: &str| field_of(name, instant(time)).unwrap().unwrap();
            assert_eq!((field("week"), field("year_of_week")), (week, year), "{time}");
        }
    }
}

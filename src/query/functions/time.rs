//! Times as text and back, in MySQL's letters as Athena has them, and arithmetic in the units of a calendar.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use datafusion::common::{Result, exec_err};

use super::{Function, Takes, text, text_at, texts, time, whole};
use crate::kst::{Civil, DAY_MS, UtcInstant};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("date_format", &[Takes::Time, Takes::Text], text, |columns, _| date_format(columns)),
    Function::new("date_parse", &[Takes::Text, Takes::Text], time, |columns, _| date_parse(columns)),
    Function::new("from_iso8601_timestamp", &[Takes::Text], time, |columns, _| from_iso8601(&columns[0])),
    Function::new("to_iso8601", &[Takes::Time], text, |columns, _| to_iso8601(&columns[0])),
    Function::new("date_add", &[Takes::Text, Takes::Whole, Takes::Time], time, |columns, _| {
        date_add(columns)
    }),
    Function::new("date_diff", &[Takes::Text, Takes::Time, Takes::Time], whole, |columns, _| {
        date_diff(columns)
    }),
];

/// Letters that MySQL does not have: milliseconds, and the distance from UTC.
pub(super) const MILLIS: char = '\u{1}';
pub(super) const OFFSET: char = '\u{2}';

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn times(column: &ArrayRef) -> &TimestampMillisecondArray {
    column.as_primitive::<TimestampMillisecondType>()
}

pub(super) fn at(column: &ArrayRef, row: usize) -> Option<UtcInstant> {
    let times = times(column);
    times.is_valid(row).then(|| UtcInstant(times.value(row)))
}

fn civil(instant: UtcInstant) -> Result<Civil> {
    let Some(civil) = instant.civil() else {
        return exec_err!("{} milliseconds from 1970 lie outside the years 0 to 9999", instant.0);
    };
    Ok(civil)
}

fn date_format(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let formats = texts(&columns[1]);
    let one = |row| match (at(&columns[0], row), text_at(formats, row)) {
        (Some(instant), Some(format)) => formatted(instant, format).map(Some),
        _ => Ok(None),
    };
    let texts = (0..formats.len()).map(one).collect::<Result<StringArray>>()?;
    Ok(Arc::new(texts))
}

/// A time in MySQL's letters.
pub(super) fn formatted(instant: UtcInstant, format: &str) -> Result<String> {
    let civil = civil(instant)?;
    let weekday = WEEKDAYS[weekday(instant)];
    let month = MONTHS[civil.month as usize - 1];
    let hour12 = (civil.hour + 11) % 12 + 1;
    let half = if civil.hour < 12 { "AM" } else { "PM" };
    let mut text = String::with_capacity(format.len() * 2);
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let Some(letter) = letters.next() else { return exec_err!("the format '{format}' ends with %") };
        text += &match letter {
            'Y' => format!("{:04}", civil.year),
            'y' => format!("{:02}", civil.year % 100),
            'm' => format!("{:02}", civil.month),
            'c' => civil.month.to_string(),
            'd' => format!("{:02}", civil.day),
            'e' => civil.day.to_string(),
            'H' => format!("{:02}", civil.hour),
            'k' => civil.hour.to_string(),
            'h' | 'I' => format!("{hour12:02}"),
            'l' => hour12.to_string(),
            'i' => format!("{:02}", civil.minute),
            's' | 'S' => format!("{:02}", civil.second),
            'f' => format!("{:03}000", civil.milli),
            MILLIS => format!("{:03}", civil.milli),
            OFFSET => "+0000".to_owned(),
            'p' => half.to_owned(),
            'T' => format!("{:02}:{:02}:{:02}", civil.hour, civil.minute, civil.second),
            'r' => format!("{hour12:02}:{:02}:{:02} {half}", civil.minute, civil.second),
            'a' => weekday[..3].to_owned(),
            'W' => weekday.to_owned(),
            'b' => month[..3].to_owned(),
            'M' => month.to_owned(),
            'j' => format!("{:03}", day_of_year(instant, civil)),
            '%' => "%".to_owned(),
            'D' | 'U' | 'u' | 'V' | 'v' | 'w' | 'X' | 'x' => {
                return exec_err!("%{letter} is no letter of a format, in Athena neither");
            }
            other => other.to_string(),
        };
    }
    Ok(text)
}

/// From 0 for Monday; 1970 began on a Thursday.
fn weekday(instant: UtcInstant) -> usize {
    usize::try_from((instant.0.div_euclid(DAY_MS) + 3).rem_euclid(7)).unwrap_or_default()
}

fn day_of_year(instant: UtcInstant, civil: Civil) -> i64 {
    let first = Civil { year: civil.year, month: 1, day: 1, ..Civil::default() }.to_utc();
    first.map_or(0, |first| (instant.0 - first.0).div_euclid(DAY_MS) + 1)
}

fn date_parse(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, formats) = (texts(&columns[0]), texts(&columns[1]));
    let one = |row| match (text_at(values, row), text_at(formats, row)) {
        (Some(value), Some(format)) => {
            let Some(instant) = parsed(value, format) else {
                return exec_err!("'{value}' is no time of the form '{format}'");
            };
            Ok(Some(instant.0))
        }
        _ => Ok(None),
    };
    let times = (0..values.len()).map(one).collect::<Result<TimestampMillisecondArray>>()?;
    Ok(Arc::new(times))
}

/// Reads a time in MySQL's letters.
pub(super) fn parsed(value: &str, format: &str) -> Option<UtcInstant> {
    let mut civil = Civil { year: 1970, month: 1, day: 1, ..Civil::default() };
    let mut scan = Scan { rest: value };
    let (mut is_afternoon, mut offset_ms) = (None, 0);
    let format = format.replace("%T", "%H:%i:%s").replace("%r", "%h:%i:%s %p");
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            scan.letter(letter)?;
            continue;
        }
        match letters.next()? {
            'Y' => civil.year = scan.number(4)?,
            'y' => {
                let year = scan.number(2)?;
                civil.year = if year < 70 { 2000 + year } else { 1900 + year };
            }
            'm' | 'c' => civil.month = scan.number(2)?,
            'd' | 'e' => civil.day = scan.number(2)?,
            'H' | 'k' => civil.hour = scan.number(2)?,
            'h' | 'I' | 'l' => civil.hour = scan.number(2).filter(|hour| (1..=12).contains(hour))? % 12,
            'i' => civil.minute = scan.number(2)?,
            's' | 'S' => civil.second = scan.number(2)?,
            'f' | MILLIS => civil.milli = scan.fraction()?,
            OFFSET => offset_ms = scan.offset()?,
            'b' => civil.month = scan.name(&MONTHS.map(|month| &month[..3]))?,
            'M' => civil.month = scan.name(&MONTHS)?,
            'a' => drop(scan.name(&WEEKDAYS.map(|day| &day[..3]))?),
            'W' => drop(scan.name(&WEEKDAYS)?),
            'p' => is_afternoon = Some(scan.name(&["AM", "PM"])? == 2),
            '%' => scan.letter('%')?,
            _ => return None,
        }
    }
    if is_afternoon == Some(true) {
        civil.hour += 12;
    }
    scan.rest.is_empty().then(|| civil.to_utc()).flatten().map(|instant| instant.plus_ms(-offset_ms))
}

/// A text that is read from its front.
struct Scan<'a> {
    rest: &'a str,
}

impl Scan<'_> {
    fn letter(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn digits(&mut self, most: usize) -> Option<&str> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        Some(digits).filter(|digits| !digits.is_empty())
    }

    fn number(&mut self, most: usize) -> Option<u32> {
        self.digits(most)?.parse().ok()
    }

    fn fraction(&mut self) -> Option<u32> {
        let digits = self.digits(9)?;
        format!("{digits:0<3}")[..3].parse().ok()
    }

    /// `Z`, `+0900` or `+09:00`, in milliseconds.
    fn offset(&mut self) -> Option<i64> {
        if self.letter('Z').is_some() {
            return Some(0);
        }
        let sign = if self.letter('-').is_some() { -1 } else { self.letter('+').map(|()| 1)? };
        let hours = i64::from(self.number(2)?);
        let _ = self.letter(':');
        Some(sign * (hours * 60 + i64::from(self.number(2)?)) * 60_000)
    }

    /// The number of a name in a list, from 1, in any case.
    fn name(&mut self, names: &[&str]) -> Option<u32> {
        let fits =
            |name: &&str| self.rest.get(..name.len()).is_some_and(|front| front.eq_ignore_ascii_case(name));
        let (number, name) = (1..).zip(names).find(|(_, name)| fits(name))?;
        self.rest = &self.rest[name.len()..];
        Some(number)
    }
}

fn from_iso8601(column: &ArrayRef) -> Result<ArrayRef> {
    let one = |value: Option<&str>| {
        let Some(value) = value else { return Ok(None) };
        // What names no zone is in UTC, and what names no time is midnight.
        let forms = [value.to_owned(), format!("{value}Z"), format!("{value}T00:00:00Z")];
        let Some(instant) = forms.iter().find_map(|form| UtcInstant::parse_iso8601(form)) else {
            return exec_err!("'{value}' is no time of ISO 8601");
        };
        Ok(Some(instant.0))
    };
    Ok(Arc::new(texts(column).iter().map(one).collect::<Result<TimestampMillisecondArray>>()?))
}

fn to_iso8601(column: &ArrayRef) -> Result<ArrayRef> {
    let form = "%Y-%m-%dT%H:%i:%s";
    let one = |row| {
        let Some(instant) = at(column, row) else { return Ok(None) };
        Ok(Some(format!("{}.{:03}", formatted(instant, form)?, instant.0.rem_euclid(1000))))
    };
    Ok(Arc::new((0..column.len()).map(one).collect::<Result<StringArray>>()?))
}

/// A unit of time: so many milliseconds, or so many months.
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
                    "'{name}' is no unit: take millisecond, second, minute, hour, day, week, month, quarter or year"
                );
            }
        })
    }

    fn add(self, count: i64, instant: UtcInstant) -> Result<UtcInstant> {
        match self {
            Self::Millis(millis) => Ok(instant.plus_ms(millis.saturating_mul(count))),
            Self::Months(months) => plus_months(instant, months.saturating_mul(count)),
        }
    }

    /// Whole units from one time to another.
    fn between(self, from: UtcInstant, to: UtcInstant) -> Result<i64> {
        match self {
            Self::Millis(millis) => Ok((to.0 - from.0) / millis),
            Self::Months(months) => {
                let (a, b) = (civil(from)?, civil(to)?);
                let apart = months_of(b) - months_of(a);
                let reached = plus_months(from, apart)?;
                // The last month counts only when it is over.
                let over = i64::from(apart > 0 && reached > to) - i64::from(apart < 0 && reached < to);
                Ok((apart - over) / months)
            }
        }
    }
}

fn months_of(civil: Civil) -> i64 {
    i64::from(civil.year) * 12 + i64::from(civil.month) - 1
}

/// The same day of another month, or its last one.
fn plus_months(instant: UtcInstant, count: i64) -> Result<UtcInstant> {
    let start = civil(instant)?;
    let months = months_of(start).saturating_add(count);
    let parts = (u32::try_from(months.div_euclid(12)), u32::try_from(months.rem_euclid(12) + 1));
    let (Ok(year), Ok(month)) = parts else { return exec_err!("there is no year {}", months.div_euclid(12)) };
    let on = |day| Civil { year, month, day, ..start }.to_utc();
    let Some(instant) = (start.day.saturating_sub(3).max(1)..=start.day).rev().find_map(on) else {
        return exec_err!("there is no year {year}");
    };
    Ok(instant)
}

fn date_add(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (units, counts) = (texts(&columns[0]), columns[1].as_primitive::<Int64Type>());
    let one = |row| {
        let count = counts.is_valid(row).then(|| counts.value(row));
        match (text_at(units, row), count, at(&columns[2], row)) {
            (Some(unit), Some(count), Some(instant)) => Ok(Some(Unit::named(unit)?.add(count, instant)?.0)),
            _ => Ok(None),
        }
    };
    Ok(Arc::new((0..units.len()).map(one).collect::<Result<TimestampMillisecondArray>>()?))
}

fn date_diff(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let units = texts(&columns[0]);
    let one = |row| match (text_at(units, row), at(&columns[1], row), at(&columns[2], row)) {
        (Some(unit), Some(from), Some(to)) => Unit::named(unit)?.between(from, to).map(Some),
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
    fn a_time_is_written_in_letters_and_read_back() {
        let afternoon = instant("2023-11-01T13:04:05.678Z");
        for (format, expected) in [
            ("%Y-%m-%dT%H:%i:%sZ", "2023-11-01T13:04:05Z"),
            ("%y/%c/%e %k:%i", "23/11/1 13:04"),
            ("%W %a %M %b %j", "Wednesday Wed November Nov 305"),
            ("%h %I %l %p %r", "01 01 1 PM 01:04:05 PM"),
            ("%T.%f 100%%", "13:04:05.678000 100%"),
        ] {
            assert_eq!(formatted(afternoon, format).unwrap(), expected, "{format}");
        }
        for (value, format, expected) in [
            ("2023-11-01 13:04:05", "%Y-%m-%d %H:%i:%s", Some("2023-11-01T13:04:05Z")),
            ("01/Nov/2023:13:04:05", "%d/%b/%Y:%T", Some("2023-11-01T13:04:05Z")),
            ("20231101", "%Y%m%d", Some("2023-11-01T00:00:00Z")),
            ("1 12:30 am", "%e %h:%i %p", Some("1970-01-01T00:30:00Z")),
            ("12:30 PM", "%l:%i %p", Some("1970-01-01T12:30:00Z")),
            ("05.5", "%s.%f", Some("1970-01-01T00:00:05.500Z")),
            ("2023-02-29", "%Y-%m-%d", None),
            ("2023-11-01 x", "%Y-%m-%d", None),
            ("x", "%Y", None),
        ] {
            assert_eq!(parsed(value, format), expected.map(instant), "{value} {format}");
        }
        assert!(formatted(afternoon, "%U").is_err() && formatted(afternoon, "%").is_err());
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
    }
}

//! Formats and parses times with MySQL format letters, as Athena does.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, TimestampMillisecondArray};
use datafusion::common::{Result, exec_err};

use super::calendar::{civil, day_of_year, weekday};
use super::moment::Moments;
use super::{Argument, Function, text, text_at, texts, time};
use crate::kst::{Civil, UtcInstant};
use crate::query::zone::{UTC, name_of_offset};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("date_format", &[Argument::Moment, Argument::Text], text, |columns, _| {
        date_format(columns)
    }),
    Function::new("date_parse", &[Argument::Text, Argument::Text], time, |columns, _| date_parse(columns)),
    Function::new("to_iso8601", &[Argument::Moment], text, |columns, _| to_iso8601(&columns[0])),
];

/// Letters that MySQL lacks: milliseconds, and the UTC offset without and with a colon.
pub(super) const MILLIS: char = '\u{1}';
pub(super) const OFFSET: char = '\u{2}';
pub(super) const COLON_OFFSET: char = '\u{3}';

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn date_format(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (moments, formats) = (Moments::of(&columns[0])?, texts(&columns[1]));
    let one = |row| match (moments.wall(row)?, text_at(formats, row)) {
        (Some(wall), Some(format)) => formatted(wall, format, None).map(Some),
        _ => Ok(None),
    };
    let texts = (0..formats.len()).map(one).collect::<Result<StringArray>>()?;
    Ok(Arc::new(texts))
}

/// Formats a wall clock time with MySQL letters. `ahead_ms` is its UTC offset, if it has one.
pub(super) fn formatted(wall: UtcInstant, format: &str, ahead_ms: Option<i64>) -> Result<String> {
    let civil = civil(wall)?;
    let weekday = WEEKDAYS[usize::try_from(weekday(wall)).unwrap_or_default()];
    let month = Civil::MONTHS[civil.month as usize - 1];
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
        match letter {
            'Y' => push(&mut text, format_args!("{:04}", civil.year)),
            'y' => push(&mut text, format_args!("{:02}", civil.year % 100)),
            'm' => push(&mut text, format_args!("{:02}", civil.month)),
            'c' => push(&mut text, format_args!("{}", civil.month)),
            'd' => push(&mut text, format_args!("{:02}", civil.day)),
            'e' => push(&mut text, format_args!("{}", civil.day)),
            'H' => push(&mut text, format_args!("{:02}", civil.hour)),
            'k' => push(&mut text, format_args!("{}", civil.hour)),
            'h' | 'I' => push(&mut text, format_args!("{hour12:02}")),
            'l' => push(&mut text, format_args!("{hour12}")),
            'i' => push(&mut text, format_args!("{:02}", civil.minute)),
            's' | 'S' => push(&mut text, format_args!("{:02}", civil.second)),
            'f' => push(&mut text, format_args!("{:03}000", civil.milli)),
            MILLIS => push(&mut text, format_args!("{:03}", civil.milli)),
            OFFSET => text += &offset(ahead_ms)?.replace(':', ""),
            COLON_OFFSET => text += &offset(ahead_ms)?,
            'p' => text += half,
            'T' => push(&mut text, format_args!("{:02}:{:02}:{:02}", civil.hour, civil.minute, civil.second)),
            'r' => {
                push(&mut text, format_args!("{hour12:02}:{:02}:{:02} {half}", civil.minute, civil.second));
            }
            'a' => text += &weekday[..3],
            'W' => text += weekday,
            'b' => text += &month[..3],
            'M' => text += month,
            'j' => push(&mut text, format_args!("{:03}", day_of_year(wall, civil))),
            '%' => text.push('%'),
            'D' | 'U' | 'u' | 'V' | 'v' | 'w' | 'X' | 'x' => {
                return exec_err!("unknown format letter %{letter}, which Athena does not support either");
            }
            other => text.push(other),
        }
    }
    Ok(text)
}

fn push(text: &mut String, part: std::fmt::Arguments<'_>) {
    text.write_fmt(part).expect("a text takes every part");
}

/// Formats a UTC offset, for example `+09:00`.
fn offset(ahead_ms: Option<i64>) -> Result<String> {
    let Some(ahead_ms) = ahead_ms else {
        return exec_err!("a timestamp without time zone has no offset for 'Z': use AT TIME ZONE first");
    };
    let name = name_of_offset(ahead_ms);
    Ok(if name == UTC { "+00:00".to_owned() } else { name })
}

fn date_parse(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, formats) = (texts(&columns[0]), texts(&columns[1]));
    let one = |row| match (text_at(values, row), text_at(formats, row)) {
        (Some(value), Some(format)) => {
            let Some(instant) = parsed(value, format) else {
                return exec_err!("'{value}' is not a time in the format '{format}'");
            };
            Ok(Some(instant.0))
        }
        _ => Ok(None),
    };
    let times = (0..values.len()).map(one).collect::<Result<TimestampMillisecondArray>>()?;
    Ok(Arc::new(times))
}

/// Parses a time with MySQL letters into its wall clock time.
fn parsed(value: &str, format: &str) -> Option<UtcInstant> {
    parsed_with_offset(value, format).map(|(instant, ahead_ms)| instant.plus_ms(ahead_ms))
}

/// Parses a time with MySQL letters into its instant and how far its clock is ahead of UTC.
pub(super) fn parsed_with_offset(value: &str, format: &str) -> Option<(UtcInstant, i64)> {
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
            OFFSET | COLON_OFFSET => offset_ms = scan.offset()?,
            'b' => civil.month = scan.name(&Civil::MONTHS.map(|month| &month[..3]))?,
            'M' => civil.month = scan.name(&Civil::MONTHS)?,
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
    let wall = scan.rest.is_empty().then(|| civil.to_utc()).flatten()?;
    Some((wall.plus_ms(-offset_ms), offset_ms))
}

/// Reads a text from its start.
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

    /// Reads `Z`, `+0900` or `+09:00` as milliseconds.
    fn offset(&mut self) -> Option<i64> {
        if self.letter('Z').is_some() {
            return Some(0);
        }
        let sign = if self.letter('-').is_some() { -1 } else { self.letter('+').map(|()| 1)? };
        let hours = i64::from(self.number(2)?);
        let _ = self.letter(':');
        Some(sign * (hours * 60 + i64::from(self.number(2)?)) * 60_000)
    }

    /// Reads a name in any case and returns its position in the list, from 1.
    fn name(&mut self, names: &[&str]) -> Option<u32> {
        let fits =
            |name: &&str| self.rest.get(..name.len()).is_some_and(|front| front.eq_ignore_ascii_case(name));
        let (number, name) = (1..).zip(names).find(|(_, name)| fits(name))?;
        self.rest = &self.rest[name.len()..];
        Some(number)
    }
}

fn to_iso8601(column: &ArrayRef) -> Result<ArrayRef> {
    let moments = Moments::of(column)?;
    let form = if moments.is_date { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%i:%s." };
    let one = |row| {
        let Some(wall) = moments.wall(row)? else { return Ok(None) };
        let date = formatted(wall, form, None)?;
        if moments.is_date {
            return Ok(Some(date));
        }
        let zone = match moments.ahead_ms(row)? {
            Some(0) => "Z".to_owned(),
            Some(ahead_ms) => name_of_offset(ahead_ms),
            None => String::new(),
        };
        Ok(Some(format!("{date}{:03}{zone}", wall.0.rem_euclid(1000))))
    };
    Ok(Arc::new((0..column.len()).map(one).collect::<Result<StringArray>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> UtcInstant {
        UtcInstant::parse_iso8601(text).unwrap()
    }

    #[test]
    fn times_are_formatted_and_parsed() {
        let afternoon = instant("2023-11-01T13:04:05.678Z");
        for (format, expected) in [
            ("%Y-%m-%dT%H:%i:%sZ", "2023-11-01T13:04:05Z"),
            ("%y/%c/%e %k:%i", "23/11/1 13:04"),
            ("%W %a %M %b %j", "Wednesday Wed November Nov 305"),
            ("%h %I %l %p %r", "01 01 1 PM 01:04:05 PM"),
            ("%T.%f 100%%", "13:04:05.678000 100%"),
        ] {
            assert_eq!(formatted(afternoon, format, None).unwrap(), expected, "{format}");
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
        assert!(formatted(afternoon, "%U", None).is_err() && formatted(afternoon, "%", None).is_err());
    }
}

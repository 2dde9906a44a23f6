//! Dates of the calendar: from and to days since 1970-01-01, and from decimal digits.

use super::{DAY_MS, UtcInstant};

/// A calendar date and a time of day. Conversion to an instant fails if a part is out of range.
#[derive(Debug, Clone, Copy, Default)]
pub struct Civil {
    /// Year, 0 to 9999.
    pub year: u32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month, from 1.
    pub day: u32,
    /// Hour, 0 to 23.
    pub hour: u32,
    /// Minute, 0 to 59.
    pub minute: u32,
    /// Second, 0 to 60. A leap second counts as the second before it, so it remains in its day.
    pub second: u32,
    /// Millisecond, 0 to 999.
    pub milli: u32,
}

impl Civil {
    /// The English names of the months, from January.
    pub const MONTHS: [&'static str; 12] = [
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

    /// The instant at which a UTC clock shows this date and time, or `None` if they do not exist.
    #[must_use]
    pub fn to_utc(self) -> Option<UtcInstant> {
        let date_ok = (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
            && self.year <= 9999;
        let time_ok = self.hour < 24 && self.minute < 60 && self.second <= 60 && self.milli < 1000;
        if !(date_ok && time_ok) {
            return None;
        }
        let days = days_from_civil(i64::from(self.year), i64::from(self.month), i64::from(self.day));
        let seconds = i64::from(self.hour * 3600 + self.minute * 60 + self.second.min(59));
        Some(UtcInstant(days * DAY_MS + seconds * 1000 + i64::from(self.milli)))
    }
}

/// Reads fixed-width decimal fields from left to right.
pub(super) struct Digits<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl Digits<'_> {
    pub(super) fn number(&mut self, width: usize) -> Option<u32> {
        let field = self.bytes.get(self.at..self.at + width)?;
        self.at += width;
        field
            .iter()
            .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u32::from(digit - b'0')))
    }

    pub(super) fn separator(&mut self, byte: u8, wanted: bool) -> Option<()> {
        if wanted {
            (self.bytes.get(self.at) == Some(&byte)).then_some(())?;
            self.at += 1;
        }
        Some(())
    }

    /// Reads `.5`, `.123`, `.123456789` or nothing, in whole milliseconds; finer digits are cut.
    pub(super) fn fraction(&mut self) -> Option<u32> {
        if self.bytes.get(self.at) != Some(&b'.') {
            return Some(0);
        }
        self.at += 1;
        let rest = self.bytes.get(self.at..)?;
        let width = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if width == 0 {
            return None;
        }
        let millis = (0..3).fold(0, |value, place| {
            value * 10 + rest[..width].get(place).map_or(0, |digit| u32::from(digit - b'0'))
        });
        self.at += width;
        Some(millis)
    }

    /// Reads `Z`, `+09:00`, `+0900` or `+09` up to the end of the text, in milliseconds east of UTC.
    pub(super) fn offset(&mut self) -> Option<i64> {
        let sign = match self.bytes.get(self.at)? {
            b'Z' => return (self.at + 1 == self.bytes.len()).then_some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.at += 1;
        let hours = self.number(2)?;
        if self.bytes.get(self.at) == Some(&b':') {
            self.at += 1;
        }
        let minutes = if self.at_end() { 0 } else { self.number(2)? };
        (self.at_end() && hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes) * 60_000)
    }

    pub(super) fn at_end(&self) -> bool {
        self.at == self.bytes.len()
    }
}

pub(super) fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
///
/// Years are counted from March, so the leap day comes last, in eras of 400 years (146,097 days).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
pub(super) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

//! The calendar, and the time formats of logs and object names.
//!
//! A time is a number of seconds since 1970 in UTC. The calendar is proleptic Gregorian, in integer arithmetic. Its years
//! begin in March, so that a leap day is the last day of its year. 400 years are an era, after which the lengths of years
//! repeat. The first day of 1970 is 719,468 days after the first day of era 0. The system clock is not read.

/// Seconds of a minute, an hour and a day.
pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Month names in access lines.
const MONTHS: &[&str] = &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Parses a KST date and returns the time at which the day begins.
pub(crate) fn kst_day(text: &str) -> Result<i64, String> {
    let parts: Option<Vec<i64>> = text.split('-').map(|part| part.parse().ok()).collect();
    let Some(&[year, month, day]) = parts.as_deref() else { return Err("not of the form YYYY-MM-DD".into()) };
    let begin = days(year, month, day) * DAY;
    let exists = clock(begin)[..3] == [year, month, day];
    exists.then_some(begin - 9 * HOUR).ok_or_else(|| "no such day".into())
}

/// `2023-10-31T15:00:00Z`
pub(crate) fn iso(time: i64) -> String {
    let [year, month, day, hour, minute, second] = clock(time);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `2023-10-31T15:00:00.000123Z`
pub(crate) fn micros(time: i64, micros: u32) -> String {
    iso(time).replace('Z', &format!(".{micros:06}Z"))
}

/// `2023-10-31T15:00:00.123Z`
pub(crate) fn millis(time: i64, millis: u32) -> String {
    iso(time).replace('Z', &format!(".{millis:03}Z"))
}

/// `20231031T150000Z`
pub(crate) fn basic(time: i64) -> String {
    iso(time).replace(['-', ':'], "")
}

/// `20231031T1500Z`
pub(crate) fn minute(time: i64) -> String {
    format!("{}Z", &basic(time)[..13])
}

/// `2023/10/31`
pub(crate) fn folder(time: i64) -> String {
    iso(time)[..10].replace('-', "/")
}

/// `31/Oct/2023:15:00:00 +0000`
pub(crate) fn common_log(time: i64) -> String {
    let [year, month, day, hour, minute, second] = clock(time);
    let name = MONTHS[usize::try_from(month - 1).expect("months count from 1")];
    format!("{day:02}/{name}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000")
}

/// Splits a time into year, month, day, hour, minute and second.
fn clock(time: i64) -> [i64; 6] {
    let (days, second) = (time.div_euclid(DAY) + 719_468, time.rem_euclid(DAY));
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // From March on, months have 31 and 30 days in turn: 153 days in each group of five.
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let day = of_year - (153 * march + 2) / 5 + 1;
    [year, month, day, second / HOUR, second % HOUR / MINUTE, second % MINUTE]
}

/// Returns the number of days from 1970-01-01 to a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * march + 2) / 5 + day - 1 - 719_468
}

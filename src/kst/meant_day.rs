//! The day that a text in another form probably means.
//!
//! The text is never taken for the day: a hint names what to write instead.

use super::civil::days_in_month;
use super::{Civil, KstDay, UtcInstant};

/// The forms of a day.
const FORMS: &str = "write a KST day as 2023-11-01, 20231101, yesterday or today";

/// Returns the hint for a text that is not a day.
pub(super) fn hint(text: &str) -> String {
    if let Some(instant) = UtcInstant::parse_iso8601(text) {
        let day = KstDay::of(instant);
        return format!("pass {day}: this instant is in KST day {day}");
    }
    if let Some(day) = day_before_time(text) {
        return format!("write the KST day alone: {day}");
    }
    let word = text.to_ascii_lowercase();
    if ["today", "yesterday"].contains(&word.as_str()) {
        return format!("write it in lower case: {word}");
    }
    match parts(text).as_deref() {
        Some([year, month]) => month_hint(*year, *month),
        Some([year, month, day]) if *year >= 1000 => date_hint(*year, *month, *day),
        Some([one, other, year]) if *year >= 1000 => year_last_hint(*one, *other, *year),
        _ => None,
    }
    .unwrap_or_else(|| FORMS.to_owned())
}

/// The day of a text such as `2023-11-01 10:00`, which names no time zone.
fn day_before_time(text: &str) -> Option<KstDay> {
    let (day, time) = text.split_once(['T', ' '])?;
    day.parse().ok().filter(|_| time.contains(':'))
}

/// The numbers of a date that has separators or is written in eight digits, or of a month.
fn parts(text: &str) -> Option<Vec<u32>> {
    let pieces: Vec<&str> = match text.len() {
        8 if text.bytes().all(|byte| byte.is_ascii_digit()) => vec![&text[..4], &text[4..6], &text[6..]],
        6 if text.bytes().all(|byte| byte.is_ascii_digit()) => vec![&text[..4], &text[4..]],
        _ => text.split(['-', '/', '.', '_', ' ']).collect(),
    };
    pieces.into_iter().map(|piece| piece.parse().ok()).collect()
}

fn month_hint(year: u32, month: u32) -> Option<String> {
    let (first, last) = (day_of(year, month, 1)?, day_of(year, month, days_in_month(year, month))?);
    Some(format!("a month is a range of days: 'logmill backfill --from {first} --to {last}'"))
}

fn date_hint(year: u32, month: u32, day: u32) -> Option<String> {
    if let Some(meant) = day_of(year, month, day) {
        return Some(format!("write it as {meant}"));
    }
    day_of(year, month, 1)?;
    Some(format!("{year:04}-{month:02} has {} days", days_in_month(year, month)))
}

fn year_last_hint(one: u32, other: u32, year: u32) -> Option<String> {
    let dates = [day_of(year, one, other), day_of(year, other, one)];
    let mut dates: Vec<String> = dates.into_iter().flatten().map(|day| day.to_string()).collect();
    dates.dedup();
    (!dates.is_empty()).then(|| format!("write the year first: {}", dates.join(" or ")))
}

fn day_of(year: u32, month: u32, day: u32) -> Option<KstDay> {
    let civil = Civil { year, month, day, ..Civil::default() };
    // The calendar date alone, not the instant: the midnight of a UTC date falls into the KST day of the same date.
    (1000..=9999).contains(&year).then(|| civil.to_utc()).flatten().map(KstDay::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_day_that_was_meant() {
        for (text, expected) in [
            ("2023/11/01", "write it as 2023-11-01"),
            ("2023.11.1", "write it as 2023-11-01"),
            ("2023-1-1", "write it as 2023-01-01"),
            ("2023-11-31", "2023-11 has 30 days"),
            ("20230229", "2023-02 has 28 days"),
            ("11-01-2023", "write the year first: 2023-11-01 or 2023-01-11"),
            ("25/12/2023", "write the year first: 2023-12-25"),
            ("01.01.2023", "write the year first: 2023-01-01"),
            ("2023-02", "a month is a range of days: 'logmill backfill --from 2023-02-01 --to 2023-02-28'"),
            ("202312", "a month is a range of days: 'logmill backfill --from 2023-12-01 --to 2023-12-31'"),
            ("2023-11-01T00:00:00Z", "pass 2023-11-01: this instant is in KST day 2023-11-01"),
            ("2023-10-31T15:00:00Z", "pass 2023-11-01: this instant is in KST day 2023-11-01"),
            ("2023-11-01T00:00:00+09:00", "pass 2023-11-01: this instant is in KST day 2023-11-01"),
            ("2023-11-01 10:00", "write the KST day alone: 2023-11-01"),
            ("Today", "write it in lower case: today"),
            ("tomorrow", FORMS),
            ("-1d", FORMS),
            ("2023-13-01", FORMS),
            ("23-11-01", FORMS),
            ("", FORMS),
            ("２０２３-11-01", FORMS),
            ("99999999999-1-1", FORMS),
        ] {
            assert_eq!(hint(text), expected, "{text}");
        }
    }
}

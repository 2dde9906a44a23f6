//! Korean days and UTC instants. Only this module knows the +09:00 offset.
//!
//! Korea has kept one offset without daylight saving time since 1988, so a KST day is plain arithmetic on UTC, and the
//! host's time zone is never used. Nothing here reads a clock: callers that need "now" pass it in.

mod civil;
mod meant_day;

pub use civil::Civil;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use self::civil::{Digits, civil_from_days};
use crate::error::{Error, ErrorKind, Result};

/// Milliseconds by which the Korean wall clock is ahead of UTC.
pub const KST_OFFSET_MS: i64 = 9 * 3_600_000;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcInstant(pub i64);

impl UtcInstant {
    /// Parses an ISO 8601 instant, extended (`2023-07-19T21:17:28Z`) or basic (`20131102T010628Z`), with an optional
    /// fraction of a second and `Z` or a numeric offset. A time without a zone is not an instant and gives `None`.
    #[must_use]
    pub fn parse_iso8601(text: &str) -> Option<Self> {
        let mut scan = Digits { bytes: text.as_bytes(), at: 0 };
        let clock = Self::on_a_clock(&mut scan)?;
        Some(Self(clock.0 - scan.offset()?))
    }

    /// Parses a time that is known to be in UTC, in the same forms, with `Z` or without a zone.
    #[must_use]
    pub fn parse_utc(text: &str) -> Option<Self> {
        let mut scan = Digits { bytes: text.strip_suffix('Z').unwrap_or(text).as_bytes(), at: 0 };
        Self::on_a_clock(&mut scan).filter(|_| scan.at_end())
    }

    /// Parses a date and a time without their zone, as if they were in UTC.
    fn on_a_clock(scan: &mut Digits<'_>) -> Option<Self> {
        let extended = scan.bytes.get(4) == Some(&b'-');
        let mut civil = Civil { year: scan.number(4)?, ..Civil::default() };
        scan.separator(b'-', extended)?;
        civil.month = scan.number(2)?;
        scan.separator(b'-', extended)?;
        civil.day = scan.number(2)?;
        scan.separator(b'T', true)?;
        civil.hour = scan.number(2)?;
        scan.separator(b':', extended)?;
        civil.minute = scan.number(2)?;
        scan.separator(b':', extended)?;
        civil.second = scan.number(2)?;
        civil.milli = scan.fraction()?;
        civil.to_utc()
    }

    /// The date and time on a UTC clock: the inverse of [`Civil::to_utc`]. `None` outside the years 0 to 9999.
    #[must_use]
    pub fn civil(self) -> Option<Civil> {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MS));
        let in_day = u32::try_from(self.0.rem_euclid(DAY_MS)).ok()?;
        let year = u32::try_from(year).ok().filter(|year| *year <= 9999)?;
        let [month, day] = [month, day].map(|part| u32::try_from(part).unwrap_or_default());
        let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
        Some(Civil { year, month, day, hour, minute, second: in_day / 1000 % 60, milli: in_day % 1000 })
    }

    /// The same moment on a Korean wall clock, in milliseconds without a zone.
    #[must_use]
    pub fn kst_wall_clock_ms(self) -> i64 {
        self.0.saturating_add(KST_OFFSET_MS)
    }

    /// The UTC midnight at or before this instant.
    #[must_use]
    pub fn utc_midnight(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(DAY_MS)))
    }

    /// This instant plus `millis`.
    #[must_use]
    pub fn plus_ms(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Display for UtcInstant {
    /// `2023-10-31T15:00:00Z`, with milliseconds only if they are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MS));
        let millis = self.0.rem_euclid(DAY_MS);
        let (hour, minute, second) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match millis % 1000 {
            0 => write!(f, "Z"),
            rest => write!(f, ".{rest:03}Z"),
        }
    }
}

/// A calendar day in Korea.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KstDay {
    days_since_epoch: i64,
}

impl KstDay {
    /// The last day with a four-digit year: 9999-12-31.
    pub const LAST: Self = Self { days_since_epoch: 2_932_896 };

    /// The Korean day that contains an instant.
    #[must_use]
    pub fn of(instant: UtcInstant) -> Self {
        Self { days_since_epoch: instant.kst_wall_clock_ms().div_euclid(DAY_MS) }
    }

    /// Parses `2023-11-01`, `20231101`, `today` or `yesterday`; the last two are relative to `now` in Korea.
    pub fn parse(text: &str, now: UtcInstant) -> Result<Self> {
        match text {
            "today" => Ok(Self::of(now)),
            "yesterday" => Ok(Self::of(now).previous()),
            _ => text.parse(),
        }
    }

    /// The day before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self { days_since_epoch: self.days_since_epoch - 1 }
    }

    /// The day `days` before.
    #[must_use]
    pub fn minus_days(self, days: i64) -> Self {
        Self { days_since_epoch: self.days_since_epoch - days }
    }

    /// The day after.
    #[must_use]
    pub fn next(self) -> Self {
        Self { days_since_epoch: self.days_since_epoch + 1 }
    }

    /// The half-open UTC interval of this day.
    #[must_use]
    pub fn window(self) -> UtcWindow {
        let start = self.days_since_epoch * DAY_MS - KST_OFFSET_MS;
        UtcWindow { start: UtcInstant(start), end: UtcInstant(start + DAY_MS) }
    }

    /// The partition value, `20231101`.
    #[must_use]
    pub fn proc_ymd(self) -> String {
        self.to_string().replace('-', "")
    }
}

impl fmt::Display for KstDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.days_since_epoch);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for KstDay {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let extended = text.len() == 10;
        let mut scan = Digits { bytes: text.as_bytes(), at: 0 };
        let mut date = || {
            let year = scan.number(4)?;
            scan.separator(b'-', extended)?;
            let month = scan.number(2)?;
            scan.separator(b'-', extended)?;
            let day = scan.number(2)?;
            scan.at_end().then_some(Civil { year, month, day, ..Civil::default() })
        };
        let midnight = date().and_then(Civil::to_utc).ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("'{text}' is not a day")).hint(meant_day::hint(text))
        })?;
        Ok(Self { days_since_epoch: midnight.0.div_euclid(DAY_MS) })
    }
}

/// Consecutive days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRange {
    /// The first day.
    pub first: KstDay,
    /// The last day; the range is empty if this is before the first day.
    pub last: KstDay,
}

impl DayRange {
    /// Every day on which an instant written as text can fall: years 0 to 9999, with a margin for time zones.
    pub const EVER: Self =
        Self { first: KstDay { days_since_epoch: -719_529 }, last: KstDay { days_since_epoch: 2_932_898 } };

    /// A range of one day.
    #[must_use]
    pub fn only(day: KstDay) -> Self {
        Self { first: day, last: day }
    }

    /// The days from that of `start` to that of `end`.
    #[must_use]
    pub fn between(start: UtcInstant, end: UtcInstant) -> Self {
        Self { first: KstDay::of(start), last: KstDay::of(end) }
    }

    /// The days in both ranges, if any.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        let shared = Self { first: self.first.max(other.first), last: self.last.min(other.last) };
        (shared.first <= shared.last).then_some(shared)
    }

    /// The days from the first to the last day of both ranges.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// Whether the range contains a day.
    #[must_use]
    pub fn contains(self, day: KstDay) -> bool {
        self.first <= day && day <= self.last
    }

    /// The days, in order.
    #[must_use]
    pub fn days(self) -> impl DoubleEndedIterator<Item = KstDay> + use<> {
        (self.first.days_since_epoch..=self.last.days_since_epoch)
            .map(|days_since_epoch| KstDay { days_since_epoch })
    }

    /// The half-open UTC interval of the days.
    #[must_use]
    pub fn window(self) -> UtcWindow {
        UtcWindow { start: self.first.window().start, end: self.last.window().end }
    }
}

impl fmt::Display for DayRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.first, self.last)
    }
}

impl TryFrom<String> for KstDay {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<KstDay> for String {
    fn from(day: KstDay) -> Self {
        day.to_string()
    }
}

/// A half-open UTC interval: `start` belongs to it, `end` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UtcWindow {
    /// First instant inside.
    pub start: UtcInstant,
    /// First instant after it.
    pub end: UtcInstant,
}

impl UtcWindow {
    /// Whether the interval contains an instant.
    #[must_use]
    pub fn contains(self, instant: UtcInstant) -> bool {
        self.start <= instant && instant < self.end
    }

    /// Whether the two intervals share an instant.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.start.max(other.start) < self.end.min(other.end)
    }

    /// The instants in both intervals. If the two do not overlap, the result is empty: its end equals its start.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        let start = self.start.max(other.start);
        Self { start, end: self.end.min(other.end).max(start) }
    }

    /// The same start, with the end `millis` later.
    #[must_use]
    pub fn extended_by(self, millis: i64) -> Self {
        Self { start: self.start, end: self.end.plus_ms(millis) }
    }

    /// The midnights that begin its UTC calendar days; the first one is at or before its start.
    pub fn utc_midnights(self) -> impl Iterator<Item = UtcInstant> + use<> {
        std::iter::successors(Some(self.start.utc_midnight()), |at| Some(at.plus_ms(DAY_MS)))
            .take_while(move |at| *at < self.end)
    }

    /// The UTC calendar day that begins at `midnight`.
    #[must_use]
    pub fn utc_day_from(midnight: UtcInstant) -> Self {
        Self { start: midnight, end: midnight.plus_ms(DAY_MS) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> KstDay {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_day_ends_the_year_9999() {
        assert_eq!(KstDay::LAST.to_string(), "9999-12-31");
    }

    #[test]
    fn a_kst_day_starts_at_15_utc_on_the_day_before() {
        let window = day("2023-11-01").window();
        assert_eq!(window.start.to_string(), "2023-10-31T15:00:00Z");
        assert_eq!(window.end.to_string(), "2023-11-01T15:00:00Z");
        assert_eq!(day("20240229").window().start.to_string(), "2024-02-28T15:00:00Z");
    }

    #[test]
    fn instants_at_the_edges_belong_to_the_right_day() {
        let at = |text| KstDay::of(UtcInstant::parse_iso8601(text).unwrap()).to_string();
        assert_eq!(at("2023-10-31T14:59:59.999Z"), "2023-10-31");
        assert_eq!(at("2023-10-31T15:00:00Z"), "2023-11-01");
        assert_eq!(at("2023-11-01T14:59:59Z"), "2023-11-01");
        assert_eq!(at("2023-11-01T15:00:00Z"), "2023-11-02");
        assert_eq!(at("1969-12-31T15:00:00Z"), "1970-01-01");
    }

    #[test]
    fn every_documented_form_of_a_day_is_parsed() {
        let now = UtcInstant::parse_iso8601("2023-10-31T15:00:00Z").unwrap();
        for (text, expected) in [
            ("2023-11-01", "20231101"),
            ("20231101", "20231101"),
            ("today", "20231101"),
            ("yesterday", "20231031"),
        ] {
            assert_eq!(KstDay::parse(text, now).unwrap().proc_ymd(), expected, "{text}");
        }
        for bad in ["2023-02-29", "2023-1-1", "20231301", "2023-11-01T00", "tomorrow", "", "２０２３"] {
            assert!(KstDay::parse(bad, now).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_form_of_an_instant_in_cloudtrail_is_parsed() {
        for (text, expected) in [
            ("2023-07-19T21:17:28Z", Some("2023-07-19T21:17:28Z")),
            ("20131102T010628Z", Some("2013-11-02T01:06:28Z")),
            ("2023-07-19T21:17:28.1239Z", Some("2023-07-19T21:17:28.123Z")),
            ("2023-07-19T21:17:28.5Z", Some("2023-07-19T21:17:28.500Z")),
            ("2023-07-20T06:17:28+09:00", Some("2023-07-19T21:17:28Z")),
            ("2023-07-19T14:17:28-0700", Some("2023-07-19T21:17:28Z")),
            ("2016-12-31T23:59:60Z", Some("2016-12-31T23:59:59Z")),
            ("2023-07-19T21:17:28", None),
            ("2023-07-19 21:17:28Z", None),
            ("2023-07-19T21:17:28.Z", None),
            ("2023-07-19T24:00:00Z", None),
            ("2023-07-19T21:17:28Zx", None),
            ("2023-0719T211728Z", None),
            ("...", None),
            ("", None),
        ] {
            let parsed = UtcInstant::parse_iso8601(text).map(|instant| instant.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_can_be_known_to_be_in_utc() {
        for (text, expected) in [
            ("2023-07-19T21:17:28", Some("2023-07-19T21:17:28Z")),
            ("2023-07-19T21:17:28Z", Some("2023-07-19T21:17:28Z")),
            ("2023-07-19T21:17:28.1239", Some("2023-07-19T21:17:28.123Z")),
            ("2023-07-19T21:17:28+09:00", None),
            ("2023-07-19T21:17:28ZZ", None),
            ("2023-07-19T21:17", None),
        ] {
            let parsed = UtcInstant::parse_utc(text).map(|instant| instant.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_range_includes_both_ends() {
        let range = DayRange { first: day("2023-10-31"), last: day("2023-11-02") };
        let days: Vec<String> = range.days().map(KstDay::proc_ymd).collect();
        assert_eq!(days, ["20231031", "20231101", "20231102"]);
        assert_eq!(range.window().start, day("2023-10-31").window().start);
        assert_eq!(range.window().end, day("2023-11-03").window().start);
        let midnights: Vec<String> = range.window().utc_midnights().map(|at| at.to_string()).collect();
        assert_eq!(midnights.len(), 4);
        assert_eq!(midnights[0], "2023-10-30T00:00:00Z");
        assert!(DayRange { first: day("2023-11-02"), last: day("2023-11-01") }.days().next().is_none());
    }

    #[test]
    fn the_smallest_and_largest_instants_do_not_overflow() {
        let [first, last] = [i64::MIN, i64::MAX].map(UtcInstant);
        assert_eq!((first.utc_midnight(), last.kst_wall_clock_ms()), (first, i64::MAX));
        assert_eq!(last.utc_midnight(), UtcInstant(9_223_372_036_828_800_000));
        assert!(first.civil().is_none() && last.civil().is_none());
        assert!(KstDay::of(first) < KstDay::of(last));
        assert_ne!(first.to_string(), last.to_string());
    }

    #[test]
    fn every_instant_written_as_text_falls_on_a_known_day() {
        for text in ["0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"] {
            let day = KstDay::of(UtcInstant::parse_iso8601(text).unwrap());
            assert!(DayRange::EVER.contains(day), "{text}");
        }
    }

    proptest! {
        #[test]
        fn days_survive_a_round_trip_through_text(days in -20_000_i64..40_000) {
            let original = KstDay { days_since_epoch: days };
            prop_assert_eq!(day(&original.to_string()), original);
            prop_assert_eq!(day(&original.proc_ymd()), original);
            prop_assert_eq!(KstDay::of(original.window().start), original);
            prop_assert_eq!(KstDay::of(original.window().end), original.next());
        }

        #[test]
        fn instants_survive_a_round_trip_through_text(millis in 0_i64..4_102_444_800_000) {
            let text = UtcInstant(millis).to_string();
            prop_assert_eq!(UtcInstant::parse_iso8601(&text), Some(UtcInstant(millis)));
        }

        #[test]
        fn instants_survive_a_round_trip_through_civil_time(millis in -62_167_219_200_000_i64..253_402_300_800_000) {
            let civil = UtcInstant(millis).civil();
            prop_assert_eq!(civil.and_then(Civil::to_utc), Some(UtcInstant(millis)));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
            let _ = UtcInstant::parse_iso8601(&text);
            let _ = text.parse::<KstDay>();
        }
    }
}

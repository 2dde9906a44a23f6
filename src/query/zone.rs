//! Converts between instants and wall clock times of a time zone.
//!
//! The session of a query is in UTC, as in Athena: a timestamp without a zone counts as UTC if it needs one.

use std::fmt;

use arrow::array::timezone::Tz;
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, LocalResult, Offset, TimeZone};
use datafusion::common::{Result, exec_err, plan_err};

use crate::kst::UtcInstant;

/// The name of the session's zone.
pub(super) const UTC: &str = "UTC";

/// Other names of UTC, in lower case and without `etc/`. Athena prints all of them as `UTC`.
const NAMES_OF_UTC: [&str; 10] =
    ["utc", "z", "ut", "uct", "gmt", "gmt0", "greenwich", "universal", "zulu", "+00:00"];

/// The largest UTC offset that Athena accepts, in minutes.
const MAX_MINUTES: u32 = 14 * 60;

/// A time zone.
#[derive(Clone)]
pub(super) struct Zone {
    name: String,
    tz: Tz,
}

impl Zone {
    /// Returns the zone with a name, for example `Asia/Seoul`, `+09:00` or `UTC`.
    pub(super) fn named(name: &str) -> Result<Self> {
        let lower = name.to_ascii_lowercase();
        let lower = lower.strip_prefix("etc/").unwrap_or(&lower);
        let name = if NAMES_OF_UTC.contains(&lower) || name == "-00:00" { UTC } else { name };
        let is_known_form = !name.starts_with(['+', '-']) || is_offset(name);
        let Some(tz) = name.parse::<Tz>().ok().filter(|_| is_known_form) else {
            return plan_err!(
                "'{name}' is not a time zone: write a name ('Asia/Seoul'), an offset ('+09:00') or 'UTC'"
            );
        };
        Ok(Self { name: name.to_owned(), tz })
    }

    /// Returns the session's zone.
    pub(super) fn utc() -> Result<Self> {
        Self::named(UTC)
    }

    /// Returns the zone of a type; `None` if it has none.
    pub(super) fn of(data_type: &DataType) -> Result<Option<Self>> {
        match data_type {
            DataType::Timestamp(_, Some(name)) => Self::named(name).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns the type of timestamps in this zone.
    pub(super) fn data_type(&self) -> DataType {
        DataType::Timestamp(TimeUnit::Millisecond, Some(self.name.as_str().into()))
    }

    /// Returns the name, as Athena prints it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns how far wall clocks are ahead of UTC at an instant, in milliseconds.
    pub(super) fn ahead_ms(&self, at: UtcInstant) -> Result<i64> {
        let Some(time) = DateTime::from_timestamp_millis(at.0) else { return out_of_range(at) };
        let offset = self.tz.offset_from_utc_datetime(&time.naive_utc()).fix();
        Ok(i64::from(offset.local_minus_utc()) * 1000)
    }

    /// Returns the wall clock time at an instant.
    pub(super) fn wall(&self, at: UtcInstant) -> Result<UtcInstant> {
        Ok(at.plus_ms(self.ahead_ms(at)?))
    }

    /// Returns the instant of a wall clock time, or an error unless there is exactly one.
    pub(super) fn instant(&self, wall: UtcInstant) -> Result<UtcInstant> {
        let Some(time) = DateTime::from_timestamp_millis(wall.0) else { return out_of_range(wall) };
        match self.tz.offset_from_local_datetime(&time.naive_utc()) {
            LocalResult::Single(offset) => {
                Ok(wall.plus_ms(-i64::from(offset.fix().local_minus_utc()) * 1000))
            }
            LocalResult::None => {
                exec_err!(
                    "clocks in {} never show {}: they skip it when they are set forward",
                    self.name,
                    time.naive_utc()
                )
            }
            LocalResult::Ambiguous(..) => {
                exec_err!(
                    "clocks in {} show {} twice: they repeat it when they are set back",
                    self.name,
                    time.naive_utc()
                )
            }
        }
    }

    /// Returns the instant of a wall clock time. Of two instants, it returns the one with the same offset as `near`.
    pub(super) fn instant_like(&self, wall: UtcInstant, near: UtcInstant) -> Result<UtcInstant> {
        let instant = wall.plus_ms(-self.ahead_ms(near)?);
        if self.wall(instant)? == wall { Ok(instant) } else { self.instant(wall) }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn out_of_range<T>(at: UtcInstant) -> Result<T> {
    exec_err!("{} milliseconds since 1970 lie outside the range of time zones", at.0)
}

/// Whether a name is `+hh:mm` or `-hh:mm`.
fn is_offset(name: &str) -> bool {
    let minutes = |(hours, minutes): (&str, &str)| {
        let is_pair = |text: &str| text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
        let number = |text: &str| text.parse::<u32>().ok().filter(|_| is_pair(text));
        Some(number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?)
    };
    let parts = name.strip_prefix(['+', '-']).and_then(|offset| offset.split_once(':'));
    parts.and_then(minutes).is_some_and(|minutes| minutes <= MAX_MINUTES)
}

/// Returns the name of a fixed offset in milliseconds.
pub(super) fn name_of_offset(ahead_ms: i64) -> String {
    let minutes = ahead_ms / 60_000;
    let sign = if minutes < 0 { '-' } else { '+' };
    match minutes.abs() {
        0 => UTC.to_owned(),
        minutes => format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcInstant {
        UtcInstant::parse_iso8601(text).unwrap()
    }

    #[test]
    fn a_zone_has_a_name_an_offset_or_is_utc() {
        for (name, expected) in [
            ("Asia/Seoul", Some("Asia/Seoul")),
            ("+09:00", Some("+09:00")),
            ("-03:30", Some("-03:30")),
            ("UTC", Some("UTC")),
            ("utc", Some("UTC")),
            ("Z", Some("UTC")),
            ("Etc/UTC", Some("UTC")),
            ("+00:00", Some("UTC")),
            ("-00:00", Some("UTC")),
            ("Asia/Seol", None),
            ("asia/seoul", None),
            ("KST", None),
            ("+9", None),
            ("+0900", None),
            ("+15:00", None),
            ("+09:60", None),
            ("", None),
        ] {
            let zone = Zone::named(name).ok();
            assert_eq!(zone.as_ref().map(Zone::name), expected, "{name}");
        }
    }

    #[test]
    fn clocks_are_set_forward_and_back() {
        let seoul = Zone::named("Asia/Seoul").unwrap();
        assert_eq!(seoul.wall(at("2023-10-31T15:00:00Z")).unwrap(), at("2023-11-01T00:00:00Z"));
        assert_eq!(seoul.instant(at("2023-11-01T00:00:00Z")).unwrap(), at("2023-10-31T15:00:00Z"));
        // New York skips 2023-03-12 02:30 and repeats 2023-11-05 01:30.
        let new_york = Zone::named("America/New_York").unwrap();
        assert!(new_york.instant(at("2023-03-12T02:30:00Z")).is_err());
        assert!(new_york.instant(at("2023-11-05T01:30:00Z")).is_err());
        for near in ["2023-11-05T05:30:00Z", "2023-11-05T06:30:00Z"] {
            let near = at(near);
            assert_eq!(new_york.instant_like(at("2023-11-05T01:30:00Z"), near).unwrap(), near);
        }
        assert!(seoul.wall(UtcInstant(i64::MAX)).is_err());
    }

    #[test]
    fn an_offset_has_a_name() {
        for (minutes, name) in [(0, "UTC"), (540, "+09:00"), (-210, "-03:30")] {
            assert_eq!(name_of_offset(minutes * 60_000), name);
        }
    }
}

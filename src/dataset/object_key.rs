//! The key of a raw object: its log type, and the times of its events.

use crate::kst::{Civil, DAY_MS, UtcInstant, UtcWindow};

/// Whether an object belongs to a dataset, by its key alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyClaim {
    /// It does. The time decides whether a day needs it.
    Mine(KeyTime),
    /// The key does not decide. The content has to.
    Unclear,
    /// It does not, with the reason.
    NotMine(&'static str),
}

/// The meaning of the time in a key for the events inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyTime {
    /// The object was delivered at this time, so all events are older.
    Delivered(UtcInstant),
    /// The object was delivered at this midnight, or it is named after the UTC day of its events. The other names in its
    /// dated folder decide which.
    Midnight(UtcInstant),
    /// All events are within a stretch of time, whenever the object was delivered.
    Stretch {
        /// The time in the key.
        at: UtcInstant,
        /// The stretch.
        events: UtcWindow,
    },
}

/// The longest reach of a stretch before or after the time in the key, in milliseconds. Within nine hours around a KST
/// day, keys have the same UTC dates as the day's deliveries.
const LONGEST_REACH_MS: i64 = 9 * 3_600_000;

impl KeyTime {
    /// Returns a stretch from `before_ms` before the time in the key to `after_ms` after it. Each is at most nine hours.
    ///
    /// All keys of a series, which differ only in their times, must have the same reach. Listings rely on this to skip
    /// keys.
    #[must_use]
    pub fn stretch(at: UtcInstant, before_ms: i64, after_ms: i64) -> Self {
        let reach = |milliseconds: i64| milliseconds.clamp(0, LONGEST_REACH_MS);
        let events = UtcWindow { start: at.plus_ms(-reach(before_ms)), end: at.plus_ms(reach(after_ms)) };
        Self::Stretch { at, events }
    }

    /// Returns the time in the key.
    #[must_use]
    pub fn at(self) -> UtcInstant {
        let (Self::Delivered(at) | Self::Midnight(at) | Self::Stretch { at, .. }) = self;
        at
    }

    /// Returns the same time with all its possible meanings, for a key whose folder is not known.
    #[must_use]
    pub fn widest(self) -> Self {
        match self {
            Self::Delivered(at) | Self::Midnight(at) => Self::Midnight(at),
            Self::Stretch { .. } => self,
        }
    }
}

/// The place of the time in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeInKey {
    /// Number of bytes before it.
    pub start: usize,
    /// Its form, for [`time_by_pattern`]. Larger units come first, so that keys sort by time.
    pub pattern: &'static str,
    /// Whether a midnight may be the UTC day of the events instead of the time of delivery.
    pub may_name_event_day: bool,
}

impl TimeInKey {
    /// Returns the parts of the time down to the day: the number of digits of each, and the character after them.
    #[must_use]
    pub fn parts_of_a_day(&self) -> Vec<(usize, char)> {
        let (mut parts, mut digits) = (Vec::new(), 0);
        for part in self.pattern.chars() {
            match part {
                'h' => break,
                'Y' | 'M' | 'D' => digits += 1,
                mark => parts.push((std::mem::take(&mut digits), mark)),
            }
        }
        parts
    }

    /// Writes an instant in the same form.
    #[must_use]
    pub fn write(&self, instant: UtcInstant) -> String {
        let text = instant.to_string();
        let mut digits = text.chars().filter(char::is_ascii_digit);
        let part = |part| if "YMDhms".contains(part) { digits.next().unwrap_or('0') } else { part };
        self.pattern.chars().map(part).collect()
    }
}

/// Returns the midnight of the UTC day in a `YYYY/MM/DD` or `year=YYYY/month=MM/day=DD` at the end of a folder path.
#[must_use]
pub fn folder_date(folder: &str) -> Option<UtcInstant> {
    day_below(folder).map(|(_, midnight)| midnight)
}

/// Returns a folder path without such a day at its end.
#[must_use]
pub fn without_date(folder: &str) -> &str {
    day_below(folder).map_or(folder, |(above, _)| above)
}

/// Divides a folder path that ends in a day into the path above the year and the midnight of the day.
fn day_below(folder: &str) -> Option<(&str, UtcInstant)> {
    let (rest, day) = split(folder);
    let (rest, month) = split(rest);
    let (above, year) = split(rest);
    let [year, month, day] = plain_parts([year, month, day])?;
    Some((above, date(year, month, day)?))
}

/// The keys of the parts of a date in folders that are compatible with Hive.
const HIVE_KEYS: [&str; 3] = ["year=", "month=", "day="];

/// Returns the numbers in the parts of a date, from the year on. Either all parts have their keys, or none.
fn plain_parts<const N: usize>(parts: [&str; N]) -> Option<[&str; N]> {
    let mut plain = parts;
    if parts.first().is_some_and(|year| year.starts_with(HIVE_KEYS[0])) {
        for (part, key) in plain.iter_mut().zip(HIVE_KEYS) {
            *part = part.strip_prefix(key)?;
        }
    }
    Some(plain)
}

/// The UTC dates of a folder, from the midnight `first` to the midnight `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderDates {
    /// The first midnight.
    pub first: UtcInstant,
    /// The last midnight.
    pub last: UtcInstant,
}

impl FolderDates {
    /// Returns the dates of a folder whose path ends in `YYYY`, `YYYY/MM` or `YYYY/MM/DD`, or in the same parts as
    /// `year=YYYY/month=MM/day=DD`, if AWS divides the folder above it by dates according to `holds_days`. Elsewhere such a
    /// folder may be named after the day on which it was copied.
    #[must_use]
    pub fn of(folder: &str, holds_days: impl Fn(&str) -> bool) -> Option<Self> {
        if let Some((above, day)) = day_below(folder) {
            return holds_days(above).then_some(Self::day(day));
        }
        let (above, name) = split(folder);
        let [year] = plain_parts([name])?;
        if let (Some(first), Some(last)) = (date(year, "01", "01"), date(year, "12", "31")) {
            return holds_days(above).then_some(Self { first, last });
        }
        let (above, year) = split(above);
        let [year, month] = plain_parts([year, name])?;
        let first = date(year, month, "01")?;
        let last = ["31", "30", "29", "28"].into_iter().find_map(|day| date(year, month, day))?;
        holds_days(above).then_some(Self { first, last })
    }

    /// Returns one date, by its midnight.
    #[must_use]
    pub fn day(midnight: UtcInstant) -> Self {
        Self { first: midnight, last: midnight }
    }

    /// Whether this is a year.
    #[must_use]
    pub fn is_year(self) -> bool {
        self.last.0 - self.first.0 > 31 * DAY_MS
    }

    /// Whether this is a single date.
    #[must_use]
    pub fn is_day(self) -> bool {
        self.first == self.last
    }
}

/// Returns the midnight of a date written as `YYYY`, `MM`, `DD`.
fn date(year: &str, month: &str, day: &str) -> Option<UtcInstant> {
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    Civil { year: number(year)?, month: number(month)?, day: number(day)?, ..Civil::default() }.to_utc()
}

/// Why an object in Parquet is left out.
pub const IN_PARQUET: &str = "file in Parquet: only logs in text and JSON are read";

/// Whether the name of an object shows that it is in Parquet, as AWS can deliver some logs.
#[must_use]
pub fn is_parquet(name: &str) -> bool {
    name.strip_suffix(".gz").unwrap_or(name).ends_with(".parquet")
}

/// Splits a key into its folder, without the trailing slash, and its name.
#[must_use]
pub fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('/').unwrap_or(("", key))
}

/// Reads a time at the front of `text`. In the pattern, `Y`, `M`, `D`, `h`, `m` and `s` are digits, and other characters
/// must match literally.
#[must_use]
pub fn time_by_pattern(text: &[u8], pattern: &str) -> Option<UtcInstant> {
    let mut civil = Civil::default();
    for (place, expected) in pattern.bytes().enumerate() {
        let found = *text.get(place)?;
        let part = match expected {
            b'Y' => &mut civil.year,
            b'M' => &mut civil.month,
            b'D' => &mut civil.day,
            b'h' => &mut civil.hour,
            b'm' => &mut civil.minute,
            b's' => &mut civil.second,
            literal if literal == found => continue,
            _ => return None,
        };
        *part = *part * 10 + u32::from(found.is_ascii_digit().then(|| found - b'0')?);
    }
    civil.to_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_it_is_read() {
        for (pattern, parts, written) in [
            ("YYYY-MM-DD-hh-mm-ss-", &[(4, '-'), (2, '-'), (2, '-')][..], "2023-10-31-15-04-05-"),
            ("YYYYMMDDThhmmZ", &[(8, 'T')], "20231031T1504Z"),
        ] {
            let time = TimeInKey { start: 0, pattern, may_name_event_day: false };
            let instant = UtcInstant::parse_iso8601("2023-10-31T15:04:05Z").unwrap();
            assert_eq!((time.parts_of_a_day().as_slice(), time.write(instant).as_str()), (parts, written));
            assert!(time_by_pattern(written.as_bytes(), pattern).is_some());
        }
    }

    #[test]
    fn only_a_folder_that_ends_in_a_date_has_one() {
        let date = |folder| folder_date(folder).map(|instant| instant.to_string());
        assert_eq!(date("a/2023/11/01").as_deref(), Some("2023-11-01T00:00:00Z"));
        assert_eq!(date("year=2023/month=11/day=01").as_deref(), Some("2023-11-01T00:00:00Z"));
        assert_eq!(without_date("a/b/year=2023/month=11/day=01"), "a/b");
        assert_eq!((without_date("a/2023/11/01"), without_date("a/b/2023/11")), ("a", "a/b/2023/11"));
        for folder in ["a/2023/11", "2023/13/01", "a/2023/1/01", "a/b/c/d", "", "x/+023/11/01"] {
            assert_eq!(date(folder), None, "{folder}");
        }
    }

    #[test]
    fn years_and_months_are_dates_only_below_a_folder_that_holds_days() {
        let dates = |folder| {
            let dates = FolderDates::of(folder, |above| above == "root")?;
            Some([dates.first, dates.last].map(|at| at.to_string()[..10].to_owned()))
        };
        for (folder, expected) in [
            ("root/2024/02/29", Some(["2024-02-29", "2024-02-29"])),
            ("other/2024/02/29", None),
            ("2024/02/29", None),
            ("root/2024/02", Some(["2024-02-01", "2024-02-29"])),
            ("root/2023", Some(["2023-01-01", "2023-12-31"])),
            ("other/2024/02", None),
            ("other/2024", None),
            ("2024", None),
            ("root/2024/2", None),
            ("root/2024/13", None),
            ("root/web", None),
            ("root", None),
            ("root/year=2024/month=02/day=29", Some(["2024-02-29", "2024-02-29"])),
            ("root/year=2024/month=02", Some(["2024-02-01", "2024-02-29"])),
            ("root/year=2023", Some(["2023-01-01", "2023-12-31"])),
            ("other/year=2023", None),
            ("root/year=2024/month=02/day=29/hour=15", None),
            ("root/year=2024/02/29", None),
            ("root/2024/month=02", None),
            ("root/month=02", None),
            ("root/year=2024/day=02", None),
        ] {
            assert_eq!(dates(folder), expected.map(|dates| dates.map(str::to_owned)), "{folder}");
        }
    }
}

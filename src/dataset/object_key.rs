//! What the key of a raw object says: whose it is, and which times it can hold.

use crate::kst::{Civil, UtcInstant};

/// Whether an object belongs to a dataset, by its key alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyClaim {
    /// It does; its time decides whether a day needs it.
    Mine(KeyTime),
    /// The key says nothing: the content must.
    Unclear,
    /// It does not, for this reason.
    NotMine(&'static str),
}

/// What the time in a key says about the events inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyTime {
    /// Delivered then: all events are older.
    Delivered(UtcInstant),
    /// Either delivered at this midnight, or named after the UTC day whose events it holds: its siblings tell.
    Midnight(UtcInstant),
}

/// Where the time stands in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeInKey {
    /// Bytes of the key before it.
    pub start: usize,
    /// How it is written, for [`time_by_pattern`]; larger units come first, so that keys sort by it.
    pub pattern: &'static str,
}

impl TimeInKey {
    /// The number of digits with which the time begins, and what follows them.
    #[must_use]
    pub fn leading(&self) -> (usize, char) {
        let digits = self.pattern.chars().take_while(|part| "YMDhms".contains(*part)).count();
        (digits, self.pattern.chars().nth(digits).unwrap_or('-'))
    }

    /// The time of an instant in the same form.
    #[must_use]
    pub fn write(&self, instant: UtcInstant) -> String {
        let text = instant.to_string();
        let mut digits = text.chars().filter(char::is_ascii_digit);
        let part = |part| if "YMDhms".contains(part) { digits.next().unwrap_or('0') } else { part };
        self.pattern.chars().map(part).collect()
    }
}

/// Midnight of the UTC day in a `YYYY/MM/DD` at the end of a folder path.
#[must_use]
pub fn folder_date(folder: &str) -> Option<UtcInstant> {
    let mut parts = folder.rsplit('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    Civil { year: number(year)?, month: number(month)?, day: number(day)?, ..Civil::default() }.to_utc()
}

/// Midnight of the UTC day in the innermost dated folder in which a key lies.
#[must_use]
pub fn date_above(key: &str) -> Option<UtcInstant> {
    let folders = std::iter::successors(key.rsplit_once('/'), |(folder, _)| folder.rsplit_once('/'));
    folders.map(|(folder, _)| folder).find_map(folder_date)
}

/// Splits a key into its folder, without the last slash, and its name.
#[must_use]
pub fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('/').unwrap_or(("", key))
}

/// Reads a time at the front of `text` by a pattern in which `Y`, `M`, `D`, `h`, `m`, `s` stand for digits and all else
/// for itself.
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
        for (pattern, leading, written) in [
            ("YYYY-MM-DD-hh-mm-ss-", (4, '-'), "2023-10-31-15-04-05-"),
            ("YYYYMMDDThhmmZ", (8, 'T'), "20231031T1504Z"),
        ] {
            let time = TimeInKey { start: 0, pattern };
            let instant = UtcInstant::parse_iso8601("2023-10-31T15:04:05Z").unwrap();
            assert_eq!((time.leading(), time.write(instant).as_str()), (leading, written));
            assert!(time_by_pattern(written.as_bytes(), pattern).is_some());
        }
    }

    #[test]
    fn a_folder_has_a_date_only_when_it_ends_in_one() {
        let date = |folder| folder_date(folder).map(|instant| instant.to_string());
        assert_eq!(date("a/2023/11/01").as_deref(), Some("2023-11-01T00:00:00Z"));
        for folder in ["a/2023/11", "2023/13/01", "a/2023/1/01", "a/b/c/d", "", "x/+023/11/01"] {
            assert_eq!(date(folder), None, "{folder}");
        }
    }
}

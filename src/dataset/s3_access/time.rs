//! The time of a line, in brackets: `[06/Feb/2019:00:00:38 +0000]`.

use memchr::memchr_iter;

use crate::kst::Civil;

/// Number of bytes of a time with its brackets.
pub(super) const TIME_WIDTH: usize = 28;

/// Finds a time in brackets.
pub(super) fn find_stamp(bytes: &[u8]) -> Option<usize> {
    memchr_iter(b'[', bytes).find(|&at| parse_time(&bytes[at..]).is_some())
}

/// Reads a time at the start of the bytes, in milliseconds since 1970.
pub(super) fn parse_time(bytes: &[u8]) -> Option<i64> {
    let time: &[u8; TIME_WIDTH] = bytes.first_chunk()?;
    let marks = [time[0], time[3], time[7], time[12], time[15], time[18], time[21], time[27]];
    if marks != *b"[//::: ]" {
        return None;
    }
    let clock = Civil {
        year: digits(&time[8..12])?,
        month: month(&time[4..7])?,
        day: digits(&time[1..3])?,
        hour: digits(&time[13..15])?,
        minute: digits(&time[16..18])?,
        second: digits(&time[19..21])?,
        milli: 0,
    };
    let (zone_hours, zone_minutes) = (digits(&time[23..25])?, digits(&time[25..27])?);
    let zone_ms = i64::from(zone_hours * 60 + zone_minutes) * 60_000;
    let east_ms = match time[22] {
        b'+' => zone_ms,
        b'-' => -zone_ms,
        _ => return None,
    };
    (zone_hours < 24 && zone_minutes < 60).then_some(clock.to_utc()?.0 - east_ms)
}

/// Reads a number that consists of digits only.
fn digits(text: &[u8]) -> Option<u32> {
    let (mut value, mut all) = (0, true);
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        all &= digit < 10;
        value = value * 10 + u32::from(digit);
    }
    all.then_some(value)
}

/// Returns the number of a month from its English abbreviation.
fn month(name: &[u8]) -> Option<u32> {
    let month = match name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    };
    Some(month)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_time(text: &str, expected: Option<i64>) {
        assert_eq!(parse_time(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn times_become_utc_milliseconds() {
        check_time("[01/Jan/1970:00:00:00 +0000]", Some(0));
        check_time("[06/Feb/2019:00:00:38 +0000]", Some(1_549_411_238_000));
        check_time("[06/Feb/2019:09:00:38 +0900]", Some(1_549_411_238_000));
        check_time("[05/Feb/2019:18:30:38 -0530]", Some(1_549_411_238_000));
        check_time("[29/Feb/2024:23:59:59 +0000]", Some(1_709_251_199_000));
        check_time("[31/Dec/1969:23:59:59 +0000]", Some(-1000));
    }

    #[test]
    fn a_leap_second_remains_in_its_day() {
        check_time("[31/Dec/2016:23:59:60 +0000]", Some(1_483_228_799_000));
        check_time("[31/Dec/2016:23:59:61 +0000]", None);
    }

    #[test]
    fn impossible_times_are_rejected() {
        for text in [
            "[29/Feb/2023:00:00:00 +0000]",
            "[29/Feb/2100:00:00:00 +0000]",
            "[31/Apr/2023:00:00:00 +0000]",
            "[00/Jan/2023:00:00:00 +0000]",
            "[01/jan/2023:00:00:00 +0000]",
            "[01/Foo/2023:00:00:00 +0000]",
            "[01/Jan/2023:24:00:00 +0000]",
            "[01/Jan/2023:00:60:00 +0000]",
            "[01/Jan/2023:00:00:00 +0060]",
            "[01/Jan/2023:00:00:00 +2400]",
            "[01/Jan/2023:00:00:00  0000]",
            "[01/Jan/2023:00:00:00 UTC]  ",
            "[01/Jan/2023:00:00:00 +000]",
            "[ 1/Jan/2023:00:00:00 +0000]",
            "[1/Jan/2023:00:00:00 +0000] ",
            "[01/Jan/2023:00:00:00Z+0000]",
            "",
        ] {
            check_time(text, None);
        }
    }

    fn days_in_month(year: i64, month: usize) -> i64 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// The slow twin of the calendar counts day by day.
    #[test]
    fn every_day_from_1970_to_2110_counts_one_more() {
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let mut days = 0;
        for year in 1970..=2110 {
            for (month, name) in (1..).zip(names) {
                for day in 1..=days_in_month(year, month) {
                    check_time(&format!("[{day:02}/{name}/{year}:00:00:00 +0000]"), Some(days * 86_400_000));
                    days += 1;
                }
                let after = days_in_month(year, month) + 1;
                check_time(&format!("[{after:02}/{name}/{year}:00:00:00 +0000]"), None);
            }
        }
        assert_eq!(days, 51_499);
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = (parse_time(&bytes), find_stamp(&bytes));
        }
    }
}

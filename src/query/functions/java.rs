//! Converts the Java date patterns that `parse_datetime` and `format_datetime` take to MySQL patterns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use datafusion::common::{Result, exec_err};

use super::moment::Moments;
use super::time::{COLON_OFFSET, MILLIS, OFFSET, formatted};
use super::{Argument, Function, text, text_at, texts};

pub(super) const FUNCTIONS: &[Function] =
    &[Function::new("format_datetime", &[Argument::Moment, Argument::Text], text, |columns, _| {
        format_datetime(columns)
    })];

/// Repeated Java letters and the MySQL letter with the same meaning.
const LETTERS: [(&str, char); 20] = [
    ("yyyy", 'Y'),
    ("yy", 'y'),
    ("MMMM", 'M'),
    ("MMM", 'b'),
    ("MM", 'm'),
    ("M", 'c'),
    ("dd", 'd'),
    ("d", 'e'),
    ("HH", 'H'),
    ("H", 'k'),
    ("hh", 'h'),
    ("h", 'l'),
    ("mm", 'i'),
    ("ss", 's'),
    ("SSS", MILLIS),
    ("a", 'p'),
    ("EEE", 'a'),
    ("EEEE", 'W'),
    ("Z", OFFSET),
    ("ZZ", COLON_OFFSET),
];

/// Converts a Java pattern to MySQL letters. Java encloses literal text in single quotes.
pub(super) fn mysql(pattern: &str) -> Result<String> {
    let mut written = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let length = rest.chars().take_while(|letter| *letter == first).count();
        if first == '\'' {
            let Some((literal, behind)) = rest[1..].split_once('\'') else {
                return exec_err!("a quote in the pattern '{pattern}' is not closed");
            };
            written += &if literal.is_empty() { "'".to_owned() } else { literal.replace('%', "%%") };
            rest = behind;
        } else if first.is_ascii_alphabetic() {
            let (letters, behind) = rest.split_at(length);
            let known = LETTERS.iter().find(|(java, _)| *java == letters).map(|(_, letter)| *letter);
            let Some(letter) = known else {
                return exec_err!("'{letters}' in the pattern '{pattern}' is not supported");
            };
            written.extend(['%', letter]);
            rest = behind;
        } else {
            written += &first.to_string().replace('%', "%%");
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(written)
}

fn format_datetime(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (moments, patterns) = (Moments::of(&columns[0])?, texts(&columns[1]));
    let one = |row| match (moments.wall(row)?, text_at(patterns, row)) {
        (Some(wall), Some(pattern)) => formatted(wall, &mysql(pattern)?, moments.ahead_ms(row)?).map(Some),
        _ => Ok(None),
    };
    Ok(Arc::new((0..patterns.len()).map(one).collect::<Result<StringArray>>()?))
}

#[cfg(test)]
mod tests {
    use super::super::time::parsed_with_offset;
    use super::*;
    use crate::kst::UtcInstant;

    #[test]
    fn java_patterns_parse_and_format_times() {
        let noon = UtcInstant::parse_iso8601("2023-11-01T03:04:05.678Z").unwrap();
        for (value, pattern) in [
            ("01/Nov/2023:03:04:05.678 +0000", "dd/MMM/yyyy:HH:mm:ss.SSS Z"),
            ("2023-11-01T03:04:05.678", "yyyy-MM-dd'T'HH:mm:ss.SSS"),
            ("Wednesday, 1 November 23, 3:04:05.678 AM 100%'", "EEEE, d MMMM yy, h:mm:ss.SSS a '100%'''"),
        ] {
            let letters = mysql(pattern).unwrap();
            assert_eq!(formatted(noon, &letters, Some(0)).unwrap(), value);
            assert_eq!(parsed_with_offset(value, &letters), Some((noon, 0)), "{pattern}");
        }
        let offset = parsed_with_offset("2023-11-01 12:04 +0900", &mysql("yyyy-MM-dd HH:mm Z").unwrap());
        let expected = UtcInstant::parse_iso8601("2023-11-01T03:04:00Z").unwrap();
        assert_eq!(offset, Some((expected, 9 * 3_600_000)));
        let letters = mysql("HH Z ZZ").unwrap();
        assert_eq!(formatted(noon, &letters, Some(9 * 3_600_000)).unwrap(), "03 +0900 +09:00");
        assert!(formatted(noon, &letters, None).is_err());
        for pattern in ["QQ", "'open", "yyyyy", "ZZZ"] {
            assert!(mysql(pattern).is_err(), "{pattern}");
        }
    }
}

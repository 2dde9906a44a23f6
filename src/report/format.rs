//! Formats numbers for display.

use super::text::both;

/// The unit of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A plain count.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
    /// A share between 0 and 1.
    Share,
}

/// Formats `1234567` as `1,234,567`.
pub(super) fn thousands(number: i64) -> String {
    grouped(&number.to_string())
}

/// Puts commas between the digits before the point.
fn grouped(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |number| ("-", number));
    let (whole, fraction) = number.find('.').map_or((number, ""), |point| number.split_at(point));
    let mut text = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

/// Formats a number with its unit, with the digits that a table shows.
pub(super) fn exact(number: f64, unit: Unit) -> String {
    match unit {
        Unit::Count if number.fract() == 0.0 => grouped(&format!("{number:.0}")),
        Unit::Count => decimal(number),
        Unit::Bytes => scaled(number, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB"]),
        Unit::Milliseconds => format!("{} ms", decimal(number)),
        Unit::Share => format!("{:.1}%", number * 100.0),
    }
}

/// Formats a number with its unit, short enough for an axis, in both languages: `15k` in English, `1.5만` in Korean.
pub(super) fn short(number: f64, unit: Unit) -> [String; 2] {
    let same = |text: String| [text.clone(), text];
    match unit {
        Unit::Count => {
            [scaled(number, 1e3, &["", "k", "M", "B", "T"]), scaled(number, 1e4, &["", "만", "억", "조"])]
        }
        Unit::Bytes => same(exact(number, unit)),
        Unit::Milliseconds => [scaled(number, 1e3, &[" ms", " s"]), scaled(number, 1e3, &["ms", "초"])],
        Unit::Share => same(format!("{}%", plain(number * 100.0))),
    }
}

/// Formats a change against an earlier number, in both languages.
pub(super) fn change(now: f64, before: f64, unit: Unit) -> String {
    let difference = now - before;
    let sign = if difference < 0.0 { '−' } else { '+' };
    if unit == Unit::Share {
        let points = (difference * 1000.0).round().abs() / 10.0;
        return match points {
            0.0 => both("no change", "변동 없음"),
            _ => both(&format!("{sign}{points} pp"), &format!("{sign}{points}%p")),
        };
    }
    if difference == 0.0 {
        return both("no change", "변동 없음");
    }
    if before == 0.0 {
        return both("none before", "이전 없음");
    }
    if now >= before * 10.0 {
        let times = plain((now / before).round());
        return both(&format!("{times} times as many"), &format!("{times}배"));
    }
    let percent = difference.abs() / before * 100.0;
    match percent {
        ..1.0 => format!("{sign}{percent:.1}%"),
        _ => format!("{sign}{percent:.0}%"),
    }
}

fn scaled(number: f64, step: f64, names: &[&str]) -> String {
    let mut value = number;
    let mut names = names.iter();
    let mut name = names.next().copied().unwrap_or_default();
    while value.abs() >= step
        && let Some(next) = names.next()
    {
        value /= step;
        name = next;
    }
    format!("{}{name}", plain(value))
}

/// One digit after the point, and thousands.
fn decimal(number: f64) -> String {
    grouped(&format!("{number:.1}"))
}

fn plain(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn axes_have_short_numbers() {
        let cases = [
            (0.0, Unit::Count, "0", "0"),
            (999.0, Unit::Count, "999", "999"),
            (1500.0, Unit::Count, "1.5k", "1500"),
            (25_000.0, Unit::Count, "25k", "2.5만"),
            (2_000_000.0, Unit::Count, "2M", "200만"),
            (2_000_000_000.0, Unit::Count, "2B", "20억"),
            (512.0, Unit::Bytes, "512 B", "512 B"),
            (1536.0, Unit::Bytes, "1.5 KiB", "1.5 KiB"),
            (12.25, Unit::Milliseconds, "12.2 ms", "12.2ms"),
            (61_000.0, Unit::Milliseconds, "61 s", "61초"),
            (0.25, Unit::Share, "25%", "25%"),
        ];
        for (number, unit, en, ko) in cases {
            assert_eq!(short(number, unit), [en, ko]);
        }
    }

    #[test]
    fn tables_have_units() {
        let cases = [
            (12_345.0, Unit::Count, "12,345"),
            (12.25, Unit::Count, "12.2"),
            (1.96, Unit::Count, "2.0"),
            (1_234_567.9, Unit::Milliseconds, "1,234,567.9 ms"),
            (12.0, Unit::Milliseconds, "12.0 ms"),
            (1536.0, Unit::Bytes, "1.5 KiB"),
            (0.0456, Unit::Share, "4.6%"),
        ];
        for (number, unit, text) in cases {
            assert_eq!(exact(number, unit), text);
        }
    }

    #[test]
    fn changes_are_shares_of_the_number_before() {
        let cases = [
            (110.0, 100.0, Unit::Count, "+10%"),
            (99.5, 100.0, Unit::Count, "−0.5%"),
            (0.0, 7.0, Unit::Bytes, "−100%"),
        ];
        for (now, before, unit, text) in cases {
            assert_eq!(change(now, before, unit), text);
        }
        let bilingual = [
            (5.0, 0.0, Unit::Count, "none before", "이전 없음"),
            (5.0, 5.0, Unit::Count, "no change", "변동 없음"),
            (500.0, 5.0, Unit::Count, "100 times as many", "100배"),
            (0.05, 0.075, Unit::Share, "−2.5 pp", "−2.5%p"),
        ];
        for (now, before, unit, en, ko) in bilingual {
            assert_eq!(change(now, before, unit), both(en, ko));
        }
    }
}

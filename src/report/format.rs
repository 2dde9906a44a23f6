//! Formats numbers for display.

use super::figure::Unit;

/// Formats `1234567` as `1,234,567`.
pub(super) fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number with its unit, short enough for an axis.
pub(super) fn short(number: f64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => scaled(number, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB"]),
        Unit::Count => scaled(number, 1000.0, &["", "k", "M", "G", "T"]),
        Unit::Milliseconds => scaled(number, 1000.0, &[" ms", " s"]),
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
    let text = if value.fract() == 0.0 || value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    };
    format!("{text}{name}")
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
            (0.0, Unit::Count, "0"),
            (999.0, Unit::Count, "999"),
            (1500.0, Unit::Count, "1.5k"),
            (2_000_000.0, Unit::Count, "2M"),
            (512.0, Unit::Bytes, "512 B"),
            (1536.0, Unit::Bytes, "1.5 KiB"),
            (12.25, Unit::Milliseconds, "12.2 ms"),
            (61_000.0, Unit::Milliseconds, "61 s"),
        ];
        for (number, unit, text) in cases {
            assert_eq!(short(number, unit), text);
        }
    }
}

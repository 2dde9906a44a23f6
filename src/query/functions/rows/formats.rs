//! `format` with the letters of Java's `Formatter`, and `format_number`.

use datafusion::common::{Result, exec_err};

use super::casts::as_text;
use super::{RowFunction, Value, float, row, text};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("format(varchar, any?...) -> varchar", |of, _| Ok(format(text(of, 0), &of[1..])?.into())),
    row("format_number(bigint) -> varchar", |of, _| Ok(short(float(of, 0)).into())),
    row("format_number(double) -> varchar", |of, _| Ok(short(float(of, 0)).into())),
];

/// Writes a number with at most three digits and a unit.
fn short(number: f64) -> String {
    const UNITS: [&str; 6] = ["", "K", "M", "B", "T", "Q"];
    let (mut rest, mut unit) = (number.abs(), 0);
    while rest >= 1000.0 && unit + 1 < UNITS.len() {
        rest /= 1000.0;
        unit += 1;
    }
    let digits = if rest < 10.0 { 2 } else { usize::from(rest < 100.0) };
    let written = format!("{rest:.digits$}");
    let written =
        if written.contains('.') { written.trim_end_matches('0').trim_end_matches('.') } else { &written };
    format!("{}{written}{}", if number < 0.0 { "-" } else { "" }, UNITS[unit])
}

/// One placeholder: `%[number$][flags][width][.digits]letter`.
#[derive(Debug, Default)]
struct Placeholder {
    number: Option<usize>,
    flags: String,
    width: usize,
    digits: Option<usize>,
    letter: char,
}

impl Placeholder {
    /// Reads a placeholder behind its percent sign, and returns the text after it.
    fn read(written: &str) -> Option<(Self, &str)> {
        let mut rest = written;
        let mut placeholder = Self::default();
        let number = digits(&mut rest);
        match (number, rest.strip_prefix('$')) {
            (Some(number), Some(behind)) => {
                placeholder.number = Some(number);
                rest = behind;
            }
            _ => rest = written,
        }
        while let Some(flag) = rest.chars().next().filter(|flag| "-+ 0,(#".contains(*flag)) {
            placeholder.flags.push(flag);
            rest = &rest[1..];
        }
        placeholder.width = digits(&mut rest).unwrap_or_default();
        if let Some(behind) = rest.strip_prefix('.') {
            rest = behind;
            placeholder.digits = Some(digits(&mut rest)?);
        }
        placeholder.letter = rest.chars().next()?;
        let behind = &rest[placeholder.letter.len_utf8()..];
        Some((placeholder, behind))
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn written(&self, value: &Value) -> Result<String> {
        if value.is_null() {
            return Ok(self.padded("null", ""));
        }
        let mismatch = || exec_err!("format cannot write '{}' as %{}", as_text(value)?, self.letter);
        Ok(match self.letter {
            's' | 'S' => {
                let text: String =
                    plain_text(value)?.chars().take(self.digits.unwrap_or(usize::MAX)).collect();
                self.padded(&if self.letter == 'S' { text.to_uppercase() } else { text }, "")
            }
            'b' | 'B' => self.padded(&value.truth().unwrap_or(true).to_string(), ""),
            'c' => match value {
                Value::Text(text) => self.padded(text, ""),
                _ => return mismatch(),
            },
            'd' => match value.whole() {
                Some(number) => self.number(number < 0, number.unsigned_abs().to_string()),
                None => return mismatch(),
            },
            'x' | 'X' | 'o' => match value.whole() {
                Some(number) => {
                    let digits =
                        if self.letter == 'o' { format!("{number:o}") } else { format!("{number:x}") };
                    let digits = if self.letter == 'X' { digits.to_uppercase() } else { digits };
                    self.number(false, digits)
                }
                None => return mismatch(),
            },
            'f' | 'e' | 'E' => match as_double(value) {
                Some(number) => self.float(number),
                None => return mismatch(),
            },
            letter => return exec_err!("format does not support %{letter} here"),
        })
    }

    fn float(&self, number: f64) -> String {
        let digits = self.digits.unwrap_or(6);
        if !number.is_finite() {
            let name = if number.is_nan() { "NaN" } else { "Infinity" };
            return self.padded(&format!("{}{name}", if number < 0.0 { "-" } else { "" }), "");
        }
        let absolute = number.abs();
        if self.letter == 'f' {
            return self.number(number.is_sign_negative(), half_up(absolute, digits));
        }
        let written = format!("{absolute:.digits$e}");
        let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
        let text = format!("{mantissa}e{sign}{exponent:0>2}");
        self.number(number < 0.0, if self.letter == 'E' { text.to_uppercase() } else { text })
    }

    /// Adds the sign, the separators and the padding of a number.
    fn number(&self, is_negative: bool, digits: String) -> String {
        let digits = if self.has(',') { with_commas(&digits) } else { digits };
        let (before, behind) = match (is_negative, self.has('('), self.has('+'), self.has(' ')) {
            (true, true, ..) => ("(", ")"),
            (true, ..) => ("-", ""),
            (false, _, true, _) => ("+", ""),
            (false, _, _, true) => (" ", ""),
            _ => ("", ""),
        };
        self.padded(&(digits + behind), before)
    }

    fn padded(&self, text: &str, sign: &str) -> String {
        let missing = self.width.saturating_sub(text.chars().count() + sign.len());
        if self.has('0') {
            return format!("{sign}{}{text}", "0".repeat(missing));
        }
        let blanks = " ".repeat(missing);
        if self.has('-') { format!("{sign}{text}{blanks}") } else { format!("{blanks}{sign}{text}") }
    }
}

fn digits(rest: &mut &str) -> Option<usize> {
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let number = rest[..end].parse().ok()?;
    *rest = &rest[end..];
    Some(number)
}

/// Rounds halves away from zero, by the decimal digits of the number, as Java does.
fn half_up(number: f64, digits: usize) -> String {
    let shortest = format!("{number}");
    let (whole, fraction) = shortest.split_once('.').unwrap_or((&shortest, ""));
    let is_half = fraction.len() > digits && fraction[digits..].trim_end_matches('0') == "5";
    if !is_half {
        return format!("{number:.digits$}");
    }
    let mut all: Vec<u8> = format!("0{whole}{}", &fraction[..digits]).into_bytes();
    for digit in all.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            break;
        }
        *digit = b'0';
    }
    let all = String::from_utf8_lossy(&all).into_owned();
    let (whole, fraction) = all.split_at(all.len() - digits);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if digits == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

fn with_commas(digits: &str) -> String {
    let (whole, rest) = digits.find('.').map_or((digits, ""), |point| digits.split_at(point));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

/// A value as Java prints it: a double without an exponent if it is neither small nor great.
fn plain_text(value: &Value) -> Result<String> {
    match value {
        Value::Float(number) if (1e-3..1e7).contains(&number.abs()) || *number == 0.0 => {
            Ok(format!("{number:?}"))
        }
        Value::Float(number) if number.is_finite() => Ok(as_text(value)?.replace("0E0", "0.0")),
        other => as_text(other),
    }
}

fn as_double(value: &Value) -> Option<f64> {
    match value {
        Value::Other(_) => as_text(value).ok()?.parse().ok(),
        value => value.float(),
    }
}

fn format(pattern: &str, values: &[Value]) -> Result<String> {
    let (mut written, mut rest, mut next) = (String::new(), pattern, 0);
    while let Some((before, behind)) = rest.split_once('%') {
        written += before;
        let Some((placeholder, behind)) = Placeholder::read(behind) else {
            return exec_err!("'{pattern}' ends within a placeholder");
        };
        rest = behind;
        match placeholder.letter {
            '%' => written.push('%'),
            'n' => written.push('\n'),
            _ => {
                let place = placeholder.number.map_or(next, |number| number.wrapping_sub(1));
                next += usize::from(placeholder.number.is_none());
                let Some(value) = values.get(place) else {
                    return exec_err!("'{pattern}' has more placeholders than values");
                };
                written += &placeholder.written(value)?;
            }
        }
    }
    Ok(written + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_as_in_java() {
        let text = |text: &str| Value::from(text);
        for (pattern, value, expected) in [
            ("%s%%", Value::Whole(123), "123%"),
            ("%.5f", Value::Float(std::f64::consts::PI), "3.14159"),
            ("%03d", Value::Whole(8), "008"),
            ("%,d", Value::Whole(-1_234_567), "-1,234,567"),
            ("%,.2f", Value::Float(1_234_567.89), "1,234,567.89"),
            ("%.2f", Value::Float(0.125), "0.13"),
            ("%.0f", Value::Float(2.5), "3"),
            ("%-7s|", text("a"), "a      |"),
            ("%7s|", text("a"), "      a|"),
            ("%1$s %1$S", text("a"), "a A"),
            ("%x %1$+d", Value::Whole(255), "ff +255"),
            ("%e", Value::Float(12345.678), "1.234568e+04"),
            ("%s", Value::Float(1.5), "1.5"),
            ("%s", Value::Null, "null"),
            ("%b", Value::Truth(true), "true"),
        ] {
            assert_eq!(format(pattern, &[value]).unwrap(), expected, "{pattern}");
        }
        for pattern in ["%s %s", "%", "%.f", "%d"] {
            assert!(format(pattern, &[text("a")]).is_err(), "{pattern}");
        }
        for (number, expected) in
            [(123_456.0, "123K"), (1_000_000.0, "1M"), (1_234.0, "1.23K"), (-12.0, "-12")]
        {
            assert_eq!(short(number), expected);
        }
    }
}

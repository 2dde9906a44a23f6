//! Casts that Athena and the engine define differently: from and to text, from fractions to whole numbers, and of timestamps
//! with a time zone. [`verdict`] identifies them, and [`function`] replaces each one with a function of our own.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Float32Type, Float64Type, Int64Type, TimeUnit,
    TimestampMillisecondType, TimestampNanosecondType,
};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::types;
use super::zone::Zone;
use crate::kst::{Civil, DAY_MS, UtcInstant};

/// How to handle a cast.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The engine casts as Athena does.
    Same,
    /// Our own function casts.
    Ours,
    /// Athena refuses this cast, or its result in Athena is unknown. Holds what to write instead.
    Refused(&'static str),
}

/// Decides how to cast from one type to another.
pub(super) fn verdict(from: &DataType, to: &DataType) -> Verdict {
    use DataType as T;
    let is_fraction = |of: &T| of.is_floating() || matches!(of, T::Decimal128(..) | T::Decimal256(..));
    let is_moment =
        |of: &T| matches!(of, T::Date32 | T::Date64 | T::Timestamp(..) | T::Time32(_) | T::Time64(_));
    let is_span = |of: &T| matches!(of, T::Interval(_) | T::Duration(_));
    let is_simple = |of: &T| of.is_numeric() || *of == T::Boolean;
    match (from, to) {
        (T::Dictionary(_, value), _) => verdict(value, to),
        (from, to) if from == to || from.is_null() || from.is_string() && to.is_string() => Verdict::Same,
        (_, T::Timestamp(_, Some(_))) => Verdict::Refused("use with_timezone or AT TIME ZONE"),
        (T::Timestamp(_, Some(_)), T::Date32 | T::Timestamp(..) | T::Time32(_) | T::Time64(_)) => {
            Verdict::Ours
        }
        (T::Timestamp(..), to) if to.is_string() => Verdict::Ours,
        (T::Time32(_) | T::Time64(_), to) if to.is_string() => {
            Verdict::Refused("use date_format on a timestamp")
        }
        (from, T::Time32(_) | T::Time64(_)) if from.is_string() => Verdict::Same,
        (from, T::Boolean | T::Date32 | T::Timestamp(..) | T::Decimal128(..)) if from.is_string() => {
            Verdict::Ours
        }
        (from, to) if from.is_string() && to.is_numeric() => Verdict::Ours,
        (from, to) if from.is_floating() && to.is_string() => Verdict::Ours,
        (from, to) if is_fraction(from) && to.is_integer() => Verdict::Ours,
        (from, to) if is_simple(from) && is_moment(to) => {
            Verdict::Refused("Athena cannot either: use from_unixtime")
        }
        (from, to) if is_moment(from) && is_simple(to) => {
            Verdict::Refused("Athena cannot either: use to_unixtime or date_diff")
        }
        (from, to) if is_span(from) && !is_span(to) => Verdict::Refused("use date_diff"),
        (T::List(from) | T::LargeList(from), T::List(to) | T::LargeList(to)) => {
            match verdict(from.data_type(), to.data_type()) {
                Verdict::Same => Verdict::Same,
                _ => Verdict::Refused("cast the elements before you build the array"),
            }
        }
        _ => Verdict::Same,
    }
}

/// Whether Athena has a cast between two types without parts.
pub(super) fn is_possible(from: &DataType, to: &DataType) -> bool {
    !matches!(verdict(from, to), Verdict::Refused(_))
}

/// Casts a column of values without parts.
pub(super) fn converted(column: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let signature = Signature::any(1, Volatility::Immutable);
    let cast = AthenaCast { target: to.clone(), is_try: false, signature };
    match verdict(column.data_type(), to) {
        Verdict::Same => cast.engine_cast(column, to),
        Verdict::Ours => cast.convert(column),
        Verdict::Refused(advice) => {
            exec_err!("cannot cast {} to {}: {advice}", types::name(column.data_type()), types::name(to))
        }
    }
}

/// Returns a cast as a function that the engine can call.
pub(super) fn function(target: &DataType, is_try: bool) -> Arc<ScalarUDF> {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::from(AthenaCast { target: target.clone(), is_try, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AthenaCast {
    target: DataType,
    is_try: bool,
    signature: Signature,
}

impl ScalarUDFImpl for AthenaCast {
    fn name(&self) -> &str {
        if self.is_try { "try_cast" } else { "cast" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.target.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [given] = &args.args[..] else { return exec_err!("a cast takes one value") };
        let is_constant = matches!(given, ColumnarValue::Scalar(_));
        let column = given.to_array(if is_constant { 1 } else { args.number_rows })?;
        let done = self.convert(&column)?;
        if is_constant {
            return ScalarValue::try_from_array(&done, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(done))
    }
}

impl AthenaCast {
    fn convert(&self, column: &ArrayRef) -> Result<ArrayRef> {
        let done = match column.data_type() {
            DataType::Timestamp(..) => self.convert_timestamps(column)?,
            from if from.is_floating() && self.target.is_string() => {
                let numbers = cast(column, &DataType::Float64)?;
                let single = *from == DataType::Float32;
                let text = |number: f64| scientific(number, single);
                let texts = numbers.as_primitive::<Float64Type>().iter().map(|number| number.map(text));
                Arc::new(texts.collect::<StringArray>())
            }
            from if from.is_floating() => self.round_fractions(column)?,
            from if from.is_numeric() => self.engine_cast(column, &DataType::Decimal128(38, 0))?,
            _ => self.parse_texts(cast(column, &DataType::Utf8)?.as_string::<i32>())?,
        };
        self.engine_cast(&done, &self.target)
    }

    /// Casts with the engine's own kernel.
    fn engine_cast(&self, column: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
        let options = CastOptions { safe: self.is_try, ..CastOptions::default() };
        Ok(cast_with_options(column, to, &options)?)
    }

    /// The result for a value that cannot be cast: NULL for `TRY_CAST`, otherwise an error.
    fn failed<T>(&self, value: &str) -> Result<Option<T>> {
        if self.is_try {
            return Ok(None);
        }
        exec_err!("cannot cast '{value}' to {}", types::name(&self.target))
    }

    fn round_fractions(&self, column: &ArrayRef) -> Result<ArrayRef> {
        /// The smallest whole number that a signed 64-bit integer cannot hold.
        const BEYOND: f64 = 9_223_372_036_854_775_808.0;
        let numbers = cast(column, &DataType::Float64)?;
        let one = |number: Option<f64>| {
            let Some(number) = number else { return Ok(None) };
            let whole = number.round();
            if !(-BEYOND..BEYOND).contains(&whole) {
                return self.failed(&number.to_string());
            }
            #[expect(clippy::cast_possible_truncation, reason = "the number is whole and within the range")]
            Ok(Some(whole as i64))
        };
        let wholes = numbers.as_primitive::<Float64Type>().iter().map(one);
        Ok(Arc::new(wholes.collect::<Result<PrimitiveArray<Int64Type>>>()?))
    }

    fn parse_texts(&self, texts: &StringArray) -> Result<ArrayRef> {
        Ok(match &self.target {
            DataType::Boolean => {
                let truths = self.each(texts, |text| Ok(truth(text)));
                Arc::new(truths.collect::<Result<BooleanArray>>()?)
            }
            DataType::Date32 => self.primitives::<Date32Type>(texts, |text| Ok(date(text)))?,
            DataType::Float32 => self.primitives::<Float32Type>(texts, |text| Ok(float(text)))?,
            DataType::Float64 => self.primitives::<Float64Type>(texts, |text| Ok(float(text)))?,
            DataType::Timestamp(TimeUnit::Nanosecond | TimeUnit::Microsecond, _) => {
                self.primitives::<TimestampNanosecondType>(texts, |text| Ok(nanos(text)))?
            }
            DataType::Timestamp(..) => {
                self.primitives::<TimestampMillisecondType>(texts, |text| Ok(millis(text)))?
            }
            target if target.is_integer() => self.primitives::<Int64Type>(texts, |text| {
                refuse_blanks(text)?;
                Ok(text.parse().ok())
            })?,
            _ => {
                let decimal = |text| {
                    refuse_blanks(text)?;
                    Ok(is_decimal(text).then_some(text))
                };
                Arc::new(self.each(texts, decimal).collect::<Result<StringArray>>()?)
            }
        })
    }

    fn each<'t, T>(
        &self,
        texts: &'t StringArray,
        read: impl Fn(&'t str) -> Result<Option<T>>,
    ) -> impl Iterator<Item = Result<Option<T>>> {
        texts.iter().map(move |text| {
            let Some(text) = text else { return Ok(None) };
            match read(text)? {
                Some(value) => Ok(Some(value)),
                None => self.failed(text),
            }
        })
    }

    fn primitives<T: ArrowPrimitiveType>(
        &self,
        texts: &StringArray,
        read: impl Fn(&str) -> Result<Option<T::Native>>,
    ) -> Result<ArrayRef> {
        Ok(Arc::new(self.each(texts, read).collect::<Result<PrimitiveArray<T>>>()?))
    }

    fn convert_timestamps(&self, column: &ArrayRef) -> Result<ArrayRef> {
        let zone = Zone::of(column.data_type())?;
        let DataType::Timestamp(unit, _) = column.data_type() else { return exec_err!("not a timestamp") };
        let nanos = cast(column, &DataType::Timestamp(TimeUnit::Millisecond, None))?;
        let millis = nanos.as_primitive::<TimestampMillisecondType>();
        let wall = |instant| match &zone {
            Some(zone) => zone.wall(instant),
            None => Ok(instant),
        };
        let walls = millis.iter().map(|millis| millis.map(|millis| wall(UtcInstant(millis))).transpose());
        if !self.target.is_string() {
            let walls = walls.map(|wall| Ok(wall?.map(|wall| wall.0)));
            return Ok(Arc::new(walls.collect::<Result<PrimitiveArray<TimestampMillisecondType>>>()?));
        }
        if zone.is_none() && matches!(unit, TimeUnit::Microsecond | TimeUnit::Nanosecond) {
            return exec_err!(
                "cannot cast timestamp(6) or timestamp(9) to varchar here: cast it to timestamp(3) first"
            );
        }
        let suffix = zone.as_ref().map_or_else(String::new, |zone| format!(" {}", zone.name()));
        let digits = if *unit == TimeUnit::Second { 0 } else { 3 };
        let text = |wall: UtcInstant| Ok(format!("{}{suffix}", clock_text(wall, digits)?));
        let texts = walls.map(|wall| wall?.map(text).transpose());
        Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
    }
}

/// Formats a wall clock time as Athena does, with or without milliseconds.
fn clock_text(wall: UtcInstant, digits: usize) -> Result<String> {
    let Some(Civil { year, month, day, hour, minute, second, milli }) = wall.civil() else {
        return exec_err!("{} milliseconds since 1970 lie outside the years 0 to 9999", wall.0);
    };
    let fraction = if digits == 0 { String::new() } else { format!(".{milli:03}") };
    Ok(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction}"))
}

/// Formats a number as Athena does, for example `1.0E10`.
fn scientific(number: f64, is_single: bool) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0E0" } else { "0E0" }.to_owned();
    }
    #[expect(clippy::cast_possible_truncation, reason = "the number was a 32-bit float")]
    let text = if is_single { format!("{:E}", number as f32) } else { format!("{number:E}") };
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

fn truth(text: &str) -> Option<bool> {
    let is_one_of = |names: [&str; 3]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
    if is_one_of(["t", "true", "1"]) {
        return Some(true);
    }
    is_one_of(["f", "false", "0"]).then_some(false)
}

/// Refuses whitespace around a number, because versions of Athena's engine disagree about it.
fn refuse_blanks(text: &str) -> Result<()> {
    if text.trim() == text {
        return Ok(());
    }
    exec_err!(
        "'{text}' has whitespace around it, and only some versions of Athena's engine accept it as a number: use trim(...)"
    )
}

/// Parses a number as Java does: ignores whitespace around it, and accepts `1d` and `1f`.
fn float<T: std::str::FromStr>(text: &str) -> Option<T> {
    let text = text.trim_matches(|letter| letter <= ' ');
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits == "NaN" || digits == "Infinity" {
        return text.replace("NaN", "nan").parse().ok();
    }
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    text.bytes().all(|letter| b"0123456789.eE+-".contains(&letter)).then(|| text.parse().ok())?
}

/// Whether a text is a number with digits before or after the point and an optional exponent.
fn is_decimal(text: &str) -> bool {
    let all_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    let unsigned = |text| str::strip_prefix(text, ['+', '-']).unwrap_or(text);
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = unsigned(number).split_once('.').unwrap_or((unsigned(number), ""));
    let exponent = unsigned(exponent);
    let has_digits = !(exponent.is_empty() || whole.is_empty() && fraction.is_empty());
    has_digits && [whole, fraction, exponent].into_iter().all(all_digits)
}

/// Parses a date into days since 1970.
fn date(text: &str) -> Option<i32> {
    let wall = TimestampText::parse(text)?;
    let is_date = wall.fraction.is_empty() && !text.trim().contains(' ');
    is_date.then(|| i32::try_from(wall.seconds.0.div_euclid(DAY_MS)).ok())?
}

fn millis(text: &str) -> Option<i64> {
    let text = TimestampText::parse(text).filter(|text| text.zone.is_none())?;
    text.millis().map(|wall| wall.0)
}

fn nanos(text: &str) -> Option<i64> {
    let text = TimestampText::parse(text).filter(|text| text.zone.is_none())?;
    text.seconds.0.checked_mul(1_000_000)?.checked_add(text.rounded(9)?)
}

/// A timestamp in Athena's text form: `2023-11-01 09:00:00.000 Asia/Seoul`. Everything after the date is optional.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TimestampText<'t> {
    /// The wall clock time in whole seconds.
    seconds: UtcInstant,
    /// Digits after the point.
    fraction: &'t str,
    /// The named zone.
    pub(super) zone: Option<&'t str>,
}

impl<'t> TimestampText<'t> {
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let (date, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let [year, month, day] = numbers(date, '-')?;
        let has_time = rest.starts_with(|letter: char| letter.is_ascii_digit());
        let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == ':' || letter == '.'));
        let (time, zone) = rest.split_at(if has_time { end.unwrap_or(rest.len()) } else { 0 });
        let (time, fraction) =
            time.split_once('.').map_or((time, None), |(time, behind)| (time, Some(behind)));
        let [hour, minute, second] = match time.split(':').count() {
            _ if time.is_empty() => [0; 3],
            2 => numbers::<2>(time, ':').map(|[hour, minute]| [hour, minute, 0])?,
            _ => numbers(time, ':')?,
        };
        let is_fraction =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        let fraction_fits = fraction.is_none_or(|digits| time.split(':').count() == 3 && is_fraction(digits));
        let civil = Civil { year, month, day, hour, minute, second, milli: 0 };
        let is_plain = date.bytes().take(4).filter(u8::is_ascii_digit).count() == 4 && second < 60;
        let seconds = civil.to_utc().filter(|_| fraction_fits && is_plain)?;
        let zone = Some(zone.trim()).filter(|zone| !zone.is_empty());
        Some(Self { seconds, fraction: fraction.unwrap_or_default(), zone })
    }

    /// The precision of a literal: 3, 6 or 9 digits.
    pub(super) fn digits(&self) -> u64 {
        match self.fraction.len() {
            ..=3 => 3,
            4..=6 => 6,
            _ => 9,
        }
    }

    /// The wall clock time, rounded to milliseconds.
    pub(super) fn millis(&self) -> Option<UtcInstant> {
        Some(self.seconds.plus_ms(self.rounded(3)?))
    }

    /// The fraction of a second, rounded to this number of digits.
    fn rounded(&self, digits: usize) -> Option<i64> {
        let padded = format!("{:0<width$}", self.fraction, width = digits + 1);
        let number: i64 = padded[..digits].parse().ok()?;
        Some(number + i64::from(padded.as_bytes()[digits] >= b'5'))
    }
}

/// Parses numbers of one to four digits with a separator between them.
fn numbers<const COUNT: usize>(text: &str, between: char) -> Option<[u32; COUNT]> {
    let number = |part: &str| {
        let fits = (1..=4).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| fits)
    };
    let parts: Vec<u32> = text.split(between).map(number).collect::<Option<_>>()?;
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_parsed_as_in_athena() {
        for (text, expected) in [
            ("2023-11-01 09:00:00.5", Some(("2023-11-01T09:00:00.500Z", None))),
            ("2023-11-01 09:00:00.0005", Some(("2023-11-01T09:00:00.001Z", None))),
            ("2023-11-01 09:00", Some(("2023-11-01T09:00:00Z", None))),
            ("2023-11-01", Some(("2023-11-01T00:00:00Z", None))),
            (" 2023-1-1 9:0:0 ", Some(("2023-01-01T09:00:00Z", None))),
            ("2023-11-01 09:00:00 Asia/Seoul", Some(("2023-11-01T09:00:00Z", Some("Asia/Seoul")))),
            ("2023-11-01 09:00:00+09:00", Some(("2023-11-01T09:00:00Z", Some("+09:00")))),
            ("2023-11-01 UTC", Some(("2023-11-01T00:00:00Z", Some("UTC")))),
            ("2023-11-01T09:00:00", None),
            ("2023-11-01 09", None),
            ("2023-11-01 09:00.5", None),
            ("2023-11-01 24:00:00", None),
            ("2023-11-01 09:00:60", None),
            ("2023-02-29", None),
            ("23-11-01", None),
            ("20231101", None),
            ("", None),
        ] {
            let found = TimestampText::parse(text);
            let found = found.map(|found| (found.millis().unwrap().to_string(), found.zone));
            let expected = expected
                .map(|(instant, zone)| (UtcInstant::parse_iso8601(instant).unwrap().to_string(), zone));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_double_is_written_with_its_exponent() {
        for (number, text) in [
            (1.0, "1.0E0"),
            (0.001, "1.0E-3"),
            (1e7, "1.0E7"),
            (-123.456, "-1.23456E2"),
            (0.0, "0E0"),
            (-0.0, "-0E0"),
            (f64::INFINITY, "Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(scientific(number, false), text);
        }
        assert_eq!(scientific(f64::from(0.1_f32), true), "1.0E-1");
    }

    #[test]
    fn a_decimal_has_digits() {
        for text in ["1", "-1.5", "+.5", "1.", "1e3", "1E-3"] {
            assert!(is_decimal(text), "{text}");
        }
        for text in ["", ".", "-", "1e", "1 ", "0x1", "1.2.3", "NaN"] {
            assert!(!is_decimal(text), "{text}");
        }
    }
}

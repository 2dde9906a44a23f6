//! Parsers for the values of settings.

use std::str::FromStr;

use bytesize::ByteSize;

use crate::dataset;
use crate::table::Naming;

/// The least memory that works.
const MIN_MEMORY: u64 = 64 << 20;

/// Format of messages on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum LogFormat {
    Text,
    Json,
}

/// A value, or a text about the expected form.
pub(in crate::cli) type Parsed<T> = std::result::Result<T, String>;

#[expect(clippy::unnecessary_wraps, reason = "one of the parsers that pick takes")]
pub(super) fn text(value: &str) -> Parsed<String> {
    Ok(value.to_owned())
}

pub(super) fn threads(value: &str) -> Parsed<usize> {
    match value.parse() {
        Ok(threads @ 1..=1024) => Ok(threads),
        _ => Err("expected a number from 1 to 1024".to_owned()),
    }
}

pub(super) fn size(value: &str) -> Parsed<u64> {
    ByteSize::from_str(value)
        .map(|size| size.as_u64())
        .map_err(|_| "expected a size, for example 256MiB".to_owned())
}

pub(super) fn memory(value: &str) -> Parsed<u64> {
    match size(value)? {
        bytes if bytes >= MIN_MEMORY => Ok(bytes),
        _ if value.bytes().all(|byte| byte.is_ascii_digit()) => Err(format!(
            "the minimum is 64MiB, and a number without a unit means bytes; did you mean {value}MiB?"
        )),
        _ => Err("the minimum is 64MiB".to_owned()),
    }
}

pub(super) fn ratio(value: &str) -> Parsed<f64> {
    let parsed = match value.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => value.trim().parse::<f64>(),
    };
    parsed
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio))
        .ok_or_else(|| "expected a share, for example 1% or 0.01".to_owned())
}

pub(super) fn truth(value: &str) -> Parsed<bool> {
    match value {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" | "" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

pub(super) fn log_format(value: &str) -> Parsed<LogFormat> {
    match value {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("expected text or json".to_owned()),
    }
}

pub(super) fn naming(value: &str) -> Parsed<Naming> {
    match value {
        "snake" => Ok(Naming::Snake),
        "compact" => Ok(Naming::Compact),
        _ => Err("expected snake or compact".to_owned()),
    }
}

/// Parses a time span into milliseconds.
pub(in crate::cli) fn span_ms(value: &str) -> Parsed<i64> {
    let span =
        humantime::parse_duration(value).map_err(|_| "expected a time, for example 6h or 90m".to_owned())?;
    i64::try_from(span.as_millis())
        .ok()
        .filter(|millis| *millis <= 366 * 86_400_000)
        .ok_or_else(|| "the maximum is a year".to_owned())
}

/// The name of a log type, or `all`. Another spelling of a name gives the name itself.
pub(super) fn dataset_name(value: &str) -> Parsed<String> {
    if value.eq_ignore_ascii_case(dataset::ALL_LOG_TYPES) {
        return Ok(dataset::ALL_LOG_TYPES.to_owned());
    }
    dataset::spelled(value).map(|dataset| dataset.name().to_owned()).ok_or_else(|| {
        let meant = dataset::meant(&value.to_ascii_lowercase());
        format!("expected {} or all{meant}", dataset::names())
    })
}

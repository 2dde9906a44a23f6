//! Values as people write them.

use std::str::FromStr;

use bytesize::ByteSize;

use super::LogFormat;
use crate::dataset;
use crate::table::Naming;

/// What is needed at least.
const MIN_MEMORY: u64 = 64 << 20;

/// A value, or what was expected.
pub(in crate::cli) type Parsed<T> = std::result::Result<T, String>;

#[expect(clippy::unnecessary_wraps, reason = "one of the parsers that pick takes")]
pub(super) fn text(value: &str) -> Parsed<String> {
    Ok(value.to_owned())
}

pub(super) fn threads(value: &str) -> Parsed<usize> {
    match value.parse() {
        Ok(threads @ 1..=1024) => Ok(threads),
        _ => Err("a number from 1 to 1024 is expected".to_owned()),
    }
}

pub(super) fn size(value: &str) -> Parsed<u64> {
    ByteSize::from_str(value)
        .map(|size| size.as_u64())
        .map_err(|_| "a size such as 256MiB is expected".to_owned())
}

pub(super) fn memory(value: &str) -> Parsed<u64> {
    match size(value)? {
        bytes if bytes >= MIN_MEMORY => Ok(bytes),
        _ => Err("at least 64MiB are needed".to_owned()),
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
        .ok_or_else(|| "a share such as 1% or 0.01 is expected".to_owned())
}

pub(super) fn truth(value: &str) -> Parsed<bool> {
    match value {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" | "" => Ok(false),
        _ => Err("true or false is expected".to_owned()),
    }
}

pub(super) fn log_format(value: &str) -> Parsed<LogFormat> {
    match value {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("text or json is expected".to_owned()),
    }
}

pub(super) fn naming(value: &str) -> Parsed<Naming> {
    match value {
        "snake" => Ok(Naming::Snake),
        "compact" => Ok(Naming::Compact),
        _ => Err("snake or compact is expected".to_owned()),
    }
}

/// A time in milliseconds.
pub(in crate::cli) fn span_ms(value: &str) -> Parsed<i64> {
    let span =
        humantime::parse_duration(value).map_err(|_| "a time such as 6h or 90m is expected".to_owned())?;
    i64::try_from(span.as_millis())
        .ok()
        .filter(|millis| *millis <= 366 * 86_400_000)
        .ok_or_else(|| "at most a year is allowed".to_owned())
}

/// A dataset's name, or `all`.
pub(super) fn dataset_name(value: &str) -> Parsed<String> {
    if value == "all" || dataset::named(value).is_some() {
        return Ok(value.to_owned());
    }
    Err(format!("unknown log type '{value}': expected {} or all", dataset::names()))
}

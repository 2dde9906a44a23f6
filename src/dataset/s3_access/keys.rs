//! The keys of S3 server access logs.
//!
//! `[prefix]YYYY-MM-DD-hh-mm-ss-unique`, with no separator between prefix and time, or
//! `[prefix]account/region/bucket/YYYY/MM/DD/YYYY-MM-DD-hh-mm-ss-unique`. The time is the time of delivery. In the second
//! form it may instead be the UTC day of the events, with midnight as the time of day. The unique part is upper case. Other
//! programs also write such times, with another meaning (Firehose: `stream-1-YYYY-MM-DD-hh-mm-ss-uuid`).
//! Source: AWS, "Logging requests with server access logging", log object key format.

use crate::dataset::key_origin::{KeyOrigin, is_account};
use crate::dataset::object_key::{self, KeyClaim, KeyTime, TimeInKey};
use crate::kst::UtcInstant;

const PATTERN: &str = "YYYY-MM-DD-hh-mm-ss-";

/// Claims a key.
pub(super) fn claim(key: &str) -> KeyClaim {
    let Some((_, at)) = time_in(object_key::split(key).1) else {
        return KeyClaim::Unclear;
    };
    KeyClaim::Mine(if at == at.utc_midnight() { KeyTime::Midnight(at) } else { KeyTime::Delivered(at) })
}

/// Whether a folder belongs to a source bucket: `[prefix]account/region/bucket`, with twelve digits for the account.
pub(super) fn holds_days(folder: &str) -> bool {
    source_of(folder).is_some()
}

/// Returns account, region and bucket of the folder of a source bucket.
fn source_of(folder: &str) -> Option<KeyOrigin<'_>> {
    let (above, bucket) = object_key::split(folder);
    let (above, region) = object_key::split(above);
    let account = object_key::split(above).1;
    let account = account.get(account.len().saturating_sub(12)..).filter(|account| is_account(account))?;
    let is_source = region.matches('-').count() >= 2 && !bucket.is_empty();
    is_source.then_some(KeyOrigin { account: Some(account), region: Some(region), bucket: Some(bucket) })
}

/// Returns the source bucket that the folders of a log show. Names have none.
pub(super) fn origin(path: &str) -> KeyOrigin<'_> {
    let mut folders = std::iter::successors(path.rsplit_once('/'), |(folder, _)| folder.rsplit_once('/'));
    folders.find_map(|(folder, _)| source_of(folder)).unwrap_or_default()
}

/// Returns the place of the time in the name of a log, after its prefix.
pub(super) fn time_in_key(key: &str) -> Option<TimeInKey> {
    let name = object_key::split(key).1;
    let (start, _) = time_in(name)?;
    Some(TimeInKey { start: key.len() - name.len() + start, pattern: PATTERN, may_name_event_day: true })
}

/// Finds the last time in a name, if a unique part follows it. A prefix may hold times too.
fn time_in(name: &str) -> Option<(usize, UtcInstant)> {
    let bytes = name.as_bytes();
    let last_start = bytes.len().checked_sub(PATTERN.len() + 1)?;
    let at = |start: usize| object_key::time_by_pattern(&bytes[start..], PATTERN);
    let (start, at) = (0..=last_start).rev().find_map(|start| Some((start, at(start)?)))?;
    is_unique_part(&name[start + PATTERN.len()..]).then_some((start, at))
}

/// Extensions that users and tools add to the names of logs, including those of incomplete files.
const EXTENSIONS: [&str; 8] = ["", "gz", "log", "log.gz", "txt", "txt.gz", "tmp", "part"];

/// Whether a text can follow the time: hexadecimal digits in upper case, possibly with an extension.
fn is_unique_part(text: &str) -> bool {
    let (unique, extension) = text.split_once('.').unwrap_or((text, ""));
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    !unique.is_empty() && unique.bytes().all(is_digit) && EXTENSIONS.contains(&extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> UtcInstant {
        UtcInstant::parse_iso8601(text).unwrap()
    }

    #[test]
    fn source_buckets_hold_days() {
        assert!(holds_days("logs/123456789012/ap-northeast-2/web"));
        assert!(holds_days("logs-123456789012/ap-northeast-2/web"));
        for folder in ["logs/ap-northeast-2/web", "123456789012/web/x", "123456789012/ap-northeast-2", ""] {
            assert!(!holds_days(folder), "{folder}");
        }
        let time = time_in_key("logs/app12023-11-01-00-22-33-AB");
        let start = "logs/app1".len();
        assert_eq!(time, Some(TimeInKey { start, pattern: PATTERN, may_name_event_day: true }));
    }

    #[test]
    fn the_folders_show_the_source_bucket() {
        let name = "2023-11-01-00-22-33-AB";
        let source = ("123456789012", "ap-northeast-2", "web");
        for (folder, expected) in [
            ("logs/123456789012/ap-northeast-2/web/2023/11/01/", Some(source)),
            ("logs-123456789012/ap-northeast-2/web/", Some(source)),
            ("111122223333/us-east-1/old/123456789012/ap-northeast-2/web/2023/11/01/", Some(source)),
            ("logs/web/2023/11/01/", None),
            ("", None),
        ] {
            let path = format!("{folder}{name}");
            let origin = origin(&path);
            let found = origin.account.zip(origin.region).zip(origin.bucket);
            assert_eq!(
                found.map(|((account, region), bucket)| (account, region, bucket)),
                expected,
                "{folder}"
            );
        }
    }

    #[test]
    fn the_time_is_found_after_any_prefix() {
        let delivered = |text| KeyClaim::Mine(KeyTime::Delivered(instant(text)));
        for (key, expected) in [
            ("2023-11-01-00-22-33-23B392B734E22958", delivered("2023-11-01T00:22:33Z")),
            ("logs/emr2021-11-08-13-10-55-E99D7343D993A492", delivered("2021-11-08T13:10:55Z")),
            ("app12023-11-01-00-22-33-AB.gz", delivered("2023-11-01T00:22:33Z")),
            ("backup-2020-01-01-00-00-00-2023-11-01-00-22-33-AB", delivered("2023-11-01T00:22:33Z")),
            (
                "p/123456789012/ap-northeast-2/web/2023/11/01/2023-11-01-09-10-11-AB",
                delivered("2023-11-01T09:10:11Z"),
            ),
            (
                "p/123456789012/ap-northeast-2/web/2023/11/01/2023-11-01-00-00-00-AB",
                KeyClaim::Mine(KeyTime::Midnight(instant("2023-11-01T00:00:00Z"))),
            ),
            ("2023-11-01-00-00-00-AB", KeyClaim::Mine(KeyTime::Midnight(instant("2023-11-01T00:00:00Z")))),
            ("app-1-2023-11-01-04-00-00-0b9bd55b-6a3c-4b0b-9d6a-0c7c1c1f0e11.gz", KeyClaim::Unclear),
            ("app-1-2023-11-01-04-00-00-ab", KeyClaim::Unclear),
            ("db-2023-11-01-04-00-00-FULL.sql.gz", KeyClaim::Unclear),
            ("cloudtrail-2023-11-01-04-00-00-01.json.gz", KeyClaim::Unclear),
            ("2023-13-01-00-22-33-AB", KeyClaim::Unclear),
            ("2023-11-01-00-22-33-", KeyClaim::Unclear),
            ("access.log", KeyClaim::Unclear),
            ("", KeyClaim::Unclear),
        ] {
            assert_eq!(claim(key), expected, "{key}");
        }
    }
}

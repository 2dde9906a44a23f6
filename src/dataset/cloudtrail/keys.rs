//! What CloudTrail's objects are called.
//!
//! `[prefix/]AWSLogs/[o-org/]account/CloudTrail/region/YYYY/MM/DD/account_CloudTrail_region_YYYYMMDDTHHmmZ_unique.json.gz`,
//! with the UTC minute of delivery in the name. The folder after the account decides what an object holds; regions are
//! not looked at, so that a new one needs no release.
//! Source: AWS, "CloudTrail log file examples" and "Finding your CloudTrail log files".

use crate::dataset::object_key::{self, KeyClaim, KeyTime, TimeInKey};
use crate::kst::UtcInstant;

/// Folders beside `CloudTrail`, the mark that their objects carry in their names, and why they are left out.
const OTHER_KINDS: [(&str, &str); 4] = [
    ("CloudTrail-Digest", "digest of log files, no events"),
    ("CloudTrail-Insight", "insight events have another shape"),
    ("CloudTrail-Aggregated", "aggregated events have another shape"),
    ("CloudTrail-NetworkActivity", "network activity events are not asked for"),
];
const PATTERN: &str = "YYYYMMDDThhmmZ";
const OTHER_SERVICE: &str = "log of another AWS service";

/// Judges a key.
pub(super) fn claim(key: &str) -> KeyClaim {
    let (folder, name) = object_key::split(key);
    match service_folder(folder) {
        Some("CloudTrail") => {}
        Some(other) => return KeyClaim::NotMine(reason_for(other)),
        None => {
            if let Some((_, reason)) = OTHER_KINDS.iter().find(|(kind, _)| name.contains(kind)) {
                return KeyClaim::NotMine(reason);
            }
        }
    }
    match delivered_at(name) {
        Some(at) => KeyClaim::Mine(KeyTime::Delivered(at)),
        None => KeyClaim::Unclear,
    }
}

fn reason_for(folder: &str) -> &'static str {
    OTHER_KINDS.iter().find(|(kind, _)| *kind == folder).map_or(OTHER_SERVICE, |(_, reason)| reason)
}

/// The folder that says which service wrote: after `AWSLogs`, an organisation where there is one, and the account.
fn service_folder(folder: &str) -> Option<&str> {
    let mut parts = folder.split('/').skip_while(|part| *part != "AWSLogs").skip(1).peekable();
    parts.next_if(|part| part.starts_with("o-"));
    parts.next()?;
    parts.next()
}

/// Whether a folder is that of a region: `.../CloudTrail/region`.
pub(super) fn holds_days(folder: &str) -> bool {
    let (above, region) = object_key::split(folder);
    object_key::split(above).1 == "CloudTrail" && region.contains('-')
}

/// The time in the name of a log, behind what all names of an account and region begin with.
pub(super) fn time_in_key(key: &str) -> Option<TimeInKey> {
    delivered_at(object_key::split(key).1)?;
    let time = |part: &str| object_key::time_by_pattern(part.as_bytes(), PATTERN).is_some();
    let name_at = key.len() - object_key::split(key).1.len();
    let found = key[name_at..].match_indices('_').find(|(at, _)| time(&key[name_at + at + 1..]))?;
    Some(TimeInKey { start: name_at + found.0 + 1, pattern: PATTERN })
}

/// The time in `account_CloudTrail_region_YYYYMMDDTHHmmZ_unique.json.gz`.
fn delivered_at(name: &str) -> Option<UtcInstant> {
    name.split('_').skip(1).find_map(|part| {
        (part.len() == PATTERN.len()).then(|| object_key::time_by_pattern(part.as_bytes(), PATTERN))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mine(text: &str) -> KeyClaim {
        KeyClaim::Mine(KeyTime::Delivered(UtcInstant::parse_iso8601(text).unwrap()))
    }

    #[test]
    fn days_lie_below_regions_and_names_sort_by_time() {
        assert!(holds_days("AWSLogs/o-x/123456789012/CloudTrail/ap-northeast-2"));
        for folder in ["AWSLogs/1/CloudTrail", "AWSLogs/1/CloudTrail-Digest/us-east-1", "CloudTrail/x/2023"] {
            assert!(!holds_days(folder), "{folder}");
        }
        let time = time_in_key("a/1_CloudTrail_us-east-1_20231031T1505Z_x.json.gz");
        assert_eq!(time, Some(TimeInKey { start: "a/1_CloudTrail_us-east-1_".len(), pattern: PATTERN }));
        assert_eq!(time_in_key("a/events.json"), None);
    }

    #[test]
    fn the_folder_after_the_account_decides() {
        let day = "2023/10/31";
        for (key, expected) in [
            (
                format!(
                    "AWSLogs/123456789012/CloudTrail/us-gov-west-1/{day}/123456789012_CloudTrail_us-gov-west-1_20231031T1505Z_abc.json.gz"
                ),
                mine("2023-10-31T15:05:00Z"),
            ),
            (
                format!(
                    "some/prefix/AWSLogs/o-exampleorgid/123456789012/CloudTrail/xx-new-9/{day}/123456789012_CloudTrail_xx-new-9_20231031T1505Z_A_b.json"
                ),
                mine("2023-10-31T15:05:00Z"),
            ),
            (
                format!(
                    "AWSLogs/1/CloudTrail-Digest/r/{day}/1_CloudTrail-Digest_r_t_r_20231031T150501Z.json.gz"
                ),
                KeyClaim::NotMine("digest of log files, no events"),
            ),
            (
                format!(
                    "AWSLogs/1/CloudTrail-Insight/r/{day}/1_CloudTrail-Insight_r_20231031T1505Z_x.json.gz"
                ),
                KeyClaim::NotMine("insight events have another shape"),
            ),
            (
                "1_CloudTrail-Aggregated_r_20231031T1505Z_x.json.gz".to_owned(),
                KeyClaim::NotMine("aggregated events have another shape"),
            ),
            (
                format!("AWSLogs/1/elasticloadbalancing/r/{day}/x.log.gz"),
                KeyClaim::NotMine("log of another AWS service"),
            ),
            ("1_CloudTrail_r_20231031T1505Z_x.json.gz".to_owned(), mine("2023-10-31T15:05:00Z")),
            ("events.json".to_owned(), KeyClaim::Unclear),
            ("a_20231331T1505Z_b.json".to_owned(), KeyClaim::Unclear),
        ] {
            assert_eq!(claim(&key), expected, "{key}");
        }
    }
}

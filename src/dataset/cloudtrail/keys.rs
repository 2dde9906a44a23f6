//! What CloudTrail's objects are called.
//!
//! `[prefix/]AWSLogs/[o-org/]account/CloudTrail/region/YYYY/MM/DD/account_CloudTrail_region_YYYYMMDDTHHmmZ_unique.json.gz`,
//! with the UTC minute of delivery in the name. The folder after the account decides what an object holds; regions are
//! not looked at, so that a new one needs no release.
//! Source: AWS, "CloudTrail log file examples" and "Finding your CloudTrail log files".

use crate::dataset::object_key::{self, KeyClaim, KeyTime};
use crate::kst::UtcInstant;

/// Folders beside `CloudTrail`, the mark that their objects carry in their names, and why they are left out.
const OTHER_KINDS: [(&str, &str); 4] = [
    ("CloudTrail-Digest", "digest of log files, no events"),
    ("CloudTrail-Insight", "insight events have another shape"),
    ("CloudTrail-Aggregated", "aggregated events have another shape"),
    ("CloudTrail-NetworkActivity", "network activity events are not asked for"),
];
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

/// The time in `account_CloudTrail_region_YYYYMMDDTHHmmZ_unique.json.gz`.
fn delivered_at(name: &str) -> Option<UtcInstant> {
    name.split('_').skip(1).find_map(|part| {
        (part.len() == "YYYYMMDDThhmmZ".len())
            .then(|| object_key::time_by_pattern(part.as_bytes(), "YYYYMMDDThhmmZ"))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mine(text: &str) -> KeyClaim {
        KeyClaim::Mine(KeyTime::Delivered(UtcInstant::parse_iso8601(text).unwrap()))
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

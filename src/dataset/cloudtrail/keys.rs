//! The keys of CloudTrail's objects.
//!
//! `[prefix/]AWSLogs/[o-org/]account/CloudTrail/region/YYYY/MM/DD/account_CloudTrail_region_YYYYMMDDTHHmmZ_unique.json.gz`,
//! with the UTC minute of delivery in the name. The name alone identifies a CloudTrail log, so that a copy without its
//! folders is read like the trail. The folder after the account only identifies logs of other services. Regions are not
//! checked, so that a new region needs no release.
//! Source: AWS, "CloudTrail log file examples" and "Finding your CloudTrail log files".

use crate::dataset::key_origin::{KeyOrigin, is_account, is_region};
use crate::dataset::object_key::{self, KeyClaim, KeyTime, TimeInKey};
use crate::dataset::service_folder::{self, OTHER_SERVICE};
use crate::kst::UtcInstant;

const DIGESTS: &str = "digest of log files, no events";
/// The other logs of CloudTrail, in the place of the service in folders and names, and why they are left out.
const OTHER_KINDS: [(&str, &str); 4] = [
    ("CloudTrail-Digest", DIGESTS),
    ("CloudTrail-Insight", "Insights events have a different format"),
    ("CloudTrail-Aggregated", "aggregated events have a different format"),
    ("CloudTrail-NetworkActivity", "network activity events are not asked for"),
];
pub(super) const SERVICE: &str = "CloudTrail";
const PATTERN: &str = "YYYYMMDDThhmmZ";

/// Claims a key.
pub(super) fn claim(key: &str) -> KeyClaim {
    let (folder, name) = object_key::split(key);
    if let Some(at) = delivered_at(name) {
        return KeyClaim::Mine(KeyTime::Delivered(at));
    }
    let reason = of_another_kind(name).or_else(|| service_folder::of(folder).and_then(other_kind));
    reason.map_or(KeyClaim::Unclear, KeyClaim::NotMine)
}

/// Whether a path is that of a digest or of their folder.
pub(super) fn is_digest(path: &str) -> bool {
    claim(path) == KeyClaim::NotMine(DIGESTS)
}

fn other_kind(name: &str) -> Option<&'static str> {
    let of_trail = OTHER_KINDS.iter().find(|(kind, _)| *kind == name).map(|(_, reason)| *reason);
    of_trail.or_else(|| service_folder::is_other(name, SERVICE).then_some(OTHER_SERVICE))
}

/// Returns why a name in AWS's form, `account_kind_..._time_...`, is not a CloudTrail log. A name without a time does not
/// come from AWS and is not judged. Some kinds have words before the account: `conn_log_account_elasticloadbalancing_...`.
fn of_another_kind(name: &str) -> Option<&'static str> {
    let has_time = |part: &str| object_key::time_by_pattern(part.as_bytes(), "YYYYMMDDThhmm").is_some();
    let of_trail = name.split('_').filter(|part| part.starts_with("CloudTrail-")).find_map(other_kind);
    let of_service = || name.split('_').find_map(other_kind);
    let of_account = || name.split('_').next().is_some_and(is_account).then_some(OTHER_SERVICE);
    let other = of_trail.or_else(of_service).or_else(of_account);
    other.filter(|_| name.split('_').skip(2).any(has_time))
}

/// Whether a folder belongs to a region: `.../CloudTrail/region`.
pub(super) fn holds_days(folder: &str) -> bool {
    let (above, region) = object_key::split(folder);
    object_key::split(above).1 == SERVICE && region.contains('-')
}

/// Returns the account and region in the name of a log, or in its folders if the name has been changed.
pub(super) fn origin(path: &str) -> KeyOrigin<'_> {
    let parts: Vec<&str> = object_key::split(path).1.split('_').collect();
    let named = parts.windows(3).find(|part| part[1] == "CloudTrail" && is_account(part[0]));
    match named {
        Some(part) => KeyOrigin {
            account: Some(part[0]),
            region: Some(part[2]).filter(|region| is_region(region)),
            bucket: None,
        },
        None => KeyOrigin::of_service(path, SERVICE),
    }
}

/// Returns the place of the time in the name of a log, after the part that all names of an account and region share.
pub(super) fn time_in_key(key: &str) -> Option<TimeInKey> {
    let name = object_key::split(key).1;
    delivered_at(name)?;
    let is_time = |part: &str| object_key::time_by_pattern(part.as_bytes(), PATTERN).is_some();
    let (at, _) = name.match_indices('_').find(|(at, _)| is_time(&name[at + 1..]))?;
    Some(TimeInKey { start: key.len() - name.len() + at + 1, pattern: PATTERN, may_name_event_day: false })
}

/// Returns the time in `account_CloudTrail_region_YYYYMMDDTHHmmZ_unique.json.gz`.
fn delivered_at(name: &str) -> Option<UtcInstant> {
    let mut parts = name.split('_').skip_while(|part| *part != "CloudTrail").skip(1);
    parts.find_map(|part| {
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
    fn regions_hold_days_and_names_sort_by_time() {
        assert!(holds_days("AWSLogs/o-x/123456789012/CloudTrail/ap-northeast-2"));
        for folder in ["AWSLogs/1/CloudTrail", "AWSLogs/1/CloudTrail-Digest/us-east-1", "CloudTrail/x/2023"] {
            assert!(!holds_days(folder), "{folder}");
        }
        let time = time_in_key("a/1_CloudTrail_us-east-1_20231031T1505Z_x.json.gz");
        let start = "a/1_CloudTrail_us-east-1_".len();
        assert_eq!(time, Some(TimeInKey { start, pattern: PATTERN, may_name_event_day: false }));
        assert_eq!(time_in_key("a/events.json"), None);
    }

    #[test]
    fn the_name_shows_account_and_region_and_otherwise_the_folders_do() {
        let time = "20231031T1505Z_x.json.gz";
        let folders = "AWSLogs/o-x/111122223333/CloudTrail/us-east-1/2023/10/31";
        for (path, account, region) in [
            (
                format!("123456789012_CloudTrail_ap-northeast-2_{time}"),
                Some("123456789012"),
                Some("ap-northeast-2"),
            ),
            (
                format!("{folders}/123456789012_CloudTrail_ap-northeast-2_{time}"),
                Some("123456789012"),
                Some("ap-northeast-2"),
            ),
            (format!("copy_123456789012_CloudTrail_r_{time}"), Some("123456789012"), None),
            (format!("{folders}/1_CloudTrail_r_{time}"), Some("111122223333"), Some("us-east-1")),
            (format!("a/1_CloudTrail_r_{time}"), None, None),
        ] {
            let origin = origin(&path);
            assert_eq!((origin.account, origin.region, origin.bucket), (account, region, None), "{path}");
        }
    }

    #[test]
    fn a_log_is_recognised_by_its_name_below_any_folders() {
        let name = "123456789012_CloudTrail_ap-northeast-2_20231031T1505Z_A_b.json.gz";
        for folders in [
            "",
            "2023/10/31/",
            "CloudTrail/ap-northeast-2/2023/10/31/",
            "CloudTrail/ap-northeast-2/2023/3/5/",
            "123456789012/CloudTrail/ap-northeast-2/",
            "AWSLogs/123456789012/CloudTrail/xx-new-9/2023/10/31/",
            "some/prefix/AWSLogs/o-exampleorgid/123456789012/CloudTrail/us-gov-west-1/2023/10/31/",
            "AWSLogs/AWSLogs/123456789012/CloudTrail/us-east-1/2023/10/31/",
            "AWSLogs/archive/AWSLogs/123456789012/CloudTrail/us-east-1/2023/10/31/",
            "AWSLogs/archive/2023/AWSLogs/123456789012/CloudTrail/us-east-1/2023/10/31/",
            "123456789012/Config/copy/",
        ] {
            assert_eq!(claim(&format!("{folders}{name}")), mine("2023-10-31T15:05:00Z"), "{folders}");
        }
        assert_eq!(claim("copy_of_1_CloudTrail_r_20231031T1505Z_x.json"), mine("2023-10-31T15:05:00Z"));
    }

    #[test]
    fn logs_of_other_services_are_recognised_by_name_or_by_the_folder_after_the_account() {
        assert!(is_digest("AWSLogs/111122223333/CloudTrail-Digest/"));
        assert!(!is_digest("AWSLogs/111122223333/CloudTrail/"));
        for (key, reason) in [
            ("1_CloudTrail-Digest_r_t_r_20231031T150501Z.json.gz", "digest of log files, no events"),
            ("1_CloudTrail-Insight_r_20231031T1505Z_x.json.gz", "Insights events have a different format"),
            (
                "1_CloudTrail-Aggregated_r_20231031T1505Z_x.json.gz",
                "aggregated events have a different format",
            ),
            (
                "111122223333_elasticloadbalancing_r_app.web.0a_20231031T1505Z_192.0.2.7_1.log.gz",
                OTHER_SERVICE,
            ),
            ("vpc-0a1b_vpcdnsquerylogs_111122223333_20231031T1505Z_0a1b.log.gz", OTHER_SERVICE),
            (
                "conn_log_111122223333_elasticloadbalancing_r_app.web.0a_20231031T1505Z_192.0.2.7_1.log.gz",
                OTHER_SERVICE,
            ),
            (
                "health_check_log_111122223333_elasticloadbalancing_r_app.web.0a_20231031T1505Z_192.0.2.7_1.log.gz",
                OTHER_SERVICE,
            ),
            ("111122223333_elasticloadbalancing_r_net.tcp.0a_20231031T1505Z_1.log.gz", OTHER_SERVICE),
            ("111122223333_elasticloadbalancing_r_old_20231031T1505Z_192.0.2.7_1.log", OTHER_SERVICE),
            ("111122223333_waflogs_r_acl_20231031T1505Z_0a1b.log.gz", OTHER_SERVICE),
            ("111122223333_vpcflowlogs_r_fl-0a1b_20231031T1505Z_0a1b.log.gz", OTHER_SERVICE),
            ("111122223333_newservice_r_20231031T1505Z_x.log.gz", OTHER_SERVICE),
            ("AWSLogs/111122223333/elasticloadbalancing/r/2023/10/31/x.log.gz", OTHER_SERVICE),
            ("111122223333/Config/r/2023/10/31/events.json", OTHER_SERVICE),
            ("AWSLogs/111122223333/CloudTrail-Insight/", "Insights events have a different format"),
        ] {
            assert_eq!(claim(key), KeyClaim::NotMine(reason), "{key}");
        }
        for key in [
            "events.json",
            "a_CloudTrail_r_20231331T1505Z_b.json",
            "trail_20231031T1505Z_b.json",
            "AWSLogs/111122223333/archive/events.json",
            "Config/events.json",
            "111122223333_events.json",
            "111122223333_2023-11-01.json.gz",
            "prod_redshift_trail.json",
        ] {
            assert_eq!(claim(key), KeyClaim::Unclear, "{key}");
        }
    }
}

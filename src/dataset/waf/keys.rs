//! The keys of AWS WAF's objects.
//!
//! ```text
//! [prefix/]AWSLogs/[o-org/]account/WAFLogs/region/acl/YYYY/MM/DD/hh/mm/account_waflogs_region_acl_YYYYMMDDThhmmZ_hash.log.gz
//! [prefix]YYYY/MM/DD/hh/aws-waf-logs-stream-1-YYYY-MM-DD-hh-mm-ss-uuid
//! ```
//!
//! The name alone identifies a log, so that a copy without its folders is read too. In the first form the time is that of an
//! interval of 5 minutes, and the region is `cloudfront` for a web ACL of `CloudFront`. Firehose writes the second form, with
//! the time at which its oldest record arrived. Source: AWS, "Sending protection pack (web ACL) traffic logs to an Amazon
//! Simple Storage Service bucket", and "Custom prefixes for Amazon S3 objects" of Firehose.

use crate::dataset::key_origin::{KeyOrigin, is_account, is_region};
use crate::dataset::object_key::{self, KeyClaim, KeyTime, TimeInKey};
use crate::dataset::service_folder::{self, OTHER_SERVICE};
use crate::kst::UtcInstant;

/// The service in folders, and its name in object names.
pub(super) const SERVICE: &str = "WAFLogs";
pub(super) const IN_NAMES: &str = "waflogs";
const PATTERN: &str = "YYYYMMDDThhmmZ";

/// The beginning of the names of all buckets and streams that WAF logs to.
const STREAM: &str = "aws-waf-logs-";
const STREAM_PATTERN: &str = "YYYY-MM-DD-hh-mm-ss-";

/// How far the events can be from the time in a name. Intervals are 5 minutes, and Firehose collects records for at most 15
/// minutes. AWS promises no limit.
const REACH_MS: i64 = 3_600_000;

/// The facts in the name of a log.
struct Name<'n> {
    at: UtcInstant,
    /// Start of the time in the name, and its form.
    start: usize,
    pattern: &'static str,
    account: Option<&'n str>,
    region: Option<&'n str>,
}

impl<'n> Name<'n> {
    fn of(name: &'n str) -> Option<Self> {
        Self::of_service(name).or_else(|| Self::of_stream(name))
    }

    /// Reads `account_waflogs_region_acl_YYYYMMDDThhmmZ_hash.log.gz`. The name of a web ACL can hold `_`.
    fn of_service(name: &'n str) -> Option<Self> {
        let (prefix, rest) = name.split_once("_waflogs_")?;
        let account = prefix.get(prefix.len().checked_sub(12)?..).filter(|account| is_account(account));
        let (region, _) = rest.split_once('_')?;
        let (start, at) = rest
            .match_indices('_')
            .filter_map(|(end, _)| {
                let time = rest[end + 1..].split('_').next().filter(|time| time.len() == PATTERN.len())?;
                Some((end + 1, object_key::time_by_pattern(time.as_bytes(), PATTERN)?))
            })
            .next_back()?;
        let start = name.len() - rest.len() + start;
        Some(Self { at, start, pattern: PATTERN, account, region: Some(region) })
    }

    /// Reads `aws-waf-logs-stream-1-YYYY-MM-DD-hh-mm-ss-uuid`.
    fn of_stream(name: &'n str) -> Option<Self> {
        let front = name.find(STREAM)? + STREAM.len();
        let last = name.len().checked_sub(STREAM_PATTERN.len() + 1)?;
        let at = |start: usize| object_key::time_by_pattern(&name.as_bytes()[start..], STREAM_PATTERN);
        let (start, at) = (front..=last).rev().find_map(|start| Some((start, at(start)?)))?;
        Some(Self { at, start, pattern: STREAM_PATTERN, account: None, region: None })
    }
}

/// Claims a key.
pub(super) fn claim(path: &str) -> KeyClaim {
    let name = object_key::split(path).1;
    match Name::of(name) {
        Some(found) => KeyClaim::Mine(KeyTime::stretch(found.at, REACH_MS, REACH_MS)),
        None if is_of_other_service(name) => KeyClaim::NotMine(OTHER_SERVICE),
        None => service_folder::claim(path, SERVICE),
    }
}

/// Whether a name in AWS's form, `account_service_..._time_...`, names another service.
fn is_of_other_service(name: &str) -> bool {
    let has_time = |part: &str| object_key::time_by_pattern(part.as_bytes(), "YYYYMMDDThhmm").is_some();
    let is_other = |part: &str| service_folder::is_other(part, IN_NAMES);
    name.split('_').any(is_other) && name.split('_').skip(2).any(has_time)
}

/// Returns the place of the time in the name of a log.
pub(super) fn time_in_key(key: &str) -> Option<TimeInKey> {
    let name = object_key::split(key).1;
    let found = Name::of(name)?;
    let start = key.len() - name.len() + found.start;
    Some(TimeInKey { start, pattern: found.pattern, may_name_event_day: false })
}

/// Whether a folder belongs to a web ACL: `.../WAFLogs/region/acl`.
pub(super) fn holds_days(folder: &str) -> bool {
    let (above, acl) = object_key::split(folder);
    let (above, _) = object_key::split(above);
    object_key::split(above).1 == SERVICE && !acl.is_empty()
}

/// Returns the account and region in the name of a log, or in its folders if the name has been changed.
pub(super) fn origin(path: &str) -> KeyOrigin<'_> {
    match Name::of(object_key::split(path).1).filter(|found| found.account.is_some()) {
        Some(found) => KeyOrigin {
            account: found.account,
            region: found.region.filter(|region| is_region(region)),
            bucket: None,
        },
        None => KeyOrigin::of_service(path, SERVICE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDERS: &str = "p/AWSLogs/111122223333/WAFLogs/ap-northeast-2/shop_acl/2023/11/01/03/00/";
    const NAME: &str = "111122223333_waflogs_ap-northeast-2_shop_acl_20231101T0300Z_0a1b2c3d.log.gz";
    const STREAMED: &str = "aws-waf-logs-shop-1-2023-11-01-03-00-00-0b9bd55b-6a3c-4b0b-9d6a-0c7c1c1f0e11";

    fn mine() -> KeyClaim {
        let at = UtcInstant::parse_iso8601("2023-11-01T03:00:00Z").unwrap();
        KeyClaim::Mine(KeyTime::stretch(at, REACH_MS, REACH_MS))
    }

    #[test]
    fn the_name_identifies_a_log_below_any_folders() {
        for name in [
            NAME,
            "111122223333_waflogs_cloudfront_a_20231101T0300Z_0a1b.log.gz",
            "111122223333_waflogs_cloudfront_20231231T0000Z_20231101T0300Z_0a1b.log.gz",
            "copy_of_111122223333_waflogs_eu-west-1_a_20231101T0300Z_0a1b.log",
            STREAMED,
            "aws-waf-logs-2022-01-01-00-00-00-x-2-2023-11-01-03-00-00-0b9bd55b-6a3c-4b0b-9d6a-0c7c1c1f0e11.gz",
        ] {
            for folders in [
                FOLDERS,
                "",
                "AWSLogs/o-a/111122223333/WAFLogs/cloudfront/a/",
                "2023/11/01/03/",
                "x/2024/01/02/",
            ] {
                assert_eq!(claim(&format!("{folders}{name}")), mine(), "{folders}{name}");
            }
        }
    }

    #[test]
    fn other_names_are_unclear_or_of_another_service() {
        let other = KeyClaim::NotMine(OTHER_SERVICE);
        for (path, expected) in [
            ("111122223333_elasticloadbalancing_r_app.web.0a_20231101T0300Z_192.0.2.7_1.log.gz", other),
            (
                "conn_log_111122223333_elasticloadbalancing_r_app.web.0a_20231101T0300Z_192.0.2.7_1.log.gz",
                other,
            ),
            (
                "health_check_log_111122223333_elasticloadbalancing_r_app.web.0a_20231101T0300Z_1.log.gz",
                other,
            ),
            ("111122223333_elasticloadbalancing_r_old_20231101T0300Z_192.0.2.7_1.log", other),
            ("111122223333_CloudTrail_r_20231101T0300Z_1.json.gz", other),
            ("111122223333_vpcflowlogs_r_fl-0a1b_20231101T0300Z_0a1b.log.gz", other),
            ("vpc-0a1b_vpcdnsquerylogs_111122223333_20231101T0300Z_0a1b.log.gz", other),
            ("AWSLogs/111122223333/elasticloadbalancing/", other),
            ("AWSLogs/111122223333/WAFLogs/", KeyClaim::Unclear),
            ("AWSLogs/111122223333/WAFLogs/eu-west-1/a/renamed.log.gz", KeyClaim::Unclear),
            ("AWSLogs/111122223333/archive/x.log.gz", KeyClaim::Unclear),
            ("2023-11-01-00-22-33-23B392B734E22958", KeyClaim::Unclear),
            ("EMLARXS9EXAMPLE.2023-11-01-03.a1b2c3d4.gz", KeyClaim::Unclear),
            ("app-1-2023-11-01-04-00-00-0b9bd55b-6a3c-4b0b-9d6a-0c7c1c1f0e11.gz", KeyClaim::Unclear),
            ("aws-waf-logs-shop-1-2023-13-01-03-00-00-0b9bd55b", KeyClaim::Unclear),
            ("111122223333_waflogs_r_acl_20231131T0300Z_0a1b.log.gz", KeyClaim::Unclear),
            ("ELBAccessLogTestFile", KeyClaim::Unclear),
            ("", KeyClaim::Unclear),
        ] {
            assert_eq!(claim(path), expected, "{path}");
        }
    }

    #[test]
    fn other_log_types_do_not_claim_the_names() {
        use crate::dataset::all;
        for other in all().filter(|dataset| dataset.name() != "waf") {
            for name in [NAME, STREAMED, &format!("{STREAMED}.gz")] {
                for folders in ["", FOLDERS, "2023/11/01/03/"] {
                    let claim = other.claim(&format!("{folders}{name}"));
                    assert!(!matches!(claim, KeyClaim::Mine(_)), "{} of {folders}{name}", other.name());
                }
            }
        }
    }

    #[test]
    fn web_acls_hold_days_and_names_sort_by_time() {
        assert!(holds_days("AWSLogs/o-x/111122223333/WAFLogs/cloudfront/shop"));
        for folder in ["AWSLogs/1/WAFLogs/eu-west-1", "AWSLogs/1/WAFLogs", "AWSLogs/1/x/eu-west-1/shop"] {
            assert!(!holds_days(folder), "{folder}");
        }
        for (name, pattern, rest) in [
            (NAME, PATTERN, "20231101T0300Z_0a1b2c3d.log.gz".len()),
            (STREAMED, STREAM_PATTERN, "2023-11-01-03-00-00-0b9bd55b-6a3c-4b0b-9d6a-0c7c1c1f0e11".len()),
        ] {
            let key = format!("{FOLDERS}{name}");
            let start = key.len() - rest;
            assert_eq!(time_in_key(&key), Some(TimeInKey { start, pattern, may_name_event_day: false }));
        }
        assert_eq!(time_in_key("renamed.log.gz"), None);
    }

    #[test]
    fn the_name_shows_account_and_region_and_otherwise_the_folders_do() {
        for (path, account, region) in [
            (NAME.to_owned(), Some("111122223333"), Some("ap-northeast-2")),
            (format!("{FOLDERS}renamed.log.gz"), Some("111122223333"), Some("ap-northeast-2")),
            (NAME.replace("ap-northeast-2", "cloudfront"), Some("111122223333"), None),
            (STREAMED.to_owned(), None, None),
        ] {
            let origin = origin(&path);
            assert_eq!((origin.account, origin.region, origin.bucket), (account, region, None), "{path}");
        }
    }
}

//! The keys of Route 53 Resolver query logs.
//!
//! ```text
//! [prefix/]AWSLogs/[o-org/]account/vpcdnsquerylogs/vpc/YYYY/MM/DD/[hh/]vpc_vpcdnsquerylogs_account_YYYYMMDDThhmmZ_hash.log.gz
//! ```
//!
//! If a Route 53 Profile applies the logging, its id takes the place of the VPC. The name alone identifies a log, so that a
//! copy without its folders is read too. The time in the name is that of an interval of 5 minutes. Source: AWS, "VPC Resolver
//! query logging configurations", and objects of AWS.

use crate::dataset::key_origin::{KeyOrigin, is_account, value_of};
use crate::dataset::object_key::{self, KeyClaim, KeyTime, TimeInKey};
use crate::dataset::service_folder::{self, OTHER_SERVICE};
use crate::kst::UtcInstant;

/// The service in folders and names.
pub(super) const SERVICE: &str = "vpcdnsquerylogs";
const PATTERN: &str = "YYYYMMDDThhmmZ";

/// How far the events can precede the time in a name. A record can be delayed, and then says so; AWS states no limit.
const BEFORE_MS: i64 = 6 * 3_600_000;
/// How far the events can follow the time in a name, which is probably the start of the interval.
const AFTER_MS: i64 = 3_600_000;

/// The facts in the name of a log.
struct Name<'n> {
    at: UtcInstant,
    /// Start of the time in the name.
    start: usize,
    account: &'n str,
}

impl<'n> Name<'n> {
    /// Reads `vpc_vpcdnsquerylogs_account_YYYYMMDDThhmmZ_hash.log.gz`.
    fn of(name: &'n str) -> Option<Self> {
        let (_, rest) = name.split_once(SERVICE)?;
        let rest = rest.strip_prefix('_')?;
        let (account, rest) = rest.split_once('_').filter(|(account, _)| is_account(account))?;
        let time = rest.split('_').next().filter(|time| time.len() == PATTERN.len())?;
        let at = object_key::time_by_pattern(time.as_bytes(), PATTERN)?;
        Some(Self { at, start: name.len() - rest.len(), account })
    }
}

/// Claims a key.
pub(super) fn claim(path: &str) -> KeyClaim {
    match Name::of(object_key::split(path).1) {
        Some(_) if object_key::is_parquet(path) => KeyClaim::NotMine(object_key::IN_PARQUET),
        Some(found) => KeyClaim::Mine(KeyTime::stretch(found.at, BEFORE_MS, AFTER_MS)),
        None if is_of_other_service(path) => KeyClaim::NotMine(OTHER_SERVICE),
        None => service_folder::claim(path, SERVICE),
    }
}

/// Whether the name of a log shows another service.
fn is_of_other_service(path: &str) -> bool {
    let name = object_key::split(path).1;
    service_folder::service_of(name).is_some_and(|service| service_folder::is_other(service, SERVICE))
}

/// Returns the place of the time in the name of a log, after the part that all names of a VPC share.
pub(super) fn time_in_key(key: &str) -> Option<TimeInKey> {
    let name = object_key::split(key).1;
    let start = key.len() - name.len() + Name::of(name)?.start;
    Some(TimeInKey { start, pattern: PATTERN, may_name_event_day: false })
}

/// Whether a folder belongs to a VPC or a profile: `.../vpcdnsquerylogs/vpc`.
pub(super) fn holds_days(folder: &str) -> bool {
    let (above, vpc) = object_key::split(folder);
    value_of(object_key::split(above).1) == SERVICE && !value_of(vpc).is_empty()
}

/// Returns the account in the name of a log, or in its folders if the name has been changed. A key shows no region.
pub(super) fn origin(path: &str) -> KeyOrigin<'_> {
    match Name::of(object_key::split(path).1) {
        Some(found) => KeyOrigin { account: Some(found.account), ..KeyOrigin::default() },
        None => KeyOrigin { region: None, ..KeyOrigin::of_service(path, SERVICE) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::all;

    const FOLDERS: &str = "p/AWSLogs/111122223333/vpcdnsquerylogs/vpc-0a1b2c3d/2023/11/01/";
    const NAME: &str = "vpc-0a1b2c3d_vpcdnsquerylogs_111122223333_20231101T0300Z_0a1b2c3d.log.gz";
    const OF_PROFILE: &str =
        "rp-4987774726example_vpcdnsquerylogs_111122223333_20231101T0300Z_0a1b2c3d.log.gz";

    #[test]
    fn the_name_identifies_a_log_below_any_folders() {
        let at = UtcInstant::parse_iso8601("2023-11-01T03:00:00Z").unwrap();
        let mine = KeyClaim::Mine(KeyTime::stretch(at, BEFORE_MS, AFTER_MS));
        for name in [
            NAME,
            OF_PROFILE,
            "vpc-0a1b_vpcdnsquerylogs_111122223333_20231101T0300Z_0a1b.log",
            "copy of vpc-0a1b_vpcdnsquerylogs_111122223333_20231101T0300Z_0a1b.log.gz",
        ] {
            for folders in
                [FOLDERS, "", "AWSLogs/o-a/111122223333/vpcdnsquerylogs/rp-1/2024/01/02/03/", "x/2024/01/02/"]
            {
                assert_eq!(claim(&format!("{folders}{name}")), mine, "{folders}{name}");
            }
        }
    }

    #[test]
    fn other_names_are_unclear_or_of_another_service() {
        let other = KeyClaim::NotMine(OTHER_SERVICE);
        for (path, expected) in [
            ("111122223333_elasticloadbalancing_r_app.web.0a_20231101T0300Z_192.0.2.7_1.log.gz", other),
            ("111122223333_CloudTrail_r_20231101T0300Z_1.json.gz", other),
            ("111122223333_vpcflowlogs_r_fl-0a1b_20231101T0300Z_0a1b.log.gz", other),
            ("111122223333_waflogs_r_acl_20231101T0300Z_0a1b.log.gz", other),
            ("AWSLogs/111122223333/WAFLogs/", other),
            (
                "vpc-0a1b_vpcdnsquerylogs_111122223333_20231101T0300Z_0a1b.log.parquet",
                KeyClaim::NotMine(object_key::IN_PARQUET),
            ),
            ("AWSLogs/111122223333/vpcdnsquerylogs/", KeyClaim::Unclear),
            ("AWSLogs/111122223333/vpcdnsquerylogs/vpc-0a1b/renamed.log.gz", KeyClaim::Unclear),
            ("vpc-0a1b_vpcdnsquerylogs_111122223333_20231131T0300Z_0a1b.log.gz", KeyClaim::Unclear),
            ("vpc-0a1b_vpcdnsquerylogs_1111_20231101T0300Z_0a1b.log.gz", KeyClaim::Unclear),
            ("2023-11-01-00-22-33-23B392B734E22958", KeyClaim::Unclear),
            ("", KeyClaim::Unclear),
        ] {
            assert_eq!(claim(path), expected, "{path}");
        }
    }

    #[test]
    fn other_log_types_do_not_claim_the_names() {
        for other in all().filter(|dataset| dataset.name() != "resolver-query") {
            for name in [NAME, OF_PROFILE] {
                for folders in ["", FOLDERS, "2023/11/01/03/"] {
                    let claim = other.claim(&format!("{folders}{name}"));
                    assert!(!matches!(claim, KeyClaim::Mine(_)), "{} {folders}{name}", other.name());
                }
            }
        }
    }

    #[test]
    fn folders_and_names_show_the_days_and_the_account() {
        for (folder, expected) in [
            ("AWSLogs/111122223333/vpcdnsquerylogs/vpc-0a1b", true),
            ("AWSLogs/111122223333/vpcdnsquerylogs/rp-4987774726example", true),
            ("AWSLogs/111122223333/vpcdnsquerylogs", false),
            ("AWSLogs/111122223333/vpcdnsquerylogs/vpc-0a1b/2023", false),
            ("AWSLogs/111122223333/WAFLogs/vpc-0a1b", false),
        ] {
            assert_eq!(holds_days(folder), expected, "{folder}");
        }
        for path in [NAME, "AWSLogs/111122223333/vpcdnsquerylogs/vpc-0a1b-1/2023/11/01/renamed.log.gz"] {
            let origin = origin(path);
            assert_eq!((origin.account, origin.region), (Some("111122223333"), None), "{path}");
        }
        let time = time_in_key(&format!("{FOLDERS}{NAME}")).unwrap();
        assert_eq!(time.write(UtcInstant(0)), "19700101T0000Z");
        assert!(format!("{FOLDERS}{NAME}")[time.start..].starts_with("20231101T0300Z_"));
    }
}

//! The services of AWS that deliver logs, as folders and names of objects show them: `AWSLogs/account/service/...` and
//! `account_service_region_...`.

use super::key_origin::{is_account, value_of};
use super::object_key::{self, KeyClaim};

/// The reason for leaving out a log of another service.
pub(super) const OTHER_SERVICE: &str = "log of another AWS service";

/// The names of services in folders and object names.
const SERVICES: [&str; 11] = [
    "CloudTrail",
    "elasticloadbalancing",
    "vpcflowlogs",
    "vpcdnsquerylogs",
    "waflogs",
    "WAFLogs",
    "Config",
    "GuardDuty",
    "CloudFront",
    "globalaccelerator",
    "redshift",
];

/// Whether a word is the name of a service other than `own`.
pub(super) fn is_other(word: &str, own: &str) -> bool {
    word != own && SERVICES.contains(&word)
}

/// Returns the service whose logs a path shows, of a folder (which ends with `/`) or of an object: by a folder after an
/// account, or by a name with a service and a time.
#[must_use]
pub fn service_of(path: &str) -> Option<&'static str> {
    let (folder, name) = object_key::split(path);
    let known = |word: &str| SERVICES.iter().copied().find(|service| *service == word);
    let has_time = |part: &str| object_key::time_by_pattern(part.as_bytes(), "YYYYMMDDThhmm").is_some();
    let by_name = || name.split('_').any(has_time).then(|| name.split('_').find_map(known))?;
    of(folder).and_then(known).or_else(by_name)
}

/// Returns the folder with the name of the service, which follows the last account.
pub(super) fn of(folder: &str) -> Option<&str> {
    let mut parts = folder.rsplit('/').map(value_of);
    let mut service = parts.next()?;
    for part in parts {
        if is_account(part) {
            return Some(service);
        }
        service = part;
    }
    None
}

/// Whether a folder belongs to a service other than `own`.
pub(super) fn is_of_other(folder: &str, own: &str) -> bool {
    of(folder).is_some_and(|service| is_other(service, own))
}

/// Claims a path whose name does not decide: only a folder, which ends with `/`, can show that it is not of `own`.
pub(super) fn claim(path: &str, own: &str) -> KeyClaim {
    let (folder, name) = object_key::split(path);
    let is_other = name.is_empty() && is_of_other(folder, own);
    if is_other { KeyClaim::NotMine(OTHER_SERVICE) } else { KeyClaim::Unclear }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;

    #[test]
    fn a_service_is_known_by_its_folder_or_by_the_name_of_a_log() {
        for (path, expected) in [
            ("p/AWSLogs/111122223333/GuardDuty/", Some("GuardDuty")),
            ("AWSLogs/o-x/111122223333/Config/us-east-1/2023/", Some("Config")),
            ("111122223333_vpcflowlogs_us-east-1_fl-0a_20231031T1505Z_0a1b.log.gz", Some("vpcflowlogs")),
            ("vpc-0a1b_vpcdnsquerylogs_111122223333_20231031T1505Z_0a1b.log.gz", Some("vpcdnsquerylogs")),
            ("111122223333_Config_us-east-1_notes.json", None),
            ("Config/us-east-1/", None),
            ("AWSLogs/111122223333/", None),
            ("AWSLogs/111122223333/archive/", None),
            ("", None),
        ] {
            assert_eq!(service_of(path), expected, "{path}");
        }
    }

    #[test]
    fn a_log_type_names_the_services_whose_folders_it_divides_by_date_or_whose_names_it_claims() {
        for dataset in dataset::all() {
            for service in SERVICES {
                let folder = format!("AWSLogs/111122223333/{service}");
                let name = format!("111122223333_{service}_us-east-1_x_20231031T1505Z_0a1b.log.gz");
                // CloudFront divides the folder of the service, AWS WAF those of web ACLs, others those of regions.
                let divides = |below: &&str| dataset.holds_days(&format!("{folder}{below}"));
                let is_own = ["", "/us-east-1", "/us-east-1/acl"].iter().any(divides)
                    || matches!(dataset.claim(&name), KeyClaim::Mine(_));
                assert_eq!(is_own, dataset.services().contains(&service), "{} {service}", dataset.name());
            }
        }
    }
}

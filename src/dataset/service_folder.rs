//! The services of AWS that deliver logs, as folders and names of objects show them: `AWSLogs/account/service/...` and
//! `account_service_region_...`.

use super::key_origin::{is_account, value_of};

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

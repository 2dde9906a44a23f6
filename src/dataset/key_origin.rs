//! Where the events in an object come from, as far as its key shows it.

/// Account, region and bucket of the events in an object, as far as its key shows them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyOrigin<'k> {
    /// The account.
    pub account: Option<&'k str>,
    /// The region.
    pub region: Option<&'k str>,
    /// The bucket that the events are about.
    pub bucket: Option<&'k str>,
}

impl<'k> KeyOrigin<'k> {
    /// Reads account and region from `AWSLogs/[o-org/]account/service/region/...`, the folders in which most services of AWS
    /// deliver. `AWSLogs` may be missing, because an input can begin below it. Each part can be written `name=value`.
    #[must_use]
    pub fn of_service(path: &'k str, service: &str) -> Self {
        let parts: Vec<&str> = path.split('/').map(value_of).collect();
        let named = parts.windows(3).rfind(|part| is_account(part[0]) && part[1] == service);
        named.map_or(Self::default(), |part| Self {
            account: Some(part[0]),
            region: Some(part[2]).filter(|region| is_region(region)),
            bucket: None,
        })
    }
}

/// Returns the value of a part of a path, which is written `name=value` if folders are compatible with Hive:
/// `aws-account-id=111122223333/aws-service=vpcflowlogs`.
pub(super) fn value_of(part: &str) -> &str {
    part.rsplit_once('=').map_or(part, |(_, value)| value)
}

/// Whether a text has the form of an account: twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text has the form of a region: `ap-northeast-2`. No list is needed for new regions.
pub(super) fn is_region(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.matches('-').count() >= 2 && text.split('-').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_a_service_show_account_and_region() {
        for (path, service, account, region) in [
            (
                "p/AWSLogs/111122223333/elasticloadbalancing/us-east-1/2023/11/01/x.log.gz",
                "elasticloadbalancing",
                Some("111122223333"),
                Some("us-east-1"),
            ),
            (
                "AWSLogs/o-a/111122223333/vpcflowlogs/us-gov-west-1/x",
                "vpcflowlogs",
                Some("111122223333"),
                Some("us-gov-west-1"),
            ),
            ("111122223333/WAFLogs/cloudfront/acl/x", "WAFLogs", Some("111122223333"), None),
            (
                "AWSLogs/222233334444/old/AWSLogs/111122223333/WAFLogs/eu-west-1/acl/x",
                "WAFLogs",
                Some("111122223333"),
                Some("eu-west-1"),
            ),
            (
                "AWSLogs/111122223333/vpcdnsquerylogs/vpc-0a1b/2023/x",
                "vpcdnsquerylogs",
                Some("111122223333"),
                None,
            ),
            (
                "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2023/x",
                "vpcflowlogs",
                Some("111122223333"),
                Some("eu-west-1"),
            ),
            ("AWSLogs/111122223333/WAFLogs/eu-west-1/acl/x", "vpcflowlogs", None, None),
            ("WAFLogs/eu-west-1/x", "WAFLogs", None, None),
            ("", "WAFLogs", None, None),
        ] {
            let origin = KeyOrigin::of_service(path, service);
            assert_eq!((origin.account, origin.region, origin.bucket), (account, region, None), "{path}");
        }
    }
}

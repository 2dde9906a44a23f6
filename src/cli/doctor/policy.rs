//! The names of resources in a policy, and the permission that a refused call lacks.

use crate::error::{Error, ErrorKind};

/// Codes of a service for a missing permission. Expired credentials, another region or a missing bucket have other codes,
/// and no policy fixes these refusals.
const REFUSED: [&str; 3] = ["AccessDenied", "AccessDeniedException", "UnauthorizedAccess"];

/// Names of resources in one partition of AWS.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arns {
    partition: &'static str,
}

/// A permission with the resources that it is needed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MissingPermission {
    pub(super) permission: String,
    pub(super) resources: Vec<String>,
}

impl Arns {
    /// Returns the names for the partition of a region.
    pub(super) fn of_region(region: &str) -> Self {
        let partitions = [("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")];
        let known = partitions.iter().find(|(prefix, _)| region.starts_with(prefix));
        Self { partition: known.map_or("aws", |(_, partition)| partition) }
    }

    /// Returns a bucket, from an address in it.
    pub(super) fn bucket(self, address: &str) -> Vec<String> {
        let below = address.trim_start_matches("s3://");
        vec![format!("arn:{}:s3:::{}", self.partition, below.split('/').next().unwrap_or_default())]
    }

    /// Returns all objects below an address.
    pub(super) fn objects(self, address: &str) -> Vec<String> {
        let below = address.trim_start_matches("s3://").trim_end_matches('/');
        let slash = if below.contains('/') && !address.ends_with('/') { "" } else { "/" };
        vec![format!("arn:{}:s3:::{below}{slash}*", self.partition)]
    }

    /// Returns a database of the catalog, and the resources that a call about its tables needs.
    pub(super) fn database(self, database: &str) -> Vec<String> {
        ["catalog".to_owned(), format!("database/{database}"), format!("table/{database}/*")]
            .map(|resource| format!("arn:{}:glue:*:*:{resource}", self.partition))
            .to_vec()
    }

    /// Returns all keys, for a refusal that names none.
    fn keys(self) -> Vec<String> {
        vec![format!("arn:{}:kms:*:*:key/*", self.partition)]
    }

    /// Returns the permission that a refused call lacks, or `None` if it failed for another reason. Trusts the message of the
    /// service first, because a refused write may lack the permission for a key.
    pub(super) fn lack(self, error: &Error, tried: &MissingPermission) -> Option<MissingPermission> {
        if !is_refusal(error) {
            return None;
        }
        let text = error.to_string();
        let Some(permission) = word_after(&text, "not authorized to perform: ") else {
            return Some(tried.clone());
        };
        if permission == tried.permission {
            return Some(tried.clone());
        }
        let named = word_after(&text, "on resource: ").filter(|resource| resource.starts_with("arn:"));
        let resources = match named {
            Some(resource) => vec![resource.to_owned()],
            None if permission.starts_with("kms:") => self.keys(),
            None => tried.resources.clone(),
        };
        Some(MissingPermission { permission: permission.to_owned(), resources })
    }
}

/// Returns whether a call was refused because a permission is missing.
fn is_refusal(error: &Error) -> bool {
    let text = error.to_string();
    // No IAM policy grants what Lake Formation withholds.
    if error.kind() != ErrorKind::Denied || text.contains("Lake Formation") {
        return false;
    }
    // The SDK requests the credentials of a role. Its errors have no code.
    let is_role = error.fact("role").is_some();
    error.fact("code").is_some_and(|code| REFUSED.contains(&code))
        || error.fact("status") == Some("403")
        || (is_role && (text.contains("AccessDenied") || text.contains("not authorized to perform: ")))
}

/// Returns the word that follows `before` in a text.
fn word_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(before)?;
    let word = after.split(char::is_whitespace).next()?.trim_matches(['"', '\'', '.', ',', ')', ';']);
    Some(word).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWS: Arns = Arns { partition: "aws" };

    #[test]
    fn a_policy_names_the_bucket_and_the_objects_below_the_prefix() {
        for (address, bucket, objects) in [
            ("s3://lake", "arn:aws:s3:::lake", "arn:aws:s3:::lake/*"),
            ("s3://lake/logs/", "arn:aws:s3:::lake", "arn:aws:s3:::lake/logs/*"),
            ("s3://raw/access-", "arn:aws:s3:::raw", "arn:aws:s3:::raw/access-*"),
        ] {
            let expected = (vec![bucket.to_owned()], vec![objects.to_owned()]);
            assert_eq!((AWS.bucket(address), AWS.objects(address)), expected);
        }
    }

    #[test]
    fn each_partition_of_aws_has_its_own_names() {
        for (region, expected) in [
            ("ap-northeast-2", "arn:aws:s3:::lake"),
            ("", "arn:aws:s3:::lake"),
            ("cn-north-1", "arn:aws-cn:s3:::lake"),
            ("us-gov-west-1", "arn:aws-us-gov:s3:::lake"),
        ] {
            assert_eq!(Arns::of_region(region).bucket("s3://lake/logs"), [expected]);
        }
        assert_eq!(Arns::of_region("cn-north-1").database("logs")[1], "arn:aws-cn:glue:*:*:database/logs");
    }

    fn error(fact: (&'static str, &str), message: &str) -> Error {
        let failure = Error::new(ErrorKind::Denied, "cannot write").with(fact.0, fact.1);
        failure.caused_by(std::io::Error::other(message.to_owned()))
    }

    fn lack(error: &Error) -> Option<(String, String)> {
        let tried =
            MissingPermission { permission: "s3:PutObject".to_owned(), resources: AWS.objects("s3://lake/") };
        AWS.lack(error, &tried).map(|lack| (lack.permission, lack.resources.join(" ")))
    }

    #[test]
    fn only_a_refusal_lacks_a_permission() {
        let put = Some(("s3:PutObject".to_owned(), "arn:aws:s3:::lake/*".to_owned()));
        for (fact, message, expected) in [
            (("code", "AccessDenied"), "Access Denied", &put),
            (("code", "AccessDeniedException"), "", &put),
            (("code", "UnauthorizedAccess"), "", &put),
            (("status", "403"), "", &put),
            (("status", "400"), "", &None),
            (("code", "ExpiredToken"), "the provided token has expired", &None),
            (("code", "PermanentRedirect"), "", &None),
            (("code", "NoSuchBucket"), "", &None),
            (("code", "SignatureDoesNotMatch"), "", &None),
            (("code", "AccessDeniedException"), "Insufficient Lake Formation permission(s) on t", &None),
        ] {
            assert_eq!(&lack(&error(fact, message)), expected, "{fact:?} {message}");
        }
        let temporary = Error::new(ErrorKind::Temporary, "away").with("code", "AccessDenied");
        assert_eq!(lack(&temporary), None);
        let outer = Error::unusable("cannot read the object", error(("code", "AccessDenied"), ""));
        assert_eq!(lack(&outer), put, "wrapped in another error");
    }

    #[test]
    fn the_permission_that_the_service_names_is_missing() {
        let user = "User: arn:aws:sts::123456789012:assumed-role/job/logmill is not authorized to perform:";
        for (fact, message, expected) in [
            (
                ("code", "AccessDenied"),
                "kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:123456789012:key/k because no policy allows it",
                ("kms:GenerateDataKey", "arn:aws:kms:eu-west-1:123456789012:key/k"),
            ),
            (
                ("code", "AccessDenied"),
                "kms:Decrypt on the resource associated with this ciphertext",
                ("kms:Decrypt", "arn:aws:kms:*:*:key/*"),
            ),
            (
                ("code", "AccessDenied"),
                "s3:PutObject on resource: \"arn:aws:s3:::lake/logs/a\" because no policy allows it",
                ("s3:PutObject", "arn:aws:s3:::lake/*"),
            ),
            (
                ("role", "arn:aws:iam::210987654321:role/reader"),
                "sts:AssumeRole on resource: arn:aws:iam::210987654321:role/reader",
                ("sts:AssumeRole", "arn:aws:iam::210987654321:role/reader"),
            ),
        ] {
            let found = lack(&error(fact, &format!("{user} {message}")));
            assert_eq!(found, Some((expected.0.to_owned(), expected.1.to_owned())), "{message}");
        }
        assert_eq!(
            lack(&error(("role", "arn:aws:iam::210987654321:role/reader"), "connection refused")),
            None
        );
    }
}

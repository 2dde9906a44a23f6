//! Turns failed AWS requests into errors of this crate.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

use super::through_proxy::ThroughProxy;
use crate::error::{Error, ErrorKind};

/// The purpose of a request, which is reported if it fails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// A lower-case fragment, for example "cannot list the bucket".
    pub failing: &'static str,
    /// The address of its target, for example `s3://bucket/key`.
    pub target: &'a str,
    /// The permission that it needs, for example `s3:ListBucket`.
    pub permission: &'static str,
}

/// Codes that mean "not now".
const TEMPORARY: [&str; 14] = [
    "SlowDown",
    "ServiceUnavailable",
    "InternalError",
    "RequestTimeout",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "OperationTimeoutException",
    "InternalServiceException",
    "ConcurrentModificationException",
    "ConcurrentRunsExceededException",
    "ResourceNotReadyException",
    "ConditionalRequestConflict",
];

/// Codes that users can act on: kind of failure and next step.
const KNOWN: [(&str, ErrorKind, &str); 19] = [
    ("NoSuchKey", ErrorKind::Unusable, "check whether it was removed after the bucket was listed"),
    (
        "NoSuchBucket",
        ErrorKind::Denied,
        "check the name of the bucket: 'aws s3 ls' lists those of your account",
    ),
    ("AccessDenied", ErrorKind::Denied, DENIED),
    ("AccessDeniedException", ErrorKind::Denied, DENIED),
    ("UnauthorizedAccess", ErrorKind::Denied, DENIED),
    ("AllAccessDisabled", ErrorKind::Denied, DENIED),
    ("ExpiredToken", ErrorKind::Denied, EXPIRED),
    ("ExpiredTokenException", ErrorKind::Denied, EXPIRED),
    ("RequestExpired", ErrorKind::Denied, EXPIRED),
    ("InvalidToken", ErrorKind::Denied, EXPIRED),
    (
        "InvalidAccessKeyId",
        ErrorKind::Denied,
        "check profile and environment: these credentials do not exist",
    ),
    (
        "SignatureDoesNotMatch",
        ErrorKind::Denied,
        "check the secret key, and whether something on the way changes requests",
    ),
    ("UnrecognizedClientException", ErrorKind::Denied, EXPIRED),
    (
        "InvalidObjectState",
        ErrorKind::Denied,
        "restore the object from its storage class first: it is archived",
    ),
    ("PermanentRedirect", ErrorKind::Denied, REGION),
    ("AuthorizationHeaderMalformed", ErrorKind::Denied, REGION),
    ("IllegalLocationConstraintException", ErrorKind::Denied, REGION),
    ("RequestTimeTooSkewed", ErrorKind::Denied, "set the clock of this machine: it is wrong"),
    ("InvalidBucketName", ErrorKind::Usage, "check the name of the bucket"),
];

/// Stands for the hint of [`denied`].
const DENIED: &str = "allow a permission";
/// Beginnings of permissions, each with the policies that can allow them. The last one fits every permission.
const POLICIES: [(&str, &str); 4] = [
    ("cloudtrail:", "the role, or pass the keys with --public-keys"),
    ("glue:", "the role"),
    ("kms:", "the role and that of the key"),
    ("", "the role or the bucket"),
];
const WITHHELD: &str = "grant the role this permission in Lake Formation, which an IAM policy cannot do; see 'aws lakeformation grant-permissions help'";
const NO_CREDENTIALS: &str = "provide credentials: set AWS_PROFILE, run 'aws sso login' or attach a role; 'aws sts get-caller-identity' shows who you are";
const EXPIRED: &str = "renew the expired credentials ('aws sso login') and run the day again";
const UNKNOWN_AUTHORITY: &str =
    "set AWS_CA_BUNDLE to the PEM file of the server's certificate authority, which is not trusted";
const UNREADABLE: &str = "look for names with control characters, which this server does not encode, or for something on the way \
                          that changes answers, because the answer is not the XML that S3 sends; 'aws s3api list-objects-v2 \
                          --encoding-type url' shows the names, and a longer prefix skips them";
const REGION: &str = "set AWS_REGION to the region of the bucket";
/// The header in which S3 names the region of a bucket that was asked in another one.
const BUCKET_REGION: &str = "x-amz-bucket-region";

/// The code of an error that a service sent.
pub(crate) fn code_of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// The HTTP status, if there was an answer.
pub(crate) fn status_of<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// An error of the SDK and its causes, in one line: its own text names only the outermost layer.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let layers = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    let mut texts: Vec<String> = layers.filter(|layer| !layer.is_empty()).collect();
    texts.dedup();
    texts.join(": ")
}

/// Turns a failed request into the error that users see.
pub(crate) fn failure<E>(asked: Asked<'_>, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + RequestId + std::error::Error + Send + Sync + 'static,
{
    let (kind, hint) = judge(error);
    let mut failure = Error::new(kind, asked.failing).with("at", asked.target);
    if let Some(code) = code_of(error) {
        failure = failure.with("code", code);
    } else if let Some(status) = status_of(error) {
        failure = failure.with("status", status);
    }
    if let Some(id) = error.request_id() {
        failure = failure.with("request id", id);
    }
    let detail = match error {
        SdkError::ServiceError(service) => service.err().message().unwrap_or_default().to_owned(),
        other if hint == NO_CREDENTIALS => first_sentence(&causes(other)),
        other => causes(other),
    };
    let of_proxy =
        ThroughProxy::find_in(error).filter(|_| hint != UNKNOWN_AUTHORITY && hint != NO_CREDENTIALS);
    let region = error.raw_response().and_then(|response| response.headers().get(BUCKET_REGION));
    let hint = match (of_proxy, region) {
        (Some(way), _) => way.next_step(),
        (None, Some(region)) if hint == REGION => {
            format!("set AWS_REGION={region}, the region of the bucket")
        }
        (None, _) if hint == DENIED => denied(asked, &detail),
        (None, _) => hint.to_owned(),
    };
    if !detail.is_empty() {
        failure = failure.caused_by(std::io::Error::other(detail));
    }
    failure.hint(hint)
}

/// Who must allow what for a refused request. The answer may name another permission, for example that of a key.
fn denied(asked: Asked<'_>, detail: &str) -> String {
    if detail.contains("Lake Formation") {
        return WITHHELD.to_owned();
    }
    let named =
        detail.split_once("not authorized to perform: ").and_then(|(_, rest)| rest.split_whitespace().next());
    let permission = named.filter(|named| named.contains(':')).unwrap_or(asked.permission);
    if detail.contains("explicit deny") {
        return format!("remove the explicit deny of {permission}: no other policy can allow it");
    }
    let of = POLICIES.iter().find(|(beginning, _)| permission.starts_with(beginning));
    format!("allow {permission} in the policy of {}", of.map_or("", |(_, policies)| policies))
}

/// The first sentence of a text of several lines.
fn first_sentence(text: &str) -> String {
    text.split(". ").next().unwrap_or_default().to_owned()
}

fn judge<E>(error: &SdkError<E, HttpResponse>) -> (ErrorKind, &'static str)
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    const LATER: (ErrorKind, &str) = (
        ErrorKind::Temporary,
        "run the day again later: the service is unavailable or throttles requests, even after retries",
    );
    if let Some(code) = code_of(error) {
        if TEMPORARY.contains(&code) {
            return LATER;
        }
        if let Some((_, kind, hint)) = KNOWN.iter().find(|(known, ..)| *known == code) {
            return (*kind, hint);
        }
    }
    let causes = causes(error);
    if causes.contains("invalid peer certificate") {
        return (ErrorKind::Denied, UNKNOWN_AUTHORITY);
    }
    if causes.contains("no credentials found") {
        return (ErrorKind::Denied, NO_CREDENTIALS);
    }
    match (error, status_of(error)) {
        (SdkError::ResponseError(_) | SdkError::ServiceError(_), Some(200..=299)) if is_unreadable(error) => {
            (ErrorKind::Denied, UNREADABLE)
        }
        (SdkError::ConstructionFailure(_), _) => (
            ErrorKind::Denied,
            "check credentials and region: 'aws sts get-caller-identity' shows who you are",
        ),
        (SdkError::DispatchFailure(failure), _) if failure.is_user() || failure.is_other() => {
            (ErrorKind::Denied, "check endpoint, certificates and credentials")
        }
        (_, Some(500..=599 | 429))
        | (SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_), _) => LATER,
        (_, Some(403)) => (ErrorKind::Denied, DENIED),
        (_, Some(301 | 307)) => (ErrorKind::Denied, REGION),
        _ => (ErrorKind::Denied, "see the cause"),
    }
}

/// Whether an answer arrived complete but is not XML, as the SDK's parser words it.
fn is_unreadable(error: &(dyn std::error::Error + 'static)) -> bool {
    let causes = causes(error);
    ["XML parse error", "invalid XML escape", "error parsing XML"].iter().any(|text| causes.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_permission_and_where_to_grant_it() {
        for (permission, detail, expected) in [
            ("s3:PutObject", "Access Denied", "allow s3:PutObject in the policy of the role or the bucket"),
            (
                "s3:PutObject",
                "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: kms:GenerateDataKey on resource: k",
                "allow kms:GenerateDataKey in the policy of the role and that of the key",
            ),
            (
                "s3:GetObject",
                "User: u is not authorized to perform: s3:GetObject on resource: o with an explicit deny in a policy",
                "remove the explicit deny of s3:GetObject: no other policy can allow it",
            ),
            ("glue:GetTable", "Access Denied", "allow glue:GetTable in the policy of the role"),
            (
                "cloudtrail:ListPublicKeys",
                "User: u is not authorized to perform: cloudtrail:ListPublicKeys",
                "allow cloudtrail:ListPublicKeys in the policy of the role, or pass the keys with --public-keys",
            ),
            ("glue:GetTable", "Insufficient Lake Formation permission(s) on t", WITHHELD),
        ] {
            assert_eq!(denied(Asked { failing: "", target: "", permission }, detail), expected, "{detail}");
        }
    }
}

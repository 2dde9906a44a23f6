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

/// Codes that users can act on: kind of failure and next step. `{permission}` is filled in.
const KNOWN: [(&str, ErrorKind, &str); 19] = [
    ("NoSuchKey", ErrorKind::Unusable, "check whether it was removed after the bucket was listed"),
    ("NoSuchBucket", ErrorKind::Denied, "check the name of the bucket"),
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

const DENIED: &str = "allow {permission} in the policy of the role or the bucket";
const EXPIRED: &str = "renew the expired credentials ('aws sso login') and run the day again";
const UNKNOWN_AUTHORITY: &str =
    "set AWS_CA_BUNDLE to the PEM file of the server's certificate authority, which is not trusted";
const UNREADABLE: &str = "look for names with control characters, which this server does not encode, or for something on the way \
                          that changes answers, because the answer is not the XML that S3 sends; 'aws s3api list-objects-v2 \
                          --encoding-type url' shows the names, and a longer prefix skips them";
const REGION: &str = "set AWS_REGION to the region of the bucket";

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
        other => causes(other),
    };
    if !detail.is_empty() {
        failure = failure.caused_by(std::io::Error::other(detail));
    }
    let of_proxy = ThroughProxy::find_in(error).filter(|_| hint != UNKNOWN_AUTHORITY);
    failure.hint(match of_proxy {
        Some(way) => way.next_step(),
        None => hint.replace("{permission}", asked.permission),
    })
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
    if causes(error).contains("invalid peer certificate") {
        return (ErrorKind::Denied, UNKNOWN_AUTHORITY);
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

//! What AWS answers when a request fails, in the words of this crate.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

use super::proxied::ThroughProxy;
use crate::error::{Error, ErrorKind};

/// What a request was for: said when it fails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// A lower-case fragment such as "cannot list the bucket".
    pub failing: &'static str,
    /// Address of what it was about, such as `s3://bucket/key`.
    pub target: &'a str,
    /// The permission that it needs, such as `s3:ListBucket`.
    pub permission: &'static str,
}

/// Codes by which a service says: not now.
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

/// Codes that a person can act on: kind of failure and next step. `{permission}` is filled in.
const KNOWN: [(&str, ErrorKind, &str); 19] = [
    ("NoSuchKey", ErrorKind::Unusable, "it was there when the bucket was listed: was it removed since?"),
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
        "these credentials do not exist: check profile and environment",
    ),
    (
        "SignatureDoesNotMatch",
        ErrorKind::Denied,
        "the secret key is wrong, or something between changes requests",
    ),
    ("UnrecognizedClientException", ErrorKind::Denied, EXPIRED),
    (
        "InvalidObjectState",
        ErrorKind::Denied,
        "the object is archived: restore it from its storage class first",
    ),
    ("PermanentRedirect", ErrorKind::Denied, REGION),
    ("AuthorizationHeaderMalformed", ErrorKind::Denied, REGION),
    ("IllegalLocationConstraintException", ErrorKind::Denied, REGION),
    ("RequestTimeTooSkewed", ErrorKind::Denied, "the clock of this machine is wrong: set it"),
    ("InvalidBucketName", ErrorKind::Usage, "check the name of the bucket"),
];

const DENIED: &str = "the policy of the role or the bucket lacks {permission}";
const EXPIRED: &str = "the credentials have expired: renew them (aws sso login) and run the day again";
const UNKNOWN_AUTHORITY: &str =
    "the server's certificate is not trusted: name its authority's PEM file in AWS_CA_BUNDLE";
const UNREADABLE: &str = "the answer is not the XML that S3 sends: names with control characters, of which this server does not \
                          encode any, or something on the way that changes answers; 'aws s3api list-objects-v2 \
                          --encoding-type url' shows the names, and a longer prefix passes them over";
const REGION: &str = "the bucket lies in another region: set AWS_REGION to it";

/// The code of an error that a service has sent.
pub(crate) fn code_of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// The HTTP status, where there was an answer.
pub(crate) fn status_of<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// An error of the SDK and what is behind it, in one line: its own words name only the outermost layer.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let layers = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    let mut said: Vec<String> = layers.filter(|layer| !layer.is_empty()).collect();
    said.dedup();
    said.join(": ")
}

/// Turns a failed request into the error that people meet.
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
    let of_proxy = ThroughProxy::behind(error).filter(|_| hint != UNKNOWN_AUTHORITY);
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
        "the service is away or throttles, also after retries: run the day again later",
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
            "check credentials and region: 'aws sts get-caller-identity' tells who you are",
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

/// Whether an answer has come whole, but is not XML, as the SDK's parser words it.
fn is_unreadable(error: &(dyn std::error::Error + 'static)) -> bool {
    let causes = causes(error);
    ["XML parse error", "invalid XML escape", "error parsing XML"].iter().any(|said| causes.contains(said))
}

//! The values that all built-in log types mask by default: session tokens and the secrets of signed URLs.

/// The default redactions. All log types share this list, so that a URL is masked alike wherever it is logged and all
/// manifests name the same rules.
///
/// STS returns the session token of `AssumeRole*`, `AssumeRoot`, `GetSessionToken` and `GetFederationToken` at this path
/// (AWS, "Logging IAM and STS API calls with CloudTrail"). The parameters are the secrets of a presigned URL (AWS,
/// "Authenticating requests: using query parameters") and of a URL that is signed with version 2 (AWS, "Signing and
/// authenticating REST requests").
pub(super) const DEFAULT_REDACTIONS: &[&str] = &[
    "responseElements.credentials.sessionToken",
    "?X-Amz-Signature",
    "?X-Amz-Credential",
    "?X-Amz-Security-Token",
    "?Signature",
    "?AWSAccessKeyId",
];

/// The same, and the signature of a signed cookie of CloudFront (AWS, "Use signed cookies"). Only its logs hold cookies.
pub(super) const OF_CLOUDFRONT: &[&str] = &[
    "responseElements.credentials.sessionToken",
    "?X-Amz-Signature",
    "?X-Amz-Credential",
    "?X-Amz-Security-Token",
    "?Signature",
    "?AWSAccessKeyId",
    "?CloudFront-Signature",
];

//! The fields of an access log line, and the quality of a reading.

/// Number of fields that AWS has defined so far.
pub(super) const FIELD_COUNT: usize = 27;

/// The fields in AWS's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum Field {
    /// Canonical user id of the bucket's owner.
    BucketOwner = 0,
    /// Bucket name.
    Bucket,
    /// When the request was received, without the brackets.
    Time,
    /// IPv4 or IPv6 address; none for actions of AWS.
    RemoteIp,
    /// Canonical user id, ARN or name of an AWS service; none for anonymous requests.
    Requester,
    /// Not unique: the records of a multi-object delete share one.
    RequestId,
    /// `REST.GET.OBJECT`, `BATCH.DELETE.OBJECT`, `S3.EXPIRE.OBJECT`.
    Operation,
    /// Object key, encoded: see [`super::key_encoding`].
    Key,
    /// Request line; client-controlled.
    RequestUri,
    /// HTTP status.
    HttpStatus,
    /// S3 error code.
    ErrorCode,
    /// Bytes of the response body; none for zero.
    BytesSent,
    /// Size of the object in bytes.
    ObjectSize,
    /// Milliseconds until the last byte was sent.
    TotalTime,
    /// Milliseconds until the first byte was sent.
    TurnAroundTime,
    /// `Referer` header; client-controlled.
    Referer,
    /// `User-Agent` header; client-controlled.
    UserAgent,
    /// Version id in the request, or of the version that a lifecycle rule applied to.
    VersionId,
    /// `x-amz-id-2`.
    HostId,
    /// `SigV2`, `SigV4`; none for anonymous requests.
    SignatureVersion,
    /// TLS cipher; none for HTTP.
    CipherSuite,
    /// `AuthHeader`, `QueryString`; none for anonymous requests.
    AuthenticationType,
    /// Endpoint that was called.
    HostHeader,
    /// `TLSv1.2`; none for HTTP.
    TlsVersion,
    /// ARN of the access point, if one was used.
    AccessPointArn,
    /// `Yes` if the request needed an ACL.
    AclRequired,
    /// AWS region that the request came from.
    SourceRegion,
}

/// The fields by which rows are sorted before their time. The last two keep rare statuses and old signatures, which are
/// searched for, on few pages.
pub(super) const CLUSTER: [Field; 4] =
    [Field::Bucket, Field::Operation, Field::HttpStatus, Field::SignatureVersion];

/// `snake_case` names by field number.
const NAMES: [&str; FIELD_COUNT] = [
    "bucket_owner",
    "bucket",
    "request_time",
    "remote_ip",
    "requester",
    "request_id",
    "operation",
    "key",
    "request_uri",
    "http_status",
    "error_code",
    "bytes_sent",
    "object_size",
    "total_time",
    "turn_around_time",
    "referer",
    "user_agent",
    "version_id",
    "host_id",
    "signature_version",
    "cipher_suite",
    "authentication_type",
    "host_header",
    "tls_version",
    "access_point_arn",
    "acl_required",
    "source_region",
];

impl Field {
    /// Returns the `snake_case` name of the column.
    #[must_use]
    pub(super) const fn name(self) -> &'static str {
        NAMES[self as usize]
    }
}

/// How certain the reading of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Quality {
    /// The line has exactly one reading.
    Exact,
    /// Client-controlled text can be split in more than one way, or it holds a timestamp like the start of a second record,
    /// or the line is not as S3 writes lines: see [`super::whole`]. The fields are those of the most likely reading.
    Ambiguous,
    /// The line has one surplus token before the signature version. Lines of March 2019 have the caller's IAM id, or a dash,
    /// before the host id. An IAM id is kept in the host id, with the space between them. A dash is dropped.
    Repaired,
}

impl Quality {
    /// Returns the stable name for the column.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Ambiguous => "ambiguous",
            Self::Repaired => "repaired",
        }
    }
}

//! The fields of an access log line, and how sure their values are.

/// How many fields AWS has defined so far.
pub(super) const FIELD_COUNT: usize = 27;

/// The fields in the order in which AWS writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum Field {
    /// Canonical user id of the bucket's owner.
    BucketOwner = 0,
    /// Bucket name.
    Bucket,
    /// When the request was received, without the brackets.
    Time,
    /// IPv4 or IPv6 address, or none for what AWS does itself.
    RemoteIp,
    /// Canonical user id, ARN or name of an AWS service; none if anonymous.
    Requester,
    /// Not unique: the records of a multi-object delete share one.
    RequestId,
    /// `REST.GET.OBJECT`, `BATCH.DELETE.OBJECT`, `S3.EXPIRE.OBJECT`.
    Operation,
    /// Object key, encoded: see [`super::key`].
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
    /// Version id that was asked for, or that a lifecycle rule met.
    VersionId,
    /// `x-amz-id-2`.
    HostId,
    /// `SigV2`, `SigV4`; none if anonymous.
    SignatureVersion,
    /// TLS cipher; none for HTTP.
    CipherSuite,
    /// `AuthHeader`, `QueryString`; none if anonymous.
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

/// Snake-case names by field number.
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
    /// The snake-case name of the column.
    #[must_use]
    pub(super) const fn name(self) -> &'static str {
        NAMES[self as usize]
    }
}

/// How sure it is that the fields are what S3 meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Quality {
    /// The line has one reading, and this is it.
    Exact,
    /// Client-controlled text can be split in more than one way, or holds a time stamp, as the start of a second record
    /// would; or the line is not as S3 writes lines: see [`super::whole`]. The fields are those of the likeliest reading.
    Ambiguous,
    /// One token too many stood before the signature version. Lines of March 2019 carry the caller's IAM id, or a dash,
    /// before the host id. An IAM id stays in the host id with the space between them, a dash is left out.
    Repaired,
}

impl Quality {
    /// A stable name for columns and counters.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Ambiguous => "ambiguous",
            Self::Repaired => "repaired",
        }
    }
}

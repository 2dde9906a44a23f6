//! Access options for sources and lakes in S3. They do not apply to folders.

use serde::{Deserialize, Serialize};

/// How to access the objects of a source. The plan carries it, so that every machine uses the same access.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceAccess {
    /// The role to assume, for log buckets in other accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Whether to pay for requests (requester pays).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub requester_pays: bool,
    /// The account that must own the bucket; otherwise S3 refuses the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_bucket_owner: Option<String>,
}

/// How to write the objects of a lake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LakeAccess {
    /// The account that must own the bucket.
    pub expected_bucket_owner: Option<String>,
    /// Encryption at rest; `None` uses the bucket's default.
    pub encryption: Option<Encryption>,
    /// Storage class of published files, for example `INTELLIGENT_TIERING`; the manifest remains in the standard class.
    pub storage_class: Option<String>,
    /// Tags for every object.
    pub tags: Vec<(String, String)>,
    /// Whether the owner of the bucket gets full control of objects that another account writes.
    pub bucket_owner_full_control: bool,
}

/// Encryption at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// A key that S3 manages: `AES256`.
    S3,
    /// A KMS key: the one with this id or ARN, or the account's key for S3.
    Kms(Option<String>),
}

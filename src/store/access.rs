//! How a source is reached and how a lake is written, in the words of S3; a folder needs none of it.

use serde::{Deserialize, Serialize};

/// How the objects of a source are reached. It travels in the plan, so that every machine reaches them alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceAccess {
    /// The role to assume, since log buckets live in other accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Whether to agree to pay for requests.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub requester_pays: bool,
    /// The account that must own the bucket: anything else is refused by S3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_bucket_owner: Option<String>,
}

/// How the objects of a lake are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LakeAccess {
    /// The account that must own the bucket.
    pub expected_bucket_owner: Option<String>,
    /// Encryption at rest; the bucket's default where nothing is said.
    pub encryption: Option<Encryption>,
    /// Storage class of published files, such as `INTELLIGENT_TIERING`; the manifest stays in the standard class.
    pub storage_class: Option<String>,
    /// Tags of every object.
    pub tags: Vec<(String, String)>,
    /// Whether the owner of the bucket gets full control of objects that another account writes.
    pub bucket_owner_full_control: bool,
}

/// Encryption at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// Keys of S3: `AES256`.
    S3,
    /// Keys of KMS: the one with this id or ARN, or that of the account for S3.
    Kms(Option<String>),
}

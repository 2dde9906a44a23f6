//! The attributes of an object besides its content: encryption, storage class, tags. A run that replaces an object of another
//! run keeps them, whatever its own settings are.

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::{ServerSideEncryption, StorageClass, Tag};

use super::bucket::Bucket;
use super::failure::{Asked, failure, status_of};
use super::request::Request;
use super::upload::tag_query;
use crate::error::Result;

/// The attributes to keep when the content of an object is replaced.
pub(super) struct Attributes {
    encryption: Option<ServerSideEncryption>,
    kms_key: Option<String>,
    bucket_key: Option<bool>,
    storage_class: Option<StorageClass>,
    /// As a query string; `None` if this run may not read them.
    tags: Option<String>,
}

impl Attributes {
    /// Reads the attributes of an object; `None` if it does not exist, or if it is not the wanted `version`.
    pub(super) async fn of(bucket: &Bucket, key: &str, version: Option<&str>) -> Result<Option<Self>> {
        let target = bucket.address(key);
        let asked = Asked { failing: "cannot read the object", target: &target, permission: "s3:GetObject" };
        let request = bucket.client.head_object().bucket(&bucket.name).key(key);
        let request = request.set_if_match(version.map(str::to_owned));
        let answer = request.set_expected_bucket_owner(bucket.owner.clone()).send_through(&bucket.aws).await;
        let found = match answer {
            Ok(found) => found,
            Err(error) if matches!(status_of(&error), Some(404 | 412)) => return Ok(None),
            Err(error) => return Err(failure(asked, &error)),
        };
        Ok(Some(Self {
            encryption: found.server_side_encryption,
            kms_key: found.ssekms_key_id,
            bucket_key: found.bucket_key_enabled,
            storage_class: found.storage_class,
            tags: tags(bucket, key, &target).await?,
        }))
    }

    /// Adds the attributes to a request that puts an object. Unknown attributes are left as the request has them.
    pub(super) fn onto(self, mut request: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
        if self.encryption.is_some() {
            request = request
                .set_server_side_encryption(self.encryption)
                .set_ssekms_key_id(self.kms_key)
                .set_bucket_key_enabled(self.bucket_key);
        }
        if let Some(tags) = self.tags {
            request = request.set_tagging(Some(tags).filter(|tags| !tags.is_empty()));
        }
        request.set_storage_class(self.storage_class)
    }
}

/// Reads the tags of an object as a query string; `None` if the policy denies it, or if the server does not support tags.
///
/// This request is always sent: in its other answers, S3 counts the tags only for callers that may read them.
async fn tags(bucket: &Bucket, key: &str, target: &str) -> Result<Option<String>> {
    let asked =
        Asked { failing: "cannot read the tags of the object", target, permission: "s3:GetObjectTagging" };
    let request = bucket.client.get_object_tagging().bucket(&bucket.name).key(key);
    match request.set_expected_bucket_owner(bucket.owner.clone()).send_through(&bucket.aws).await {
        Ok(found) => Ok(Some(tag_query(found.tag_set.iter().map(|tag: &Tag| (tag.key(), tag.value()))))),
        // Some servers answer this for an object without tags.
        Err(error) if status_of(&error) == Some(404) => Ok(Some(String::new())),
        Err(error) if matches!(status_of(&error), Some(403 | 405 | 501)) => Ok(None),
        Err(error) => Err(failure(asked, &error)),
    }
}

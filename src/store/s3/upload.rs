//! A file on its way into a bucket: uploaded in parts, and visible only when the upload is completed.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    CompletedMultipartUpload, CompletedPart, ObjectCannedAcl, ServerSideEncryption, StorageClass,
};
use tokio::task::JoinSet;

use super::bucket::Bucket;
use super::failure::{Asked, code_of, failure};
use super::request::Request;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Encryption, LakeAccess};

/// Size of a part. S3 takes parts of at least 5 MiB and at most 10,000 of them, so that a file may have 78 GiB.
const PART_BYTES: usize = 8 << 20;
/// Number of parts in progress at once.
const PARALLEL: usize = 3;

/// An upload that has begun; once it is completed, it is an object.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) id: String,
    parts: Vec<CompletedPart>,
}

impl Upload {
    async fn begin(bucket: &Bucket, access: &LakeAccess, key: String) -> Result<Self> {
        let target = bucket.address(&key);
        let request = with_access(bucket.client.create_multipart_upload(), access)
            .bucket(&bucket.name)
            .key(&key)
            .set_expected_bucket_owner(bucket.owner.clone());
        let answer =
            request.send_through(&bucket.aws).await.map_err(|error| failure(writing(&target), &error))?;
        let id = answer.upload_id().unwrap_or_default().to_owned();
        Ok(Self { key, id, parts: Vec::new() })
    }

    /// Makes the whole object visible. Completing twice is not an error.
    pub(super) async fn complete(&self, bucket: &Bucket) -> Result<()> {
        let target = bucket.address(&self.key);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts.clone())).build();
        let answer = bucket
            .client
            .complete_multipart_upload()
            .bucket(&bucket.name)
            .key(&self.key)
            .upload_id(&self.id)
            .multipart_upload(parts)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send_through(&bucket.aws)
            .await;
        match answer {
            Ok(_) => Ok(()),
            // An earlier answer may have been lost on its way; no other run writes to this key.
            Err(error) if code_of(&error) == Some("NoSuchUpload") => {
                if exists(bucket, &self.key).await {
                    Ok(())
                } else {
                    Err(overtaken(&target))
                }
            }
            Err(error) => Err(failure(writing(&target), &error)),
        }
    }
}

/// Creates an error about a day that another run has published since this one began.
pub(super) fn overtaken(target: &str) -> Error {
    Error::new(ErrorKind::Temporary, "another run has published this day: this run stops")
        .with("at", target)
        .hint("run the day again if its inputs have changed since")
}

async fn exists(bucket: &Bucket, key: &str) -> bool {
    let request = bucket.client.head_object().bucket(&bucket.name).key(key);
    request.set_expected_bucket_owner(bucket.owner.clone()).send_through(&bucket.aws).await.is_ok()
}

pub(super) fn writing(target: &str) -> Asked<'_> {
    Asked { failing: "cannot write to the lake", target, permission: "s3:PutObject" }
}

/// Aborts an upload; succeeds if it no longer exists.
pub(super) async fn abort(bucket: &Bucket, key: &str, id: &str) -> Result<()> {
    let target = bucket.address(key);
    let asked =
        Asked { failing: "cannot abort an upload", target: &target, permission: "s3:AbortMultipartUpload" };
    let answer = bucket
        .client
        .abort_multipart_upload()
        .bucket(&bucket.name)
        .key(key)
        .upload_id(id)
        .set_expected_bucket_owner(bucket.owner.clone())
        .send_through(&bucket.aws)
        .await;
    match answer {
        Err(error) if code_of(&error) != Some("NoSuchUpload") => Err(failure(asked, &error)),
        _ => Ok(()),
    }
}

/// Removes an object; succeeds if it does not exist.
pub(super) async fn remove(bucket: &Bucket, key: &str) -> Result<()> {
    let target = bucket.address(key);
    let asked =
        Asked { failing: "cannot remove from the lake", target: &target, permission: "s3:DeleteObject" };
    let request = bucket.client.delete_object().bucket(&bucket.name).key(key);
    let answer = request.set_expected_bucket_owner(bucket.owner.clone()).send_through(&bucket.aws).await;
    answer.map(drop).map_err(|error| failure(asked, &error))
}

/// A request that writes a small object in one call.
pub(super) fn put(bucket: &Bucket, access: &LakeAccess, key: &str, content: &[u8]) -> PutObjectFluentBuilder {
    let (encryption, kms_key) = encryption(access);
    let request = bucket.client.put_object().bucket(&bucket.name).key(key);
    request
        .body(ByteStream::from(content.to_vec()))
        .set_server_side_encryption(encryption)
        .set_ssekms_key_id(kms_key)
        .set_tagging(tagging(access))
        .set_acl(acl(access))
        .set_expected_bucket_owner(bucket.owner.clone())
}

fn with_access(
    request: CreateMultipartUploadFluentBuilder,
    access: &LakeAccess,
) -> CreateMultipartUploadFluentBuilder {
    let (encryption, key) = encryption(access);
    request
        .set_server_side_encryption(encryption)
        .set_ssekms_key_id(key)
        .set_storage_class(access.storage_class.as_deref().map(StorageClass::from))
        .set_tagging(tagging(access))
        .set_acl(acl(access))
}

fn encryption(access: &LakeAccess) -> (Option<ServerSideEncryption>, Option<String>) {
    match &access.encryption {
        None => (None, None),
        Some(Encryption::S3) => (Some(ServerSideEncryption::Aes256), None),
        Some(Encryption::Kms(key)) => (Some(ServerSideEncryption::AwsKms), key.clone()),
    }
}

fn acl(access: &LakeAccess) -> Option<ObjectCannedAcl> {
    access.bucket_owner_full_control.then_some(ObjectCannedAcl::BucketOwnerFullControl)
}

/// Tags as a query string.
fn tagging(access: &LakeAccess) -> Option<String> {
    let tags = access.tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Some(tag_query(tags)).filter(|tags| !tags.is_empty())
}

/// Names and values of tags as a query string.
pub(super) fn tag_query<'t>(tags: impl Iterator<Item = (&'t str, &'t str)>) -> String {
    let pairs: Vec<String> =
        tags.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The uploads of a version of a day.
pub(super) type Uploads = Arc<Mutex<Vec<Upload>>>;

/// Writes one file. Its final flush waits for all parts; it does not complete the upload.
pub(super) struct UploadWriter {
    bucket: Arc<Bucket>,
    upload: Upload,
    uploads: Uploads,
    buffer: Vec<u8>,
    running: JoinSet<Result<CompletedPart>>,
    next_part: i32,
}

impl UploadWriter {
    /// Begins an upload and adds it to `uploads`.
    pub(super) fn begin(
        bucket: &Arc<Bucket>,
        access: &LakeAccess,
        key: String,
        uploads: &Uploads,
    ) -> Result<Self> {
        // This must not be interrupted: an upload that no run remembers would remain.
        let upload = bucket.aws.wait_out(Upload::begin(bucket, access, key))?;
        lock(uploads).push(upload.clone());
        let (bucket, uploads) = (Arc::clone(bucket), Arc::clone(uploads));
        Ok(Self { bucket, upload, uploads, buffer: Vec::new(), running: JoinSet::new(), next_part: 1 })
    }

    fn send_part(&mut self, content: Vec<u8>) -> Result<()> {
        while self.running.len() >= PARALLEL {
            self.take_part()?;
        }
        let part = send_part(Arc::clone(&self.bucket), self.upload.clone(), self.next_part, content);
        self.running.spawn_on(part, &self.bucket.aws.handle());
        self.next_part += 1;
        Ok(())
    }

    /// Waits for one part in progress; returns `false` if no part is in progress.
    fn take_part(&mut self) -> Result<bool> {
        let running = &mut self.running;
        let arrived = self.bucket.aws.wait(async move { Ok(running.join_next().await) })?;
        let Some(arrived) = arrived else { return Ok(false) };
        let part = arrived.map_err(|cause| Error::bug("an upload stopped early").caused_by(cause))??;
        self.upload.parts.push(part);
        Ok(true)
    }

    fn finish(&mut self) -> Result<()> {
        // An upload has at least one part.
        if !self.buffer.is_empty() || self.next_part == 1 {
            let rest = std::mem::take(&mut self.buffer);
            self.send_part(rest)?;
        }
        while self.take_part()? {}
        self.upload.parts.sort_by_key(CompletedPart::part_number);
        if let Some(known) = lock(&self.uploads).iter_mut().find(|known| known.id == self.upload.id) {
            known.parts.clone_from(&self.upload.parts);
        }
        Ok(())
    }
}

impl Write for UploadWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(PART_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..count]);
        if self.buffer.len() == PART_BYTES {
            let full = std::mem::take(&mut self.buffer);
            self.send_part(full).map_err(io::Error::other)?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.finish().map_err(io::Error::other)
    }
}

async fn send_part(
    bucket: Arc<Bucket>,
    upload: Upload,
    number: i32,
    content: Vec<u8>,
) -> Result<CompletedPart> {
    let target = bucket.address(&upload.key);
    let answer = bucket
        .client
        .upload_part()
        .bucket(&bucket.name)
        .key(&upload.key)
        .upload_id(&upload.id)
        .part_number(number)
        .set_expected_bucket_owner(bucket.owner.clone())
        .body(ByteStream::from(content))
        .send_through(&bucket.aws)
        .await
        .map_err(|error| match code_of(&error) {
            Some("NoSuchUpload") => overtaken(&target),
            _ => failure(writing(&target), &error),
        })?;
    Ok(CompletedPart::builder()
        .part_number(number)
        .set_e_tag(answer.e_tag().map(str::to_owned))
        .set_checksum_crc32(answer.checksum_crc32().map(str::to_owned))
        .set_checksum_crc64_nvme(answer.checksum_crc64_nvme().map(str::to_owned))
        .build())
}

pub(super) fn lock(uploads: &Uploads) -> std::sync::MutexGuard<'_, Vec<Upload>> {
    uploads.lock().expect("a thread that panics ends the process")
}

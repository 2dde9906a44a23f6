//! A new version of a day in a bucket, from its first upload to the put of its manifest.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::bucket::Bucket;
use super::failure::{failure, status_of};
use super::fence::is_ours;
use super::object::try_get;
use super::request::Request;
use super::upload::{self, Upload, UploadWriter, Uploads, lock, overtaken, writing};
use crate::error::{Error, Result};
use crate::store::LakeAccess;
use crate::store::lake::{Committed, StagedPartition, StoredManifest, Uncommitted};

/// Maximum number of attempts to put the manifest while S3 reports another put of it.
const COMMIT_ATTEMPTS: u32 = 5;
const COMMIT_PAUSE: Duration = Duration::from_millis(200);
/// How long a run that fails tries to remove its files.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);

/// A new version of a partition: uploads that are not visible yet.
pub(super) struct S3Staged {
    bucket: Arc<Bucket>,
    access: LakeAccess,
    /// The prefix of the partition, with `/` at its end.
    prefix: String,
    /// The key of the manifest.
    manifest: String,
    /// The manifest at the beginning.
    replaces: Option<Replaced>,
    uploads: Uploads,
    /// Number of uploads, from the front, that are objects by now.
    completed: usize,
    /// Whether the files must be kept: the manifest names them, or may do so.
    keeps_files: bool,
}

/// A manifest that a version is to replace.
pub(super) struct Replaced {
    pub(super) stored: StoredManifest,
    /// Its `ETag`; `None` for one inside the partition, as earlier versions of logmill put it. The new manifest has another key.
    pub(super) etag: Option<String>,
}

impl S3Staged {
    /// Begins a version below `prefix` that is to replace the manifest with the key `manifest`.
    pub(super) fn begin(
        bucket: Arc<Bucket>,
        access: LakeAccess,
        prefix: String,
        manifest: String,
        replaces: Option<Replaced>,
    ) -> Self {
        Self {
            bucket,
            access,
            prefix,
            manifest,
            replaces,
            uploads: Uploads::default(),
            completed: 0,
            keeps_files: false,
        }
    }
}

impl StagedPartition for S3Staged {
    fn replaces(&self) -> Option<&StoredManifest> {
        self.replaces.as_ref().map(|replaced| &replaced.stored)
    }

    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>> {
        let key = format!("{}{path}", self.prefix);
        Ok(Box::new(UploadWriter::begin(&self.bucket, &self.access, key, &self.uploads)?))
    }

    fn commit(mut self: Box<Self>, _: &str, manifest: &[u8]) -> std::result::Result<Committed, Uncommitted> {
        let uploads = lock(&self.uploads).clone();
        let aws = Arc::clone(&self.bucket.aws);
        let committed = aws.wait_out(async {
            for upload in &uploads {
                let completed = upload.complete(&self.bucket).await;
                completed.map_err(|error| Uncommitted { error, is_certain: true })?;
                self.completed += 1;
            }
            self.put_manifest(manifest).await
        });
        // If it is unknown whether S3 has accepted the manifest, the next run finds out and cleans up.
        self.keeps_files = !committed.as_ref().is_err_and(|refused| refused.is_certain);
        committed.map(|()| Committed::default())
    }
}

impl S3Staged {
    /// Puts the manifest on the condition that the one from the beginning is still current. A manifest inside the partition is
    /// current until one with the new key exists.
    async fn put_manifest(&self, manifest: &[u8]) -> std::result::Result<(), Uncommitted> {
        let key = &self.manifest;
        let target = self.bucket.address(key);
        let etag = self.replaces.as_ref().and_then(|replaced| replaced.etag.clone());
        let mut attempt = 0;
        loop {
            attempt += 1;
            let answer = upload::put(&self.bucket, &self.access, key, manifest)
                .content_type("application/json")
                .set_if_none_match(etag.is_none().then(|| "*".to_owned()))
                .set_if_match(etag.clone())
                .send_through(&self.bucket.aws)
                .await;
            let Err(error) = answer else { return Ok(()) };
            match status_of(&error) {
                Some(409) if attempt < COMMIT_ATTEMPTS => {
                    self.bucket.aws.pause(COMMIT_PAUSE * attempt).await;
                }
                Some(404 | 409 | 412) => return self.settle(manifest, overtaken(&target), true).await,
                // A refusal is final. Without an answer, or after an unclear one, S3 may have accepted the manifest.
                status => {
                    let is_refusal =
                        status.is_some_and(|status| (400..500).contains(&status) && status != 408);
                    return self.settle(manifest, failure(writing(&target), &error), is_refusal).await;
                }
            }
        }
    }

    /// Settles what an error about the manifest means: S3 may have accepted it, and only the answer was lost on its way.
    async fn settle(
        &self,
        manifest: &[u8],
        error: Error,
        is_refusal: bool,
    ) -> std::result::Result<(), Uncommitted> {
        let current = try_get(&self.bucket, &self.manifest, None, None).await;
        let is = |expected: &[u8]| matches!(&current, Ok(Some(found)) if found.content == expected);
        if matches!(&current, Ok(Some(found)) if is_ours(&found.content, manifest)) {
            return Ok(());
        }
        // Our manifest can no longer replace that of another run, or one that cleaning has touched. It can still replace the
        // old one, through a put that is on its way.
        let old_is_live = match &self.replaces {
            Some(Replaced { stored, etag: Some(_) }) => is(&stored.json),
            _ => matches!(current, Ok(None)),
        };
        // Even if the last attempt was refused, an earlier one may have been accepted: only the current manifest decides.
        let is_certain = current.is_ok() && (is_refusal || !old_is_live);
        Err(Uncommitted { error, is_certain })
    }

    /// Removes the files that were written, as far as possible within a time limit.
    async fn remove_all(&self, uploads: Vec<Upload>) {
        let mut running = JoinSet::new();
        for (place, upload) in uploads.into_iter().enumerate() {
            let bucket = Arc::clone(&self.bucket);
            // The upload whose completion failed may or may not be an object.
            let (may_be_object, may_be_upload) = (place <= self.completed, place >= self.completed);
            running.spawn(async move {
                // Best effort: the next run of the day and 'logmill clean' find the rest.
                if may_be_upload {
                    let _ = upload::abort(&bucket, &upload.key, &upload.id).await;
                }
                if may_be_object {
                    let _ = upload::remove(&bucket, &upload.key).await;
                }
            });
        }
        let _ = tokio::time::timeout(GIVE_UP_AFTER, running.join_all()).await;
    }
}

impl Drop for S3Staged {
    fn drop(&mut self) {
        let uploads = std::mem::take(&mut *lock(&self.uploads));
        if !self.keeps_files && !uploads.is_empty() {
            self.bucket.aws.wait_out(self.remove_all(uploads));
        }
    }
}

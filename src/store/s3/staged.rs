//! A new version of a day in a bucket, from its first upload to the put of its manifest.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::bucket::Bucket;
use super::failure::{failure, status_of};
use super::fence::is_ours;
use super::object::try_get;
use super::upload::{self, Upload, UploadWriter, Uploads, lock, overtaken, writing};
use crate::error::{Error, Result};
use crate::store::LakeAccess;
use crate::store::lake::{Committed, MANIFEST, StagedPartition, Uncommitted};

/// How often the manifest is put again when S3 says that somebody else is putting it.
const COMMIT_ATTEMPTS: u32 = 5;
const COMMIT_PAUSE: Duration = Duration::from_millis(200);
/// How long a run that fails tries to remove what it has written.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);

/// A new version of a partition: uploads that nobody sees.
pub(super) struct S3Staged {
    bucket: Arc<Bucket>,
    access: LakeAccess,
    /// Of the partition, with `/` at its end.
    prefix: String,
    /// The manifest that was there at the beginning, and its `ETag`.
    replaces: Option<(Vec<u8>, String)>,
    uploads: Uploads,
    /// How many of them, from the front, are objects by now.
    completed: usize,
    /// Whether what was written must stay: the manifest names it, or may do so.
    must_stay: bool,
}

impl S3Staged {
    /// Begins a version below `prefix`, which is to replace the manifest that stands there with this `ETag`.
    pub(super) fn begin(
        bucket: Arc<Bucket>,
        access: LakeAccess,
        prefix: String,
        replaces: Option<(Vec<u8>, String)>,
    ) -> Self {
        Self { bucket, access, prefix, replaces, uploads: Uploads::default(), completed: 0, must_stay: false }
    }
}

impl StagedPartition for S3Staged {
    fn replaces(&self) -> Option<&[u8]> {
        self.replaces.as_ref().map(|(manifest, _)| manifest.as_slice())
    }

    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>> {
        let key = format!("{}{path}", self.prefix);
        Ok(Box::new(UploadWriter::begin(&self.bucket, &self.access, key, &self.uploads)?))
    }

    fn commit(mut self: Box<Self>, manifest: &[u8]) -> std::result::Result<Committed, Uncommitted> {
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
        // Where it is not known whether S3 has it, the next run finds out and cleans.
        self.must_stay = !committed.as_ref().is_err_and(|refused| refused.is_certain);
        committed.map(|()| Committed::default())
    }
}

impl S3Staged {
    /// Puts the manifest on the condition that it is still the one that was there at the beginning.
    async fn put_manifest(&self, manifest: &[u8]) -> std::result::Result<(), Uncommitted> {
        let key = format!("{}{MANIFEST}", self.prefix);
        let target = self.bucket.address(&key);
        let etag = self.replaces.as_ref().map(|(_, etag)| etag.clone());
        let mut attempt = 0;
        loop {
            attempt += 1;
            let answer = upload::put(&self.bucket, &self.access, &key, manifest)
                .content_type("application/json")
                .set_if_none_match(etag.is_none().then(|| "*".to_owned()))
                .set_if_match(etag.clone())
                .send()
                .await;
            let Err(error) = answer else { return Ok(()) };
            match status_of(&error) {
                Some(409) if attempt < COMMIT_ATTEMPTS => {
                    tokio::time::sleep(COMMIT_PAUSE * attempt).await;
                }
                Some(404 | 409 | 412) => return self.settle(&key, manifest, overtaken(&target), true).await,
                // A refusal is a refusal; without an answer, or after one that says little, it may have been taken.
                status => {
                    let is_refusal =
                        status.is_some_and(|status| (400..500).contains(&status) && status != 408);
                    return self.settle(&key, manifest, failure(writing(&target), &error), is_refusal).await;
                }
            }
        }
    }

    /// What an error about the manifest means: S3 may have taken it, and only the answer was lost on its options.
    async fn settle(
        &self,
        key: &str,
        manifest: &[u8],
        error: Error,
        is_refusal: bool,
    ) -> std::result::Result<(), Uncommitted> {
        let standing = try_get(&self.bucket, key, None, None).await;
        let is = |expected: &[u8]| matches!(&standing, Ok(Some(found)) if found.content == expected);
        if matches!(&standing, Ok(Some(found)) if is_ours(&found.content, manifest)) {
            return Ok(());
        }
        // Another run's manifest, or one that cleaning has touched, can be replaced by ours no more; the old one still can, by
        // a put that is on its options.
        let old_stands = match &self.replaces {
            Some((old, _)) => is(old),
            None => matches!(standing, Ok(None)),
        };
        // Even where the last attempt was refused, an earlier one may have been taken: only what stands there tells.
        let is_certain = standing.is_ok() && (is_refusal || !old_stands);
        Err(Uncommitted { error, is_certain })
    }

    /// Removes what was written, as far as it can be done in a while.
    async fn remove_all(&self, uploads: Vec<Upload>) {
        let mut running = JoinSet::new();
        for (place, upload) in uploads.into_iter().enumerate() {
            let bucket = Arc::clone(&self.bucket);
            // Of the one that was being completed when something went wrong nobody knows.
            let (may_be_object, may_be_upload) = (place <= self.completed, place >= self.completed);
            running.spawn(async move {
                // Best effort: what stays is found by the next run of the day and by 'logmill clean'.
                if may_be_upload {
                    let _ = upload::abort(&bucket, &upload.key, &upload.id).await;
                }
                if may_be_object {
                    let request = bucket.client.delete_object().bucket(&bucket.name).key(&upload.key);
                    let _ = request.set_expected_bucket_owner(bucket.owner.clone()).send().await;
                }
            });
        }
        let _ = tokio::time::timeout(GIVE_UP_AFTER, running.join_all()).await;
    }
}

impl Drop for S3Staged {
    fn drop(&mut self) {
        let uploads = std::mem::take(&mut *lock(&self.uploads));
        if !self.must_stay && !uploads.is_empty() {
            self.bucket.aws.wait_out(self.remove_all(uploads));
        }
    }
}

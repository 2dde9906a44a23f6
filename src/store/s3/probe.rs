//! What a bucket promises: the answers to single requests on which [`S3Lake`] and
//! [`S3Store`](super::S3Store) rely.

use std::io::Write;
use std::sync::Arc;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::{ChecksumMode, EncodingType};

use super::bucket::Bucket;
use super::clock::ServiceClock;
use super::failure::{Asked, failure, status_of};
use super::lake::S3Lake;
use super::names::decoded;
use super::object::{get, try_get};
use super::request::Request;
use super::upload::{self, Upload, UploadWriter, Uploads, writing};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::store::LakeAccess;
use crate::store::promise::Seen;

mod cases;

pub(in crate::store) use cases::BUCKETS;

/// A folder of a bucket to try, which must be empty.
pub(in crate::store) struct TriedBucket {
    bucket: Arc<Bucket>,
    access: LakeAccess,
    /// The prefix of all keys.
    root: String,
    clock: ServiceClock,
    /// The time of this machine.
    now: UtcInstant,
}

/// What the store did with a conditional request.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    /// It was carried out; the `ETag` of the new object.
    Accepted(String),
    /// The condition did not hold.
    Refused,
}

impl TriedBucket {
    pub(in crate::store) fn of(lake: &S3Lake, now: UtcInstant) -> Self {
        let (bucket, access, root, clock) = lake.parts();
        Self { bucket: Arc::clone(bucket), access: access.clone(), root: root.to_owned(), clock, now }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.root)
    }

    fn target(&self, name: &str) -> String {
        self.bucket.address(&self.key(name))
    }

    fn put(&self, name: &str, content: &str) -> PutObjectFluentBuilder {
        upload::put(&self.bucket, &self.access, &self.key(name), content.as_bytes())
    }

    async fn send(&self, name: &str, request: PutObjectFluentBuilder) -> Result<Sent> {
        match request.send_through(&self.bucket.aws).await {
            Ok(answer) => Ok(Sent::Accepted(answer.e_tag().unwrap_or_default().to_owned())),
            Err(error) if matches!(status_of(&error), Some(404 | 409 | 412)) => Ok(Sent::Refused),
            Err(error) => Err(failure(writing(&self.target(name)), &error)),
        }
    }

    /// Puts an object without a condition; returns its `ETag`.
    async fn store(&self, name: &str, content: &str) -> Result<String> {
        match self.send(name, self.put(name, content)).await? {
            Sent::Accepted(etag) => Ok(etag),
            Sent::Refused => Err(Error::new(ErrorKind::Unusable, "a put without a condition was refused")
                .with("at", self.target(name))),
        }
    }

    /// The content of an object; `None` if it does not exist.
    async fn content(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(try_get(&self.bucket, &self.key(name), None, None).await?.map(|found| found.content.to_vec()))
    }

    async fn holds(&self, name: &str, content: &str) -> Result<bool> {
        Ok(self.content(name).await?.as_deref() == Some(content.as_bytes()))
    }

    async fn head(&self, name: &str) -> Result<HeadObjectOutput> {
        let request = self.bucket.client.head_object().bucket(&self.bucket.name).key(self.key(name));
        let request = request.checksum_mode(ChecksumMode::Enabled);
        let target = self.target(name);
        let asked = Asked { failing: "cannot read the object", target: &target, permission: "s3:GetObject" };
        let answer =
            request.set_expected_bucket_owner(self.bucket.owner.clone()).send_through(&self.bucket.aws).await;
        answer.map_err(|error| failure(asked, &error))
    }

    /// The keys below a name, and its folders if they are not entered, in the order of the listing. Each page has at most
    /// `page` of them.
    async fn list(&self, below: &str, after: &str, page: i32, enters: bool) -> Result<Vec<String>> {
        let request = self.bucket.client.list_objects_v2().bucket(&self.bucket.name).prefix(self.key(below));
        let request = request.encoding_type(EncodingType::Url).max_keys(page);
        let request = request.set_start_after((!after.is_empty()).then(|| self.key(after)));
        let request = request.set_delimiter((!enters).then(|| "/".to_owned()));
        let request = request.set_expected_bucket_owner(self.bucket.owner.clone());
        let target = self.target(below);
        let asked = Asked { failing: "cannot list the lake", target: &target, permission: "s3:ListBucket" };
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let answer =
                request.clone().set_continuation_token(token.take()).send_through(&self.bucket.aws).await;
            let answer = answer.map_err(|error| failure(asked, &error))?;
            let keys = answer.contents().iter().filter_map(|object| object.key());
            let folders = answer.common_prefixes().iter().filter_map(|folder| folder.prefix());
            let names = keys.chain(folders).map(|key| decoded(key.to_owned(), answer.encoding_type()));
            found.extend(names.map(|key| key.strip_prefix(&self.root).unwrap_or(&key).to_owned()));
            token = answer.next_continuation_token().map(str::to_owned);
            if !answer.is_truncated().unwrap_or_default() || token.is_none() {
                return Ok(found);
            }
        }
    }

    /// The `ETag` in a listing.
    async fn listed_etag(&self, name: &str) -> Result<String> {
        let request = self.bucket.client.list_objects_v2().bucket(&self.bucket.name).prefix(self.key(name));
        let target = self.target(name);
        let asked = Asked { failing: "cannot list the lake", target: &target, permission: "s3:ListBucket" };
        let answer =
            request.set_expected_bucket_owner(self.bucket.owner.clone()).send_through(&self.bucket.aws).await;
        let answer = answer.map_err(|error| failure(asked, &error))?;
        let etag = answer.contents().first().and_then(|object| object.e_tag());
        Ok(etag.unwrap_or_default().to_owned())
    }

    /// Reads an object in one version; fails if it has another one.
    async fn pinned(&self, name: &str, etag: &str) -> Result<bool> {
        Ok(try_get(&self.bucket, &self.key(name), None, Some(etag)).await?.is_some())
    }

    /// Begins an upload and sends its only part.
    fn upload(&self, name: &str, content: &str) -> Result<Upload> {
        let uploads = Uploads::default();
        let mut writer = UploadWriter::begin(&self.bucket, &self.access, self.key(name), &uploads)?;
        let sent = writer.write_all(content.as_bytes()).and_then(|()| writer.flush());
        let begun = upload::lock(&uploads).remove(0);
        match sent {
            Ok(()) => Ok(begun),
            Err(cause) => {
                let abort = upload::abort(&self.bucket, &begun.key, &begun.id);
                self.bucket.aws.wait_out(abort)?;
                Err(Error::unusable("cannot write to the bucket", cause))
            }
        }
    }

    /// The keys of unfinished uploads below the folder.
    async fn unfinished(&self) -> Result<Vec<(String, String)>> {
        let request =
            self.bucket.client.list_multipart_uploads().bucket(&self.bucket.name).prefix(&self.root);
        let target = self.target("");
        let permission = "s3:ListBucketMultipartUploads";
        let asked = Asked { failing: "cannot list the lake", target: &target, permission };
        let answer =
            request.set_expected_bucket_owner(self.bucket.owner.clone()).send_through(&self.bucket.aws).await;
        let answer = answer.map_err(|error| failure(asked, &error))?;
        let known = |upload: &aws_sdk_s3::types::MultipartUpload| {
            Some((upload.key()?.to_owned(), upload.upload_id()?.to_owned()))
        };
        Ok(answer.uploads().iter().filter_map(known).collect())
    }

    /// Removes every object and unfinished upload below the folder, as far as possible. Fails if an object remains.
    pub(in crate::store) fn remove_all(&self) -> Result<()> {
        self.bucket.aws.wait_out(async {
            for (key, id) in self.unfinished().await.unwrap_or_default() {
                let _ = upload::abort(&self.bucket, &key, &id).await;
            }
            for name in self.list("", "", 1000, true).await? {
                let _ = upload::remove(&self.bucket, &self.key(&name)).await;
            }
            match self.list("", "", 1000, true).await?.first() {
                None => Ok(()),
                Some(name) => {
                    Err(Error::new(ErrorKind::Unusable, "the probe cannot remove all of its files")
                        .with("first", self.target(name))
                        .hint("remove the folder by hand"))
                }
            }
        })
    }
}

/// Whether a request was refused because of what it sent.
fn is_refused<E, R>(
    answer: &std::result::Result<R, SdkError<E, aws_sdk_s3::config::http::HttpResponse>>,
) -> bool {
    answer.as_ref().is_err_and(|error| status_of(error).is_some_and(|status| (400..500).contains(&status)))
}

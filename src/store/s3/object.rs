//! Reads whole objects and ranges of them, for small files and for random access.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::bucket::Bucket;
use super::failure::{Asked, code_of, failure, status_of};
use super::request::Request;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::store::lake::{LakeFile, check_range, too_large};

/// Maximum number of requests for a body that breaks off.
const BODY_ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// An object, or a range of it, that was read.
pub(super) struct Fetched {
    pub(super) content: Bytes,
    pub(super) etag: String,
    /// When it was written, by the clock of S3.
    pub(super) modified_at: UtcInstant,
    /// The metadata that its owner gave it.
    pub(super) metadata: HashMap<String, String>,
}

/// Reads an object, or a range of it (its start and length); `None` if it does not exist. If a `version` is given, any other
/// version is refused.
pub(super) async fn try_get(
    bucket: &Bucket,
    key: &str,
    range: Option<(u64, u64)>,
    version: Option<&str>,
) -> Result<Option<Fetched>> {
    persist(bucket, key, Wanted { range, version, most: u64::MAX }).await
}

/// Reads an object of at most `most` bytes; `None` if it does not exist.
pub(super) async fn try_get_up_to(bucket: &Bucket, key: &str, most: u64) -> Result<Option<Fetched>> {
    persist(bucket, key, Wanted { range: None, version: None, most }).await
}

/// The wanted part of an object.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    range: Option<(u64, u64)>,
    version: Option<&'a str>,
    /// An object with more bytes is refused.
    most: u64,
}

async fn persist(bucket: &Bucket, key: &str, wanted: Wanted<'_>) -> Result<Option<Fetched>> {
    let target = bucket.address(key);
    let mut pause = FIRST_PAUSE;
    let mut broken = String::new();
    // The SDK retries failures before the body. A body that breaks off is requested again here.
    for attempt in 1..=BODY_ATTEMPTS {
        match ask(bucket, key, &target, wanted).await? {
            Asking::Arrived(fetched) => return Ok(Some(fetched)),
            Asking::Missing => return Ok(None),
            Asking::Broken(cause) => broken = cause,
        }
        if attempt < BODY_ATTEMPTS {
            bucket.aws.pause(pause.mul_f64(jitter())).await;
            pause *= 2;
        }
    }
    Err(Error::new(ErrorKind::Temporary, "the body of the object keeps breaking off")
        .with("object", target)
        .with("attempts", BODY_ATTEMPTS)
        .caused_by(io::Error::other(broken))
        .hint("run the day again later: the service or the network has problems"))
}

/// [`try_get`] for an object that must exist.
pub(super) async fn get(
    bucket: &Bucket,
    key: &str,
    range: Option<(u64, u64)>,
    version: Option<&str>,
) -> Result<Fetched> {
    try_get(bucket, key, range, version).await?.ok_or_else(|| {
        Error::new(ErrorKind::Unusable, "the object is gone")
            .with("object", bucket.address(key))
            .hint("check whether it was removed after the bucket was listed")
    })
}

/// The outcome of one request.
enum Asking {
    Arrived(Fetched),
    Missing,
    /// Worth another attempt.
    Broken(String),
}

async fn ask(
    bucket: &Bucket,
    key: &str,
    target: &str,
    Wanted { range, version, most }: Wanted<'_>,
) -> Result<Asking> {
    let asked = Asked { failing: "cannot read the object", target, permission: "s3:GetObject" };
    let answer = bucket
        .client
        .get_object()
        .bucket(&bucket.name)
        .key(key)
        .set_range(range.map(|(start, bytes)| format!("bytes={start}-{}", start + bytes - 1)))
        .set_if_match(version.map(str::to_owned))
        .set_request_payer(bucket.payer.clone())
        .set_expected_bucket_owner(bucket.owner.clone())
        .send_through(&bucket.aws)
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if code_of(&error) == Some("NoSuchKey") => return Ok(Asking::Missing),
        Err(error) if status_of(&error) == Some(412) => return Err(changed(target)),
        Err(error) => return Err(failure(asked, &error)),
    };
    if answer.content_length().and_then(|length| u64::try_from(length).ok()).is_some_and(|bytes| bytes > most)
    {
        return Err(too_large(target, most));
    }
    let expected = answer.content_length().and_then(|length| usize::try_from(length).ok());
    let etag = answer.e_tag().unwrap_or_default().to_owned();
    let modified_at = answer.last_modified().map_or(UtcInstant(0), instant);
    let metadata = answer.metadata().cloned().unwrap_or_default();
    Ok(match answer.body.collect().await.map(aws_sdk_s3::primitives::AggregatedBytes::into_bytes) {
        Ok(content) if expected.is_some_and(|expected| content.len() != expected) => {
            Asking::Broken("it is too short".to_owned())
        }
        Ok(content) => Asking::Arrived(Fetched { content, etag, modified_at, metadata }),
        Err(cause) => Asking::Broken(cause.to_string()),
    })
}

/// Creates an error about an object that is not the one that was listed.
pub(super) fn changed(target: &str) -> Error {
    Error::new(ErrorKind::Temporary, "the object has changed since the bucket was listed")
        .with("object", target)
        .hint("run the day again")
}

/// Converts a time of S3.
pub(super) fn instant(time: &aws_sdk_s3::primitives::DateTime) -> UtcInstant {
    UtcInstant(time.to_millis().unwrap_or_default())
}

/// A random factor between 0.5 and 1.5.
fn jitter() -> f64 {
    0.5 + f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}

/// An object for random access.
pub(super) struct S3File {
    bucket: Arc<Bucket>,
    key: String,
    bytes: u64,
    etag: Option<String>,
}

impl S3File {
    /// Opens an object; `None` if it does not exist.
    pub(super) async fn open(bucket: Arc<Bucket>, key: String) -> Result<Option<Self>> {
        let target = bucket.address(&key);
        let asked = Asked { failing: "cannot read the object", target: &target, permission: "s3:GetObject" };
        let answer = bucket
            .client
            .head_object()
            .bucket(&bucket.name)
            .key(&key)
            .set_request_payer(bucket.payer.clone())
            .set_expected_bucket_owner(bucket.owner.clone())
            .send_through(&bucket.aws)
            .await;
        match answer {
            Err(error) if status_of(&error) == Some(404) => Ok(None),
            Err(error) => Err(failure(asked, &error)),
            Ok(answer) => {
                let bytes = u64::try_from(answer.content_length().unwrap_or_default()).unwrap_or_default();
                let etag = answer.e_tag().map(str::to_owned);
                Ok(Some(Self { bucket, key, bytes, etag }))
            }
        }
    }
}

impl LakeFile for S3File {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        check_range(self.bytes, offset, length)?;
        let range = Some((offset, length as u64));
        let got = get(&self.bucket, &self.key, range, self.etag.as_deref());
        Ok(self.bucket.aws.wait(got).map_err(io::Error::other)?.content)
    }
}

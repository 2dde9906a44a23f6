//! Raw logs in a bucket.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::types::{EncodingType, RequestPayer};
use tokio::task::JoinSet;

use super::bucket::Bucket;
use super::failure::{Asked, failure, status_of};
use super::object::{Fetched, try_get_up_to};
use super::read_ahead::{ReadAhead, SINGLE_BYTES};
use super::{Aws, S3Location, listing};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{ListVisitor, ObjectFeed, ObjectMeta, SmallObject, SourceAccess, Store};

/// Number of small objects that are fetched at once.
const PARALLEL: usize = 32;

/// The objects of a bucket whose keys begin with a prefix.
pub struct S3Store {
    pub(super) bucket: Arc<Bucket>,
    location: S3Location,
    /// The part of the prefix up to its last `/`, which keys do not repeat.
    root: String,
    requests: AtomicU64,
}

impl S3Store {
    /// Opens a source without sending a request.
    pub fn open(aws: Arc<Aws>, location: S3Location, access: &SourceAccess) -> Result<Self> {
        let client = aws.s3(access.role_arn.as_deref())?;
        let root = location.prefix.rfind('/').map_or("", |slash| &location.prefix[..=slash]).to_owned();
        let bucket = Bucket {
            aws,
            client,
            name: location.bucket.clone(),
            payer: access.requester_pays.then_some(RequestPayer::Requester),
            owner: access.expected_bucket_owner.clone(),
        };
        Ok(Self { bucket: Arc::new(bucket), location, root, requests: AtomicU64::new(0) })
    }
}

impl S3Store {
    /// The size and `ETag` of an object; `None` if it does not exist.
    fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        let request = self
            .bucket
            .client
            .head_object()
            .bucket(&self.bucket.name)
            .key(format!("{}{key}", self.root))
            .set_request_payer(self.bucket.payer.clone())
            .set_expected_bucket_owner(self.bucket.owner.clone());
        let target = self.address(key);
        let asked = Asked { failing: "cannot read the object", target: &target, permission: "s3:GetObject" };
        let answer = self.bucket.aws.wait(async {
            match request.send().await {
                Err(error) if status_of(&error) == Some(404) => Ok(None),
                Err(error) => Err(failure(asked, &error)),
                Ok(answer) => Ok(Some(answer)),
            }
        })?;
        let Some(answer) = answer else { return Ok(None) };
        let bytes = answer.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
        let etag = answer.e_tag().map(|etag| etag.trim_matches('"').to_owned());
        Ok(Some(ObjectMeta { key: key.to_owned(), bytes, etag }))
    }

    /// Starts requests for small objects, some at once, and returns the answers by their place.
    async fn fetch(&self, keys: &[&str], most: u64) -> Result<Vec<Option<Fetched>>> {
        let mut answers: Vec<Option<Fetched>> = keys.iter().map(|_| None).collect();
        let (mut running, mut next) = (JoinSet::new(), keys.iter().enumerate());
        loop {
            while running.len() < PARALLEL
                && let Some((place, key)) = next.next()
            {
                let (bucket, key) = (Arc::clone(&self.bucket), format!("{}{key}", self.root));
                let ask = async move { (place, try_get_up_to(&bucket, &key, most).await) };
                running.spawn_on(ask, &self.bucket.aws.handle());
            }
            let Some(answered) = running.join_next().await else { return Ok(answers) };
            let (place, answer) =
                answered.map_err(|cause| Error::bug("a request stopped early").caused_by(cause))?;
            answers[place] = answer?;
        }
    }
}

impl From<Fetched> for SmallObject {
    fn from(fetched: Fetched) -> Self {
        let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
        let metadata = fetched.metadata.into_iter().map(lower).collect();
        Self { content: fetched.content.to_vec(), metadata: Some(metadata) }
    }
}

impl Store for S3Store {
    fn address(&self, key: &str) -> String {
        self.location.address(&format!("{}{key}", self.root))
    }

    fn root(&self) -> Result<String> {
        Ok(self.location.address(&self.location.prefix))
    }

    fn above(&self) -> Result<String> {
        Ok(self.root.clone())
    }

    fn list(&self, visitor: &mut dyn ListVisitor) -> Result<()> {
        let (root, prefix) = (&self.root, &self.location.prefix);
        self.bucket.aws.wait(listing::list(&self.bucket, root, prefix, &self.requests, visitor))
    }

    fn open(&self, key: &str) -> Result<Box<dyn Read + Send>> {
        let gone = || {
            Error::new(ErrorKind::Unusable, "the object is gone")
                .with("object", self.address(key))
                .hint("check whether it was removed after the bucket was listed")
        };
        let meta = ObjectMeta { etag: None, ..self.head(key)?.ok_or_else(gone)? };
        let feed = ReadAhead::start(&self.bucket, &self.root, vec![meta], SINGLE_BYTES);
        feed.open(0)
    }

    fn meta(&self, key: &str) -> Result<Option<ObjectMeta>> {
        self.head(key)
    }

    fn fetch_all(&self, keys: &[&str], most: u64) -> Result<Vec<Option<SmallObject>>> {
        let answers = self.bucket.aws.wait(self.fetch(keys, most))?;
        Ok(answers.into_iter().map(|answer| answer.map(Into::into)).collect())
    }

    fn feed(&self, objects: Vec<ObjectMeta>, memory: usize) -> Box<dyn ObjectFeed + '_> {
        Box::new(ReadAhead::start(&self.bucket, &self.root, objects, memory))
    }

    fn check(&self) -> Result<()> {
        let request = self
            .bucket
            .client
            .list_objects_v2()
            .bucket(&self.bucket.name)
            .prefix(&self.location.prefix)
            .max_keys(1)
            .encoding_type(EncodingType::Url)
            .set_request_payer(self.bucket.payer.clone())
            .set_expected_bucket_owner(self.bucket.owner.clone());
        let target = self.location.address(&self.location.prefix);
        let asked = Asked {
            failing: "the input is no longer available",
            target: &target,
            permission: "s3:ListBucket",
        };
        self.bucket
            .aws
            .wait(async { request.send().await.map(|_| ()).map_err(|error| failure(asked, &error)) })
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

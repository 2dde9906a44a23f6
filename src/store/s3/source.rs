//! Raw logs in a bucket.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::types::{EncodingType, RequestPayer};
use tokio::task::JoinSet;

use super::bucket::Bucket;
use super::failure::{Asked, failure, status_of};
use super::listing::{self, Listed};
use super::object::{Fetched, try_get_up_to};
use super::read_ahead::{ReadAhead, SINGLE_BYTES};
use super::{Aws, S3Location};
use crate::error::{Error, ErrorKind, Result};
use crate::store::page_memory::{BucketPages, PageMemory};
use crate::store::{KeysAfter, ListVisitor, ObjectFeed, ObjectMeta, SmallObject, SourceAccess, Store};

/// Number of requests in progress at once.
const PARALLEL: usize = 32;

/// The objects of a bucket whose keys begin with a prefix.
pub struct S3Store {
    pub(super) bucket: Arc<Bucket>,
    pages: BucketPages,
    location: S3Location,
    /// The part of the prefix up to its last `/`, which keys do not repeat.
    root: String,
    requests: AtomicU64,
}

impl S3Store {
    /// Opens a source without sending a request.
    pub(crate) fn open(
        aws: Arc<Aws>,
        location: S3Location,
        access: &SourceAccess,
        pages: &Arc<PageMemory>,
    ) -> Result<Self> {
        let client = aws.s3(access.role_arn.as_deref())?;
        let root = location.prefix.rfind('/').map_or("", |slash| &location.prefix[..=slash]).to_owned();
        let bucket = Bucket {
            aws,
            client,
            name: location.bucket.clone(),
            payer: access.requester_pays.then_some(RequestPayer::Requester),
            owner: access.expected_bucket_owner.clone(),
        };
        let pages = BucketPages::of(pages, format!("{} {access:?}", location.bucket));
        Ok(Self { bucket: Arc::new(bucket), pages, location, root, requests: AtomicU64::new(0) })
    }
}

/// The size and `ETag` of an object by its whole key; `None` if it does not exist.
async fn head(bucket: Arc<Bucket>, key: String) -> Result<Option<ObjectMeta>> {
    let request = bucket
        .client
        .head_object()
        .bucket(&bucket.name)
        .key(&key)
        .set_request_payer(bucket.payer.clone())
        .set_expected_bucket_owner(bucket.owner.clone());
    let target = bucket.address(&key);
    let asked = Asked { failing: "cannot read the object", target: &target, permission: "s3:GetObject" };
    let answer = match request.send().await {
        Err(error) if status_of(&error) == Some(404) => return Ok(None),
        Err(error) => return Err(failure(asked, &error)),
        Ok(answer) => answer,
    };
    let bytes = answer.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
    let etag = answer.e_tag().map(|etag| etag.trim_matches('"').to_owned());
    Ok(Some(ObjectMeta { key, bytes, etag }))
}

impl S3Store {
    /// Starts requests, some at once, and returns the answers in the order of what was asked.
    async fn ask_all<Q, A: Send + 'static, F>(&self, asked: Vec<Q>, ask: impl Fn(Q) -> F) -> Result<Vec<A>>
    where
        F: Future<Output = Result<A>> + Send + 'static,
    {
        let mut answers: Vec<Option<A>> = asked.iter().map(|_| None).collect();
        let (mut running, mut next) = (JoinSet::new(), asked.into_iter().enumerate());
        loop {
            while running.len() < PARALLEL
                && let Some((place, question)) = next.next()
            {
                let answer = ask(question);
                running.spawn_on(async move { (place, answer.await) }, &self.bucket.aws.handle());
            }
            let Some(answered) = running.join_next().await else { break };
            let (place, answer) =
                answered.map_err(|cause| Error::bug("a request stopped early").caused_by(cause))?;
            answers[place] = Some(answer?);
        }
        Ok(answers.into_iter().flatten().collect())
    }

    fn whole_keys(&self, keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| format!("{}{key}", self.root)).collect()
    }

    /// The same object by its key below the root.
    fn below_root(&self, mut object: ObjectMeta) -> ObjectMeta {
        if let Some(below) = object.key.strip_prefix(&self.root) {
            object.key = below.to_owned();
        }
        object
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
        let place = Listed { bucket: &self.bucket, root: &self.root, prefix: &self.location.prefix };
        self.bucket.aws.wait(listing::list(place, &self.pages, &self.requests, visitor))
    }

    fn open(&self, key: &str) -> Result<Box<dyn Read + Send>> {
        let gone = || {
            Error::new(ErrorKind::Unusable, "the object is gone")
                .with("object", self.address(key))
                .hint("check whether it was removed after the bucket was listed")
        };
        let meta = ObjectMeta { etag: None, ..self.meta(key)?.ok_or_else(gone)? };
        let feed = ReadAhead::start(&self.bucket, &self.root, vec![meta], SINGLE_BYTES);
        feed.open(0)
    }

    fn meta(&self, key: &str) -> Result<Option<ObjectMeta>> {
        Ok(self.meta_all(&[key])?.pop().flatten())
    }

    fn meta_all(&self, keys: &[&str]) -> Result<Vec<Option<ObjectMeta>>> {
        let ask = |key| head(Arc::clone(&self.bucket), key);
        let answers = self.bucket.aws.wait(self.ask_all(self.whole_keys(keys), ask))?;
        Ok(answers.into_iter().map(|answer| answer.map(|object| self.below_root(object))).collect())
    }

    fn list_after(&self, stretches: &[KeysAfter]) -> Result<Vec<Vec<ObjectMeta>>> {
        self.requests.fetch_add(stretches.len() as u64, Ordering::Relaxed);
        let whole = |stretch: &KeysAfter| KeysAfter {
            folder: format!("{}{}", self.root, stretch.folder),
            after: format!("{}{}", self.root, stretch.after),
        };
        let ask = |stretch| listing::list_after(Arc::clone(&self.bucket), stretch);
        let pages = self.bucket.aws.wait(self.ask_all(stretches.iter().map(whole).collect(), ask))?;
        let below = |page: Vec<ObjectMeta>| page.into_iter().map(|object| self.below_root(object)).collect();
        Ok(pages.into_iter().map(below).collect())
    }

    fn fetch_all(&self, keys: &[&str], most: u64) -> Result<Vec<Option<SmallObject>>> {
        let ask = |key: String| {
            let bucket = Arc::clone(&self.bucket);
            async move { try_get_up_to(&bucket, &key, most).await }
        };
        let answers = self.bucket.aws.wait(self.ask_all(self.whole_keys(keys), ask))?;
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

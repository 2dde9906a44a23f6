//! Lists a bucket: sends the requests of a walk, several at once.
//!
//! Pages that an earlier listing of the command has kept are not asked for again. The requests run in the background. Their results are passed to the visitor here, in no particular order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;
use tokio::task::JoinSet;

use super::bucket::Bucket;
use super::failure::{Asked, failure};
use super::names::decoded;
use crate::error::{Error, ErrorKind, Result};
use crate::store::page_memory::BucketPages;
use crate::store::walk::{Page, Request, Walk};
use crate::store::{KeysAfter, ListVisitor, MOST_AFTER, ObjectMeta};

/// Pages of a range that are listed before the rest is skipped. To show that nothing else is in a range of a year takes
/// thirteen.
const PATIENCE: u8 = 4;
/// Number of requests in progress at once.
const PARALLEL: usize = 16;

/// What to list: the keys below a prefix. Visitors see them without `root`.
#[derive(Clone, Copy)]
pub(super) struct Listed<'a> {
    pub(super) bucket: &'a Arc<Bucket>,
    pub(super) root: &'a str,
    pub(super) prefix: &'a str,
}

/// Lists what is below a prefix. `requests` counts the requests that were sent.
pub(super) async fn list(
    Listed { bucket, root, prefix }: Listed<'_>,
    pages: &BucketPages,
    requests: &AtomicU64,
    visitor: &mut dyn ListVisitor,
) -> Result<()> {
    let mut walk = Walk::new(root, prefix, PATIENCE);
    let mut running = JoinSet::new();
    while !visitor.is_done() {
        while running.len() < PARALLEL
            && let Some(request) = walk.waiting.pop()
        {
            if let Some(page) = pages.get(&request) {
                walk.take(&request, &page, visitor);
                if visitor.is_done() {
                    break;
                }
            } else {
                requests.fetch_add(1, Ordering::Relaxed);
                running.spawn_on(ask(Arc::clone(bucket), request), &bucket.aws.handle());
            }
        }
        let Some(answered) = running.join_next().await.filter(|_| !visitor.is_done()) else { break };
        let (request, page) =
            answered.map_err(|cause| Error::bug("a listing stopped early").caused_by(cause))??;
        pages.keep(&request, &page);
        walk.take(&request, &page, visitor);
    }
    if walk.found_something {
        return Ok(());
    }
    let above = prefix.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
    let slash = if above.is_empty() { "" } else { "/" };
    let place = bucket.address(&format!("{above}{slash}"));
    Err(Error::new(ErrorKind::Unusable, "the input is empty")
        .with("input", bucket.address(prefix))
        .hint(format!("check the prefix: 'aws s3 ls {place}' shows what exists there")))
}

/// Lists the first page of a stretch of whole keys.
pub(super) async fn list_after(bucket: Arc<Bucket>, stretch: KeysAfter) -> Result<Vec<ObjectMeta>> {
    let answer = bucket
        .client
        .list_objects_v2()
        .bucket(&bucket.name)
        .prefix(&stretch.folder)
        .start_after(&stretch.after)
        .max_keys(i32::try_from(MOST_AFTER).unwrap_or(i32::MAX))
        .encoding_type(EncodingType::Url)
        .set_request_payer(bucket.payer.clone())
        .set_expected_bucket_owner(bucket.owner.clone())
        .send()
        .await;
    let target = bucket.address(&stretch.folder);
    let asked = Asked { failing: "cannot list the input", target: &target, permission: "s3:ListBucket" };
    Ok(page_of(answer.map_err(|error| failure(asked, &error))?).objects)
}

async fn ask(bucket: Arc<Bucket>, request: Request) -> Result<(Request, Page)> {
    let answer = bucket
        .client
        .list_objects_v2()
        .bucket(&bucket.name)
        .prefix(&request.prefix)
        .delimiter(request.delimiter)
        .encoding_type(EncodingType::Url)
        .set_start_after(request.start_after().map(str::to_owned))
        .set_continuation_token(request.token.clone())
        .set_request_payer(bucket.payer.clone())
        .set_expected_bucket_owner(bucket.owner.clone())
        .send()
        .await;
    let target = bucket.address(&request.prefix);
    let asked = Asked { failing: "cannot list the input", target: &target, permission: "s3:ListBucket" };
    match answer {
        Ok(answer) => Ok((request, page_of(answer))),
        Err(error) => Err(failure(asked, &error)),
    }
}

fn page_of(answer: ListObjectsV2Output) -> Page {
    let next = answer.next_continuation_token.filter(|_| answer.is_truncated == Some(true));
    let plain = |name| decoded(name, answer.encoding_type.as_ref());
    let prefixes = answer.common_prefixes.unwrap_or_default().into_iter().filter_map(|group| group.prefix);
    let objects = answer.contents.unwrap_or_default().into_iter().filter_map(|object| {
        let bytes = u64::try_from(object.size.unwrap_or_default()).unwrap_or_default();
        let etag = object.e_tag.map(|etag| etag.trim_matches('"').to_owned());
        Some(ObjectMeta { key: plain(object.key?), bytes, etag })
    });
    Page { groups: prefixes.map(plain).collect(), objects: objects.collect(), next }
}

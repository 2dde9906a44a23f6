//! Lists a bucket: the requests of a walk, several at once.
//!
//! They run elsewhere; what they find is handed to the visitor here, in no particular order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;
use tokio::task::JoinSet;

use super::bucket::Bucket;
use super::failure::{Asked, failure};
use super::names::decoded;
use crate::error::{Error, ErrorKind, Result};
use crate::store::walk::{Page, Request, Walk};
use crate::store::{ListVisitor, ObjectMeta};

/// Pages of a gap that are listed before it is passed over: what shows that nothing else lies in it costs thirteen for a year.
const PATIENCE: u8 = 4;
/// Requests that are under way at once.
const PARALLEL: usize = 16;

/// Lists what is below a prefix, which keys repeat from `root` on.
pub(super) async fn list(
    bucket: &Arc<Bucket>,
    root: &str,
    prefix: &str,
    requests: &AtomicU64,
    visitor: &mut dyn ListVisitor,
) -> Result<()> {
    let mut walk = Walk::new(root, prefix, PATIENCE);
    let mut running = JoinSet::new();
    loop {
        while running.len() < PARALLEL
            && let Some(request) = walk.waiting.pop()
        {
            requests.fetch_add(1, Ordering::Relaxed);
            running.spawn_on(ask(Arc::clone(bucket), request), &bucket.aws.handle());
        }
        let Some(answered) = running.join_next().await.filter(|_| !visitor.is_done()) else { break };
        let (request, page) =
            answered.map_err(|cause| Error::bug("a listing has stopped").caused_by(cause))??;
        walk.take(&request, &page, visitor);
    }
    if walk.found_something {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unusable, "there is nothing in the input")
        .with("input", bucket.address(prefix))
        .hint("check the prefix: 'aws s3 ls' shows what is there"))
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

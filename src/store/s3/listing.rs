//! Lists a bucket without waste: level by level where folders tell what is inside, straight to the days where the layout
//! is known, and past the keys of other days where names are in the order of time.
//!
//! Several folders are listed at once. The requests run elsewhere; what they find is handed to the visitor here, in no
//! particular order.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use tokio::task::JoinSet;

use super::bucket::Bucket;
use super::failure::{Asked, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Gap, ListVisitor, ObjectMeta};

/// Requests that are under way at once.
const PARALLEL: usize = 16;
/// Sorts after every key that begins with what stands before it.
const AFTER_ALL: char = '\u{10ffff}';

/// A listing under way.
pub(super) struct Listing<'a> {
    bucket: &'a Arc<Bucket>,
    /// What keys begin with before the part that the visitor sees.
    root: &'a str,
    /// What is listed; the keys below it, or those that begin with it.
    prefix: &'a str,
    requests: &'a AtomicU64,
    waiting: Vec<Request>,
    /// Folders that were taken up: none is listed twice.
    entered: HashSet<String>,
    found_something: bool,
}

/// One request to be made.
#[derive(Debug, Clone)]
struct Request {
    prefix: String,
    delimiter: char,
    after: Option<String>,
    token: Option<String>,
    goal: Goal,
}

/// What a request is for.
#[derive(Debug, Clone)]
enum Goal {
    /// Objects and folders of a folder.
    Folder,
    /// A look at what lies in a gap, before it is passed over in the listing of a folder.
    Gap { gap: Gap, folder: String },
}

impl Request {
    fn folder(prefix: String) -> Self {
        Self { prefix, delimiter: '/', after: None, token: None, goal: Goal::Folder }
    }
}

impl<'a> Listing<'a> {
    pub(super) fn new(
        bucket: &'a Arc<Bucket>,
        root: &'a str,
        prefix: &'a str,
        requests: &'a AtomicU64,
    ) -> Self {
        let waiting = vec![Request::folder(prefix.to_owned())];
        Self { bucket, root, prefix, requests, waiting, entered: HashSet::new(), found_something: false }
    }

    pub(super) async fn run(mut self, visitor: &mut dyn ListVisitor) -> Result<()> {
        let mut running = JoinSet::new();
        loop {
            while running.len() < PARALLEL
                && let Some(request) = self.waiting.pop()
            {
                self.requests.fetch_add(1, Ordering::Relaxed);
                running.spawn_on(ask(Arc::clone(self.bucket), request), &self.bucket.aws.handle());
            }
            let Some(answered) = running.join_next().await else { break };
            let (request, page) =
                answered.map_err(|cause| Error::bug("a listing has stopped").caused_by(cause))??;
            match &request.goal {
                Goal::Folder => self.take_folder_page(&request, &page, visitor),
                Goal::Gap { gap, folder } => self.take_gap_page(gap, folder, &request, &page),
            }
        }
        if self.found_something {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unusable, "there is nothing in the input")
            .with("input", self.bucket.address(self.prefix))
            .hint("check the prefix: 'aws s3 ls' shows what is there"))
    }

    fn take_folder_page(
        &mut self,
        request: &Request,
        page: &ListObjectsV2Output,
        visitor: &mut dyn ListVisitor,
    ) {
        for folder in page.common_prefixes().iter().filter_map(|common| common.prefix()) {
            self.take_folder(folder, visitor);
        }
        let mut last_object = None;
        for object in page.contents() {
            let Some(key) = object.key() else { continue };
            last_object = Some(key);
            if let Some(key) = self.below_root(key) {
                self.found_something = true;
                let bytes = u64::try_from(object.size().unwrap_or_default()).unwrap_or_default();
                let etag = object.e_tag().map(|etag| etag.trim_matches('"').to_owned());
                visitor.object(ObjectMeta { key: key.to_owned(), bytes, etag });
            }
        }
        if !page.is_truncated().unwrap_or_default() {
            return;
        }
        let last_folder = page.common_prefixes().last().and_then(|common| common.prefix());
        let gap = last_object
            .filter(|key| last_folder.is_none_or(|folder| folder < *key))
            .and_then(|key| Some((key, visitor.gap(key.strip_prefix(self.root)?)?)));
        self.waiting.push(match gap {
            Some((key, gap)) => self.look_into(gap, key, request.prefix.clone()),
            None => Request { token: page.next_continuation_token().map(str::to_owned), ..request.clone() },
        });
    }

    /// The part of an object's key that the visitor is shown, if the object is meant at all.
    fn below_root<'k>(&self, key: &'k str) -> Option<&'k str> {
        // Consoles write an empty object for a folder.
        let is_meant =
            !key.ends_with('/') && !self.is_sibling(key, |next| next == '/' || next.is_ascii_digit());
        key.strip_prefix(self.root).filter(|below| is_meant && !below.is_empty())
    }

    /// Whether a key only begins like the prefix, which is that of a folder, or of one object, or is glued to the times in
    /// the names of logs: what may come next tells.
    fn is_sibling(&self, key: &str, goes_on: fn(char) -> bool) -> bool {
        let rest = key.strip_prefix(self.prefix).unwrap_or_default();
        let is_folder = self.prefix.is_empty() || self.prefix.ends_with('/');
        !is_folder && !rest.is_empty() && !rest.starts_with(goes_on)
    }

    fn take_folder(&mut self, folder: &str, visitor: &mut dyn ListVisitor) {
        let Some(below) = folder.strip_prefix(self.root).map(|below| below.trim_end_matches('/')) else {
            return;
        };
        if self.is_sibling(folder, |next| next == '/') || !self.entered.insert(folder.to_owned()) {
            return;
        }
        self.found_something = true;
        if !visitor.enter(below) {
            return;
        }
        match visitor.narrow(below) {
            None => self.waiting.push(Request::folder(folder.to_owned())),
            Some(folders) => self.waiting.extend(
                folders
                    .iter()
                    .filter(|narrow| visitor.enter(narrow))
                    .map(|narrow| Request::folder(format!("{}{narrow}/", self.root))),
            ),
        }
    }

    /// The request that shows by one group for each day or year what lies in a gap.
    fn look_into(&self, gap: Gap, after: &str, folder: String) -> Request {
        Request {
            prefix: format!("{}{}", self.root, gap.series),
            delimiter: gap.mark,
            after: Some(after.to_owned()),
            token: None,
            goal: Goal::Gap { gap, folder },
        }
    }

    /// Goes on behind the gap, or behind that part of it in which there is nothing but the series.
    fn take_gap_page(&mut self, gap: &Gap, folder: &str, request: &Request, page: &ListObjectsV2Output) {
        let until = format!("{}{}", self.root, gap.until);
        let groups = page.common_prefixes().iter().filter_map(|common| common.prefix());
        let mut entries: Vec<&str> =
            groups.chain(page.contents().iter().filter_map(|object| object.key())).collect();
        entries.sort_unstable();
        let cut = entries
            .iter()
            .position(|entry| *entry < until.as_str() && !gap.holds(&entry[request.prefix.len()..]));
        let passed = &entries[..cut.unwrap_or(entries.len())];
        let whole = cut.is_none() && !page.is_truncated().unwrap_or_default();
        let last_passed = passed.iter().rfind(|entry| **entry < until.as_str());
        let met = request.after.clone().unwrap_or_default();
        let after = match last_passed {
            _ if whole => until,
            Some(group) => format!("{group}{AFTER_ALL}").min(until),
            None => met.clone(),
        };
        self.waiting.push(Request { after: Some(after.max(met)), ..Request::folder(folder.to_owned()) });
    }
}

impl Gap {
    /// Whether a group is one of the series: the digits and the mark, nothing else.
    fn holds(&self, group: &str) -> bool {
        group.strip_suffix(self.mark).is_some_and(|digits| {
            digits.len() == self.digits && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    }
}

async fn ask(bucket: Arc<Bucket>, request: Request) -> Result<(Request, ListObjectsV2Output)> {
    let answer = bucket
        .client
        .list_objects_v2()
        .bucket(&bucket.name)
        .prefix(&request.prefix)
        .delimiter(request.delimiter)
        .set_start_after(request.after.clone().filter(|_| request.token.is_none()))
        .set_continuation_token(request.token.clone())
        .set_request_payer(bucket.payer.clone())
        .set_expected_bucket_owner(bucket.owner.clone())
        .send()
        .await;
    let target = bucket.address(&request.prefix);
    let asked = Asked { failing: "cannot list the input", target: &target, permission: "s3:ListBucket" };
    match answer {
        Ok(page) => Ok((request, page)),
        Err(error) => Err(failure(asked, &error)),
    }
}

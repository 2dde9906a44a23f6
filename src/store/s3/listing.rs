//! Lists a bucket without waste: level by level, past folders that the visitor does not enter, and past the keys of other
//! days where names are in the order of time.
//!
//! Before keys are passed over, the parts of their times are listed down to the days: a key of another form that lies among
//! them is met like every other. Several folders are listed at once. The requests run elsewhere; what they find is handed
//! to the visitor here, in no particular order.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::Object;
use tokio::task::JoinSet;

use super::bucket::Bucket;
use super::failure::{Asked, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Gap, ListVisitor, ObjectMeta};

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
    let mut walk = Walk::new(root, prefix);
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

/// A listing under way: what was found, and which requests come next.
pub(crate) struct Walk<'a> {
    /// What keys begin with before the part that the visitor sees.
    root: &'a str,
    /// What is listed; the keys below it, or those that begin with it.
    prefix: &'a str,
    pub(crate) waiting: Vec<Request>,
    /// Folders that were taken up: none is listed twice.
    entered: HashSet<String>,
    found_something: bool,
}

/// One request to be made.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) prefix: String,
    pub(crate) delimiter: char,
    pub(crate) after: Option<String>,
    pub(crate) token: Option<String>,
    goal: Goal,
}

/// What a request is for.
#[derive(Debug, Clone)]
enum Goal {
    /// Objects and folders of a folder.
    Folder,
    /// A part of a gap, which is made sure to hold nothing but its series.
    Gap(Arc<Gap>),
}

impl Request {
    fn folder(prefix: String) -> Self {
        Self { prefix, delimiter: '/', after: None, token: None, goal: Goal::Folder }
    }

    /// The next page of the same listing, if there is one.
    fn next(&self, page: &ListObjectsV2Output) -> Option<Self> {
        let token = page.next_continuation_token().filter(|_| page.is_truncated().unwrap_or_default())?;
        Some(Self { token: Some(token.to_owned()), ..self.clone() })
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn new(root: &'a str, prefix: &'a str) -> Self {
        let waiting = vec![Request::folder(prefix.to_owned())];
        Self { root, prefix, waiting, entered: HashSet::new(), found_something: false }
    }

    /// Takes the answer to a request.
    pub(crate) fn take(
        &mut self,
        request: &Request,
        page: &ListObjectsV2Output,
        visitor: &mut dyn ListVisitor,
    ) {
        match &request.goal {
            Goal::Folder => self.take_folder_page(request, page, visitor),
            Goal::Gap(gap) => self.take_gap_page(gap, request, page, visitor),
        }
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
        page.contents().iter().for_each(|object| self.take_object(object, visitor));
        let Some(next) = request.next(page) else { return };
        let last_object = page.contents().last().and_then(|object| object.key());
        let last_folder = page.common_prefixes().last().and_then(|common| common.prefix());
        let gap = last_object
            .filter(|key| last_folder.is_none_or(|folder| folder < *key))
            .and_then(|key| Some((key, visitor.gap(key.strip_prefix(self.root)?)?)));
        match gap {
            Some((key, gap)) => {
                visitor.skipped(&gap.series);
                self.pass_over(gap, key, request);
            }
            None => self.waiting.push(next),
        }
    }

    fn take_object(&mut self, object: &Object, visitor: &mut dyn ListVisitor) {
        if let Some(key) = object.key().and_then(|key| self.below_root(key)) {
            self.found_something = true;
            let bytes = u64::try_from(object.size().unwrap_or_default()).unwrap_or_default();
            let etag = object.e_tag().map(|etag| etag.trim_matches('"').to_owned());
            visitor.object(ObjectMeta { key: key.to_owned(), bytes, etag });
        }
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
        self.waiting.push(Request::folder(folder.to_owned()));
    }

    /// Goes on behind a gap in the listing of a folder, and looks at what lies in it.
    fn pass_over(&mut self, gap: Gap, met: &str, folder: &Request) {
        let until = format!("{}{}", self.root, gap.until);
        self.waiting.push(Request { after: Some(until), token: None, ..folder.clone() });
        for wanted in gap.but.iter().map(|but| format!("{}{but}", self.root)) {
            self.waiting.push(Request { after: Some(met.to_owned()), ..Request::folder(wanted) });
        }
        self.look_into(&Arc::new(gap), String::new(), met);
    }

    /// The request that shows, by one group for each year, month or day, what lies in a gap behind `time`, the front of a
    /// time in its keys.
    fn look_into(&mut self, gap: &Arc<Gap>, time: String, met: &str) {
        let depth = time.chars().filter(|part| !part.is_ascii_digit()).count();
        if let Some((_, mark)) = gap.parts.get(depth) {
            self.waiting.push(Request {
                prefix: format!("{}{}{time}", self.root, gap.series),
                delimiter: *mark,
                after: Some(met.to_owned()),
                token: None,
                goal: Goal::Gap(Arc::clone(gap)),
            });
        }
    }

    /// Passes over groups of the series, and meets all else.
    fn take_gap_page(
        &mut self,
        gap: &Arc<Gap>,
        request: &Request,
        page: &ListObjectsV2Output,
        visitor: &mut dyn ListVisitor,
    ) {
        let until = format!("{}{}", self.root, gap.until);
        let met = request.after.as_deref().unwrap_or_default();
        let folder = self.root.len() + gap.series.rfind('/').map_or(0, |slash| slash + 1);
        let inner = |entry: &str| entry[folder..].find('/').map(|slash| entry[..=folder + slash].to_owned());
        let groups = page.common_prefixes().iter().filter_map(|common| common.prefix());
        for group in groups.filter(|group| *group < until.as_str()) {
            let time = &group[self.root.len() + gap.series.len()..];
            if gap.holds(time) {
                self.look_into(gap, time.to_owned(), met);
            } else if let Some(folder) = inner(group) {
                self.take_folder(&folder, visitor);
            } else {
                let odd = Request::folder(group.to_owned());
                self.waiting.push(Request { after: Some(met.to_owned()), ..odd });
            }
        }
        for object in page.contents() {
            match object.key().filter(|key| *key < until.as_str()).map(inner) {
                Some(Some(folder)) => self.take_folder(&folder, visitor),
                Some(None) => self.take_object(object, visitor),
                None => {}
            }
        }
        let last_group = page.common_prefixes().last().and_then(|last| last.prefix());
        let is_behind = last_group.is_some_and(|last| last >= until.as_str());
        self.waiting.extend(request.next(page).filter(|_| !is_behind));
    }
}

impl Gap {
    /// Whether the last part of a group is one of a time: its digits and its mark, nothing else.
    fn holds(&self, time: &str) -> bool {
        let mut rest = time;
        for (digits, mark) in &self.parts {
            let Some((part, behind)) = rest.split_once(*mark) else { return false };
            if part.len() != *digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return false;
            }
            if behind.is_empty() {
                return true;
            }
            rest = behind;
        }
        false
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

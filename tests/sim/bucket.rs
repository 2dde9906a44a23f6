//! A bucket as S3 keeps it: objects with `ETag` and time, conditions, multipart uploads, listings in pages.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// A request as S3 receives it.
#[derive(Debug, Clone)]
pub(super) enum Request {
    Get { key: String, if_match: Option<String> },
    Head { key: String, if_match: Option<String> },
    Put { key: String, content: Arc<[u8]>, condition: Condition },
    Delete { key: String, if_match: Option<String> },
    DeleteAll { keys: Vec<String> },
    List { prefix: String, is_grouped: bool, after: Option<String>, most: usize },
    ListUploads { prefix: String },
    Create { key: String },
    Part { id: String, content: Arc<[u8]> },
    Complete { id: String, key: String },
    Abort { id: String },
}

/// The condition of a put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Always,
    /// `If-None-Match: *`.
    Absent,
    /// `If-Match`.
    Is(String),
}

/// The answer of S3.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Done,
    Object(Object),
    /// The `ETag` of the object that was put, or the id of the upload that was created.
    Name(String),
    Page {
        objects: Vec<(String, Object)>,
        groups: Vec<String>,
        next: Option<String>,
    },
    Uploads(Vec<(String, Upload)>),
    /// Status and code.
    Refused(u16, &'static str),
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) content: Arc<[u8]>,
    pub(super) etag: String,
    /// Milliseconds.
    pub(super) modified_at: i64,
    /// The actor that wrote it.
    pub(super) by: usize,
}

/// A multipart upload that is not completed.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) began_at: i64,
    content: Option<Arc<[u8]>>,
}

/// An object before and after a request.
pub(super) struct Change {
    pub(super) key: String,
    pub(super) old: Option<Object>,
    pub(super) new: Option<Object>,
}

/// The sender of a request, and the time of its arrival.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    pub(super) actor: usize,
    pub(super) now: i64,
}

/// A bucket.
pub(super) struct Bucket {
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) uploads: BTreeMap<String, Upload>,
    begun: u32,
    /// The most objects in a page of a listing.
    page: usize,
}

const MISSING: Answer = Answer::Refused(404, "NoSuchKey");
const NO_UPLOAD: Answer = Answer::Refused(404, "NoSuchUpload");
const FAILED: Answer = Answer::Refused(412, "PreconditionFailed");

impl Bucket {
    pub(super) fn new(page: usize) -> Self {
        Self { objects: BTreeMap::new(), uploads: BTreeMap::new(), begun: 0, page }
    }

    /// Carries out a request. Adds what it changes to `changes`.
    pub(super) fn apply(&mut self, request: &Request, sender: Sender, changes: &mut Vec<Change>) -> Answer {
        match request {
            Request::Get { key, if_match } | Request::Head { key, if_match } => match self.objects.get(key) {
                None => MISSING,
                Some(found) if if_match.as_ref().is_some_and(|etag| *etag != found.etag) => FAILED,
                Some(found) => Answer::Object(found.clone()),
            },
            Request::Put { key, content, condition } => {
                if let Some(refusal) = self.refusal(key, condition) {
                    return refusal;
                }
                let etag = etag_of(content);
                let (content, modified_at, by) = (Arc::clone(content), sender.now, sender.actor);
                let object = Object { content, etag: etag.clone(), modified_at, by };
                self.store(key, Some(object), changes);
                Answer::Name(etag)
            }
            Request::Delete { key, if_match } => match (if_match, self.objects.get(key)) {
                (Some(_), None) => MISSING,
                (Some(etag), Some(found)) if *etag != found.etag => FAILED,
                _ => self.store(key, None, changes),
            },
            Request::DeleteAll { keys } => {
                for key in keys {
                    self.store(key, None, changes);
                }
                Answer::Done
            }
            Request::List { prefix, is_grouped, after, most } => {
                self.list(prefix, *is_grouped, after.as_deref(), self.page.min(*most))
            }
            Request::ListUploads { prefix } => {
                let below = self.uploads.iter().filter(|(_, upload)| upload.key.starts_with(prefix));
                Answer::Uploads(below.map(|(id, upload)| (id.clone(), upload.clone())).collect())
            }
            _ => self.apply_to_upload(request, sender, changes),
        }
    }

    fn apply_to_upload(&mut self, request: &Request, sender: Sender, changes: &mut Vec<Change>) -> Answer {
        match request {
            Request::Create { key } => {
                self.begun += 1;
                let id = format!("upload-{:04}", self.begun);
                let upload = Upload { key: key.clone(), began_at: sender.now, content: None };
                self.uploads.insert(id.clone(), upload);
                Answer::Name(id)
            }
            Request::Part { id, content } => match self.uploads.get_mut(id) {
                None => NO_UPLOAD,
                Some(upload) => {
                    upload.content = Some(Arc::clone(content));
                    Answer::Name(etag_of(content))
                }
            },
            Request::Complete { id, key } => match self.uploads.remove(id) {
                Some(Upload { content: Some(content), began_at, .. }) => {
                    let etag = format!("{}-1", etag_of(&content));
                    // S3 dates such an object by the beginning of its upload.
                    let object = Object { content, etag, modified_at: began_at, by: sender.actor };
                    self.store(key, Some(object), changes)
                }
                _ => NO_UPLOAD,
            },
            Request::Abort { id } => self.uploads.remove(id).map_or(NO_UPLOAD, |_| Answer::Done),
            _ => unreachable!("it is not a request about an upload"),
        }
    }

    /// Why a put is refused, if it is.
    fn refusal(&self, key: &str, condition: &Condition) -> Option<Answer> {
        match (condition, self.objects.get(key)) {
            (Condition::Absent, Some(_)) => Some(FAILED),
            (Condition::Is(_), None) => Some(MISSING),
            (Condition::Is(etag), Some(found)) if *etag != found.etag => Some(FAILED),
            _ => None,
        }
    }

    fn store(&mut self, key: &str, new: Option<Object>, changes: &mut Vec<Change>) -> Answer {
        let old = match &new {
            Some(object) => self.objects.insert(key.to_owned(), object.clone()),
            None => self.objects.remove(key),
        };
        changes.push(Change { key: key.to_owned(), old, new });
        Answer::Done
    }

    /// Lists a page. A later page is as the bucket is then.
    fn list(&self, prefix: &str, is_grouped: bool, after: Option<&str>, page: usize) -> Answer {
        let (mut objects, mut groups, mut last) = (Vec::new(), Vec::<String>::new(), None);
        let is_wanted =
            |key: &String| key.starts_with(prefix) && after.is_none_or(|after| !is_before(key, after));
        for (key, object) in self.objects.iter().filter(|(key, _)| is_wanted(key)) {
            let slash = key[prefix.len()..].find('/').filter(|_| is_grouped);
            let group = slash.map(|at| &key[..=prefix.len() + at]);
            if group.is_some() && groups.last().map(String::as_str) == group {
                continue;
            }
            if objects.len() + groups.len() == page {
                return Answer::Page { objects, groups, next: last };
            }
            last = Some(group.unwrap_or(key).to_owned());
            match group {
                Some(group) => groups.push(group.to_owned()),
                None => objects.push((key.clone(), object.clone())),
            }
        }
        Answer::Page { objects, groups, next: None }
    }
}

/// Whether a key was on a page that ended with a key or a group.
fn is_before(key: &str, after: &str) -> bool {
    key <= after || (after.ends_with('/') && key.starts_with(after))
}

/// The same content has the same `ETag`, as in S3.
fn etag_of(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

impl Request {
    /// Whether it can change the bucket.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::Get { .. } | Self::Head { .. } | Self::List { .. } | Self::ListUploads { .. })
    }

    /// The key of a put.
    pub(super) fn put_key(&self) -> Option<&str> {
        if let Self::Put { key, .. } = self { Some(key) } else { None }
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Get { key, .. } => write!(f, "get {key}"),
            Self::Head { key, .. } => write!(f, "head {key}"),
            Self::Put { key, condition, .. } => write!(f, "put {key} if {condition:?}"),
            Self::Delete { key, if_match } => write!(f, "delete {key} if {if_match:?}"),
            Self::DeleteAll { keys } => write!(f, "delete {}", keys.join(", ")),
            Self::List { prefix, after, .. } => write!(f, "list {prefix} after {after:?}"),
            Self::ListUploads { prefix } => write!(f, "list uploads {prefix}"),
            Self::Create { key } => write!(f, "begin upload {key}"),
            Self::Part { id, .. } => write!(f, "send part of {id}"),
            Self::Complete { id, key } => write!(f, "complete {id} {key}"),
            Self::Abort { id } => write!(f, "abort {id}"),
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Object(object) => write!(f, "{}", object.etag),
            Self::Name(name) => f.write_str(name),
            Self::Page { objects, groups, .. } => write!(f, "{} keys", objects.len() + groups.len()),
            Self::Uploads(uploads) => write!(f, "{} uploads", uploads.len()),
            Self::Refused(status, code) => write!(f, "{status} {code}"),
        }
    }
}

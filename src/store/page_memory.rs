//! The pages of bucket listings, kept in memory, so that the tables of a command share them.
//!
//! The kept pages are limited. A page beyond the limit is not kept: it is listed again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ObjectMeta;
use super::walk::{Page, Request};

/// The most bytes that the pages may take: about 250,000 names.
const MOST_BYTES: usize = 32 << 20;
/// Bytes of a page besides its texts and numbers: an entry of the map, and the allocations.
const PAGE_BYTES: usize = 256;

/// The pages that were listed so far.
#[derive(Debug)]
pub(crate) struct PageMemory {
    pages: Mutex<Pages>,
    most_bytes: usize,
}

/// The pages of one bucket.
#[derive(Debug)]
pub(crate) struct BucketPages {
    memory: Arc<PageMemory>,
    /// The bucket, and how it is accessed.
    bucket: String,
}

#[derive(Debug, Default)]
struct Pages {
    kept: HashMap<PageKey, PackedPage>,
    bytes: usize,
}

/// The parts of a request that decide the answer.
#[derive(Debug, PartialEq, Eq, Hash)]
struct PageKey {
    /// The bucket, and how it is accessed.
    bucket: String,
    prefix: String,
    delimiter: char,
    after: Option<String>,
    token: Option<String>,
}

/// A page without the prefix that its names share.
#[derive(Debug)]
struct PackedPage {
    /// The groups, then for each object its name and its `ETag`.
    text: Box<str>,
    /// The end of each of these texts. An object without an `ETag` has an empty one.
    ends: Box<[u32]>,
    groups: usize,
    /// The size of each object.
    sizes: Box<[u64]>,
    next: Option<Box<str>>,
}

impl Default for PageMemory {
    fn default() -> Self {
        Self::of_at_most(MOST_BYTES)
    }
}

impl PageMemory {
    pub(crate) fn of_at_most(most_bytes: usize) -> Self {
        Self { pages: Mutex::default(), most_bytes }
    }

    /// Forgets all pages.
    pub(crate) fn forget(&self) {
        *self.lock() = Pages::default();
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BucketPages {
    /// Returns the pages of a bucket. The same object can give different answers to another role, so `bucket` also says how
    /// the bucket is accessed.
    pub(crate) fn of(memory: &Arc<PageMemory>, bucket: String) -> Self {
        Self { memory: Arc::clone(memory), bucket }
    }

    /// Returns the answer to a request, if it was kept.
    pub(crate) fn get(&self, request: &Request) -> Option<Page> {
        let pages = self.memory.lock();
        pages.kept.get(&PageKey::of(&self.bucket, request)).map(|page| page.unpack(&request.prefix))
    }

    /// Keeps the answer to a request if it has room.
    pub(crate) fn keep(&self, request: &Request, page: &Page) {
        let Some(packed) = PackedPage::of(page, &request.prefix) else { return };
        let key = PageKey::of(&self.bucket, request);
        let bytes = key.bytes() + packed.bytes();
        let mut pages = self.memory.lock();
        if pages.bytes + bytes <= self.memory.most_bytes && pages.kept.insert(key, packed).is_none() {
            pages.bytes += bytes;
        }
    }
}

impl PageKey {
    fn of(bucket: &str, request: &Request) -> Self {
        Self {
            bucket: bucket.to_owned(),
            prefix: request.prefix.clone(),
            delimiter: request.delimiter,
            after: request.start_after().map(str::to_owned),
            token: request.token.clone(),
        }
    }

    fn bytes(&self) -> usize {
        let texts = [self.after.as_ref(), self.token.as_ref()].into_iter().flatten();
        self.bucket.len() + self.prefix.len() + texts.map(String::len).sum::<usize>()
    }
}

impl PackedPage {
    /// Packs a page; `None` if a name does not begin with the prefix.
    fn of(page: &Page, prefix: &str) -> Option<Self> {
        let (mut text, mut ends) = (String::new(), Vec::new());
        let mut push = |part: &str| {
            text.push_str(part);
            ends.push(u32::try_from(text.len()).ok()?);
            Some(())
        };
        for group in &page.groups {
            push(group.strip_prefix(prefix)?)?;
        }
        for object in &page.objects {
            push(object.key.strip_prefix(prefix)?)?;
            push(object.etag.as_deref().unwrap_or_default())?;
        }
        Some(Self {
            text: text.into(),
            ends: ends.into(),
            groups: page.groups.len(),
            sizes: page.objects.iter().map(|object| object.bytes).collect(),
            next: page.next.as_deref().map(Into::into),
        })
    }

    fn unpack(&self, prefix: &str) -> Page {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let parts = starts.zip(self.ends.iter().copied());
        let mut texts = parts.map(|(start, end)| &self.text[start as usize..end as usize]);
        let groups = texts.by_ref().take(self.groups).map(|group| format!("{prefix}{group}")).collect();
        let object = |bytes: &u64| {
            let (key, etag) = (texts.next()?, texts.next()?);
            let etag = Some(etag.to_owned()).filter(|etag| !etag.is_empty());
            Some(ObjectMeta { key: format!("{prefix}{key}"), bytes: *bytes, etag })
        };
        let objects = self.sizes.iter().filter_map(object).collect();
        Page { groups, objects, next: self.next.as_deref().map(str::to_owned) }
    }

    fn bytes(&self) -> usize {
        let token = self.next.as_ref().map_or(0, |next| next.len());
        PAGE_BYTES + self.text.len() + self.ends.len() * 4 + self.sizes.len() * 8 + token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::walk::Walk;

    fn request() -> Request {
        Walk::new("", "logs/", 0).waiting.pop().unwrap()
    }

    fn page(key: &str) -> Page {
        let object = |key: &str, etag: Option<&str>| ObjectMeta {
            key: key.to_owned(),
            bytes: 7,
            etag: etag.map(str::to_owned),
        };
        Page {
            groups: vec!["logs/a/".to_owned(), "logs/\u{e9}/".to_owned()],
            objects: vec![object(key, Some("5d41402a-2")), object("logs/", None)],
            next: Some("token".to_owned()),
        }
    }

    #[test]
    fn a_kept_page_is_returned_as_it_was_answered_until_it_is_forgotten() {
        let (memory, request) = (Arc::new(PageMemory::default()), request());
        let pages = BucketPages::of(&memory, "b".to_owned());
        assert!(pages.get(&request).is_none());
        pages.keep(&request, &page("logs/x"));
        assert_eq!(pages.get(&request), Some(page("logs/x")));
        assert!(BucketPages::of(&memory, "c".to_owned()).get(&request).is_none(), "another bucket");
        let mut next = request.clone();
        next.token = Some("token".to_owned());
        assert!(pages.get(&next).is_none(), "another page");
        memory.forget();
        assert!(pages.get(&request).is_none());
    }

    #[test]
    fn pages_beyond_the_limit_and_names_elsewhere_are_not_kept() {
        let (memory, request) = (Arc::new(PageMemory::of_at_most(600)), request());
        let pages = BucketPages::of(&memory, "b".to_owned());
        pages.keep(&request, &page("elsewhere/x"));
        assert!(pages.get(&request).is_none());
        pages.keep(&request, &page("logs/x"));
        let mut next = request.clone();
        next.token = Some("token".to_owned());
        pages.keep(&next, &page("logs/y"));
        assert!(pages.get(&request).is_some());
        assert!(pages.get(&next).is_none());
    }
}

//! Decides in which order to list a bucket: level by level, without folders that the visitor does not enter, and without
//! keys of other days where names are sorted by time.
//!
//! Before a walk skips a range of keys, it lists the parts of their times down to the days, so that it finds keys of another
//! form in between. A range of a few pages is not worth that: the walk lists it. Longer ranges rely on one premise: a name
//! in which a whole date follows the prefix of a series belongs to the series. A walk sends no requests itself: it returns
//! the requests to send next, and takes their answers in any order.

use std::collections::HashSet;
use std::sync::Arc;

use super::{ListVisitor, ObjectMeta, SkipRange};

/// Sorts after every name that begins with the text before it.
const AFTER_ALL: char = '\u{10ffff}';

/// One page of the answer to a request: names in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Names that contain the delimiter, each cut after it.
    pub(crate) groups: Vec<String>,
    /// The other names; their keys are whole.
    pub(crate) objects: Vec<ObjectMeta>,
    /// The token of the next page, if any.
    pub(crate) next: Option<String>,
}

/// A listing in progress: what was found, and which requests come next.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    /// The start of every key, which the visitor does not see.
    root: &'a str,
    /// The prefix to list: the keys below it, or those that begin with it.
    prefix: &'a str,
    /// The requests to send, in reverse order.
    pub(crate) waiting: Vec<Request>,
    /// Folders that were entered: none is listed twice.
    entered: HashSet<String>,
    /// Whether anything was found.
    pub(crate) found_something: bool,
    /// Pages of a range that are listed before the rest is skipped.
    patience: u8,
}

/// One request to send.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The prefix of the names.
    pub(crate) prefix: String,
    /// The character that ends a group.
    pub(crate) delimiter: char,
    /// Lists only names after this one. In a skipped range only the walk applies it, because servers differ in whether they
    /// return a group that begins before it.
    after: Option<String>,
    /// The token of the page, which replaces `after`.
    pub(crate) token: Option<String>,
    /// Lists only names before this one.
    until: Option<String>,
    /// Pages of a range that may still be listed.
    patience: u8,
    goal: Goal,
}

/// The purpose of a request.
#[derive(Debug, Clone)]
enum Goal {
    /// Lists the objects and folders of a folder.
    Folder,
    /// Makes sure that a part of a range holds nothing but its series.
    SkipRange(Arc<SkipRange>),
}

impl Request {
    /// The name after which the server should begin.
    pub(crate) fn start_after(&self) -> Option<&str> {
        let after = self.after.as_deref().filter(|_| self.token.is_none());
        after.filter(|_| matches!(self.goal, Goal::Folder))
    }

    fn folder(prefix: String) -> Self {
        let (after, token, until) = (None, None, None);
        Self { prefix, delimiter: '/', after, token, until, patience: 0, goal: Goal::Folder }
    }

    /// Whether a name is within the bounds of the request.
    fn wants(&self, name: &str) -> bool {
        self.until.as_ref().is_none_or(|until| name < until.as_str())
    }

    /// The request for the next page of the same listing, if any.
    fn next(&self, page: &Page) -> Option<Self> {
        let last = page.groups.last().max(page.objects.last().map(|object| &object.key))?;
        let token = page.next.clone().filter(|_| self.wants(last))?;
        Some(Self { token: Some(token), ..self.clone() })
    }
}

impl<'a> Walk<'a> {
    /// Starts a listing of what is below `prefix`; `patience` pages of a range are listed before the rest is skipped.
    pub(crate) fn new(root: &'a str, prefix: &'a str, patience: u8) -> Self {
        let waiting = vec![Request { patience, ..Request::folder(prefix.to_owned()) }];
        Self { root, prefix, waiting, entered: HashSet::new(), found_something: false, patience }
    }

    /// Takes the answer to a request.
    pub(crate) fn take(&mut self, request: &Request, page: &Page, visitor: &mut dyn ListVisitor) {
        match &request.goal {
            Goal::Folder => self.take_folder_page(request, page, visitor),
            Goal::SkipRange(range) => self.take_range_page(range, request, page),
        }
    }

    fn take_folder_page(&mut self, request: &Request, page: &Page, visitor: &mut dyn ListVisitor) {
        let folders = page.groups.iter().filter(|folder| request.wants(folder));
        folders.for_each(|folder| self.take_folder(folder, visitor));
        let objects = page.objects.iter().filter(|object| request.wants(&object.key));
        objects.for_each(|object| self.take_object(object, visitor));
        let Some(next) = request.next(page) else { return };
        let last_folder = page.groups.last();
        let range = page
            .objects
            .last()
            .filter(|last| last_folder.is_none_or(|folder| *folder < last.key))
            .and_then(|last| Some((&last.key, visitor.skip_range(last.key.strip_prefix(self.root)?)?)));
        match range {
            Some((key, range)) if request.patience == 0 => {
                visitor.skipped(&range.series);
                self.pass_over(range, key, request);
            }
            Some(_) => self.waiting.push(Request { patience: request.patience - 1, ..next }),
            None => self.waiting.push(Request { patience: self.patience, ..next }),
        }
    }

    fn take_object(&mut self, object: &ObjectMeta, visitor: &mut dyn ListVisitor) {
        if let Some(key) = self.below_root(&object.key) {
            self.found_something = true;
            visitor.object(ObjectMeta { key: key.to_owned(), ..object.clone() });
        }
    }

    /// The part of an object's key that the visitor sees, if the object belongs to the listing.
    fn below_root<'k>(&self, key: &'k str) -> Option<&'k str> {
        // Consoles create an empty object for a folder.
        let is_meant =
            !key.ends_with('/') && !self.is_sibling(key, |next| next == '/' || next.is_ascii_digit());
        key.strip_prefix(self.root).filter(|below| is_meant && !below.is_empty())
    }

    /// Whether a key only begins like the prefix but does not belong to it. The prefix is that of a folder or of one object,
    /// or it ends directly before the times in log names: `may_follow` decides which character may come next.
    fn is_sibling(&self, key: &str, may_follow: fn(char) -> bool) -> bool {
        let rest = key.strip_prefix(self.prefix).unwrap_or_default();
        let is_folder = self.prefix.is_empty() || self.prefix.ends_with('/');
        !is_folder && !rest.is_empty() && !rest.starts_with(may_follow)
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
        self.waiting.push(Request { patience: self.patience, ..Request::folder(folder.to_owned()) });
    }

    /// Continues the listing of a folder after a skipped range, and checks what the range contains.
    fn pass_over(&mut self, range: SkipRange, met: &str, folder: &Request) {
        let range_end = format!("{}{}", self.root, range.until);
        let until = folder.until.clone().unwrap_or_else(|| range_end.clone()).min(range_end.clone());
        if folder.wants(&range_end) {
            let behind =
                Request { after: Some(range_end), token: None, patience: self.patience, ..folder.clone() };
            self.waiting.push(behind);
        }
        for wanted in
            range.except.iter().map(|but| format!("{}{but}", self.root)).filter(|but| folder.wants(but))
        {
            let (after, until) = (Some(met.to_owned()), folder.until.clone());
            self.waiting.push(Request { after, until, ..Request::folder(wanted) });
        }
        let from =
            Request { after: Some(met.to_owned()), until: Some(until), ..Request::folder(String::new()) };
        self.look_into(&Arc::new(range), "", &from);
    }

    /// Adds the request that shows what a range contains after `time`, the start of a time in its keys: one group for each
    /// year, month or day, among the names that `from` wants.
    fn look_into(&mut self, range: &Arc<SkipRange>, time: &str, from: &Request) {
        let depth = time.chars().filter(|part| !part.is_ascii_digit()).count();
        if let Some((_, mark)) = range.parts.get(depth) {
            let (after, until) = (from.after.clone(), from.until.clone());
            let (prefix, goal) =
                (format!("{}{}{time}", self.root, range.series), Goal::SkipRange(Arc::clone(range)));
            self.waiting.push(Request {
                prefix,
                delimiter: *mark,
                after,
                token: None,
                until,
                patience: 0,
                goal,
            });
        }
    }

    /// Skips groups of the series, and lists the stretches between them, which contain other names.
    fn take_range_page(&mut self, range: &Arc<SkipRange>, request: &Request, page: &Page) {
        let series = self.root.len() + range.series.len();
        let folder =
            &request.prefix[..self.root.len() + range.series.rfind('/').map_or(0, |slash| slash + 1)];
        let objects = page.objects.iter().map(|object| &object.key);
        let is_met = |name: &String| {
            request.after.as_ref().is_some_and(|met| name <= met && !met.starts_with(name.as_str()))
        };
        let all = page.groups.iter().chain(objects);
        let mut names: Vec<&String> = all.filter(|name| request.wants(name) && !is_met(name)).collect();
        names.sort_unstable();
        let is_of_series = |name: &String| name.ends_with(request.delimiter) && range.holds(&name[series..]);
        // The start of the stretch before a name: after the previous group of the series.
        let mut begin = request.after.clone().max(Some(request.prefix.clone()));
        for stretch in names.chunk_by(|one, other| is_of_series(one) == is_of_series(other)) {
            let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { continue };
            if is_of_series(first) {
                for group in stretch {
                    self.look_into(range, &group[series..], request);
                }
            } else {
                let (after, until) = (begin.clone(), Some(format!("{last}{AFTER_ALL}")));
                self.waiting.push(Request { after, until, ..Request::folder(folder.to_owned()) });
            }
            begin = begin.max(Some(format!("{last}{AFTER_ALL}")));
        }
        self.waiting.extend(request.next(page).map(|next| Request { after: begin, ..next }));
    }
}

impl SkipRange {
    /// Whether the text is a series of time parts, each with its digits and its mark, and nothing else.
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

//! The order in which a bucket is listed without waste: level by level, past folders that the visitor does not enter, and
//! past the keys of other days where names are in the order of time.
//!
//! Before keys are passed over, the parts of their times are listed down to the days: a key of another form that lies among
//! them is met like every other. A gap of a few pages is not worth that: it is listed. One premise stays for longer ones: a
//! name in which a whole date follows a series' prefix is one of the series. A walk sends nothing itself: it says which
//! requests come next, and takes their answers in any order.

use std::collections::HashSet;
use std::sync::Arc;

use super::{ListVisitor, ObjectMeta, SkipRange};

/// Sorts after every name that begins with what stands before it.
const AFTER_ALL: char = '\u{10ffff}';

/// A part of the answer to a request: names in their order.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// What names begin with that have the delimiter further on, up to it.
    pub(crate) groups: Vec<String>,
    /// The other names; keys are whole.
    pub(crate) objects: Vec<ObjectMeta>,
    /// What asks for the next page, if there is one.
    pub(crate) next: Option<String>,
}

/// A listing under way: what was found, and which requests come next.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    /// What keys begin with before the part that the visitor sees.
    root: &'a str,
    /// What is listed; the keys below it, or those that begin with it.
    prefix: &'a str,
    /// The requests that come next, the last one first.
    pub(crate) waiting: Vec<Request>,
    /// Folders that were taken up: none is listed twice.
    entered: HashSet<String>,
    /// Whether there is anything at all.
    pub(crate) found_something: bool,
    /// Pages of a gap that are listed before it is passed over.
    patience: u8,
}

/// One request to be made.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// What names begin with.
    pub(crate) prefix: String,
    /// What ends a group.
    pub(crate) delimiter: char,
    /// Only names behind this one. In a gap the walk alone looks at it: servers differ in whether they give a group that
    /// begins before it.
    after: Option<String>,
    /// The page, which takes the place of `after`.
    pub(crate) token: Option<String>,
    /// Only names before this one.
    until: Option<String>,
    /// Pages of a gap that may still be listed.
    patience: u8,
    goal: Goal,
}

/// What a request is for.
#[derive(Debug, Clone)]
enum Goal {
    /// Objects and folders of a folder.
    Folder,
    /// A part of a gap, which is made sure to hold nothing but its series.
    SkipRange(Arc<SkipRange>),
}

impl Request {
    /// The name behind which the server is to begin.
    pub(crate) fn start_after(&self) -> Option<&str> {
        let after = self.after.as_deref().filter(|_| self.token.is_none());
        after.filter(|_| matches!(self.goal, Goal::Folder))
    }

    fn folder(prefix: String) -> Self {
        let (after, token, until) = (None, None, None);
        Self { prefix, delimiter: '/', after, token, until, patience: 0, goal: Goal::Folder }
    }

    /// Whether a name is to be met.
    fn wants(&self, name: &str) -> bool {
        self.until.as_ref().is_none_or(|until| name < until.as_str())
    }

    /// The next page of the same listing, if there is one.
    fn next(&self, page: &Page) -> Option<Self> {
        let last = page.groups.last().max(page.objects.last().map(|object| &object.key))?;
        let token = page.next.clone().filter(|_| self.wants(last))?;
        Some(Self { token: Some(token), ..self.clone() })
    }
}

impl<'a> Walk<'a> {
    /// Lists what is below `prefix`; `patience` pages of a gap are listed before it is passed over.
    pub(crate) fn new(root: &'a str, prefix: &'a str, patience: u8) -> Self {
        let waiting = vec![Request { patience, ..Request::folder(prefix.to_owned()) }];
        Self { root, prefix, waiting, entered: HashSet::new(), found_something: false, patience }
    }

    /// Takes the answer to a request.
    pub(crate) fn take(&mut self, request: &Request, page: &Page, visitor: &mut dyn ListVisitor) {
        match &request.goal {
            Goal::Folder => self.take_folder_page(request, page, visitor),
            Goal::SkipRange(gap) => self.take_gap_page(gap, request, page),
        }
    }

    fn take_folder_page(&mut self, request: &Request, page: &Page, visitor: &mut dyn ListVisitor) {
        let folders = page.groups.iter().filter(|folder| request.wants(folder));
        folders.for_each(|folder| self.take_folder(folder, visitor));
        let objects = page.objects.iter().filter(|object| request.wants(&object.key));
        objects.for_each(|object| self.take_object(object, visitor));
        let Some(next) = request.next(page) else { return };
        let last_folder = page.groups.last();
        let gap = page
            .objects
            .last()
            .filter(|last| last_folder.is_none_or(|folder| *folder < last.key))
            .and_then(|last| Some((&last.key, visitor.skip_range(last.key.strip_prefix(self.root)?)?)));
        match gap {
            Some((key, gap)) if request.patience == 0 => {
                visitor.skipped(&gap.series);
                self.pass_over(gap, key, request);
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
        self.waiting.push(Request { patience: self.patience, ..Request::folder(folder.to_owned()) });
    }

    /// Goes on behind a gap in the listing of a folder, and looks at what lies in it.
    fn pass_over(&mut self, gap: SkipRange, met: &str, folder: &Request) {
        let gap_end = format!("{}{}", self.root, gap.until);
        let until = folder.until.clone().unwrap_or_else(|| gap_end.clone()).min(gap_end.clone());
        if folder.wants(&gap_end) {
            let behind =
                Request { after: Some(gap_end), token: None, patience: self.patience, ..folder.clone() };
            self.waiting.push(behind);
        }
        for wanted in gap.but.iter().map(|but| format!("{}{but}", self.root)).filter(|but| folder.wants(but))
        {
            let (after, until) = (Some(met.to_owned()), folder.until.clone());
            self.waiting.push(Request { after, until, ..Request::folder(wanted) });
        }
        let from =
            Request { after: Some(met.to_owned()), until: Some(until), ..Request::folder(String::new()) };
        self.look_into(&Arc::new(gap), "", &from);
    }

    /// The request that shows, by one group for each year, month or day, what lies in a gap behind `time`, the front of a
    /// time in its keys; between the names that `from` wants.
    fn look_into(&mut self, gap: &Arc<SkipRange>, time: &str, from: &Request) {
        let depth = time.chars().filter(|part| !part.is_ascii_digit()).count();
        if let Some((_, mark)) = gap.parts.get(depth) {
            let (after, until) = (from.after.clone(), from.until.clone());
            let (prefix, goal) =
                (format!("{}{}{time}", self.root, gap.series), Goal::SkipRange(Arc::clone(gap)));
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

    /// Passes over groups of the series; the stretches between them, in which something else lies, are listed.
    fn take_gap_page(&mut self, gap: &Arc<SkipRange>, request: &Request, page: &Page) {
        let series = self.root.len() + gap.series.len();
        let folder = &request.prefix[..self.root.len() + gap.series.rfind('/').map_or(0, |slash| slash + 1)];
        let objects = page.objects.iter().map(|object| &object.key);
        let is_met = |name: &String| {
            request.after.as_ref().is_some_and(|met| name <= met && !met.starts_with(name.as_str()))
        };
        let all = page.groups.iter().chain(objects);
        let mut names: Vec<&String> = all.filter(|name| request.wants(name) && !is_met(name)).collect();
        names.sort_unstable();
        let is_of_series = |name: &String| name.ends_with(request.delimiter) && gap.holds(&name[series..]);
        // Where the stretch before a name begins: behind the group of the series that comes before it.
        let mut begin = request.after.clone().max(Some(request.prefix.clone()));
        for stretch in names.chunk_by(|one, other| is_of_series(one) == is_of_series(other)) {
            let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { continue };
            if is_of_series(first) {
                for group in stretch {
                    self.look_into(gap, &group[series..], request);
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

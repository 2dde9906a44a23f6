//! The order in which a bucket is listed without waste: level by level, past folders that the visitor does not enter, and
//! past the keys of other days where names are in the order of time.
//!
//! Before keys are passed over, the parts of their times are listed down to the days: a key of another form that lies among
//! them is met like every other. One premise stays: a name that goes on after a series' prefix with a whole date is one of
//! the series. A walk asks nobody: it says which requests come next, and takes their answers in any order.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Gap, ListVisitor, ObjectMeta};

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
}

/// One request to be made.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// What names begin with.
    pub(crate) prefix: String,
    /// What ends a group.
    pub(crate) delimiter: char,
    /// Only names behind this one.
    pub(crate) after: Option<String>,
    /// The page, which takes the place of `after`.
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
    fn next(&self, page: &Page) -> Option<Self> {
        Some(Self { token: Some(page.next.clone()?), ..self.clone() })
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn new(root: &'a str, prefix: &'a str) -> Self {
        let waiting = vec![Request::folder(prefix.to_owned())];
        Self { root, prefix, waiting, entered: HashSet::new(), found_something: false }
    }

    /// Takes the answer to a request.
    pub(crate) fn take(&mut self, request: &Request, page: &Page, visitor: &mut dyn ListVisitor) {
        match &request.goal {
            Goal::Folder => self.take_folder_page(request, page, visitor),
            Goal::Gap(gap) => self.take_gap_page(gap, request, page, visitor),
        }
    }

    fn take_folder_page(&mut self, request: &Request, page: &Page, visitor: &mut dyn ListVisitor) {
        page.groups.iter().for_each(|folder| self.take_folder(folder, visitor));
        page.objects.iter().for_each(|object| self.take_object(object, visitor));
        let Some(next) = request.next(page) else { return };
        let last_folder = page.groups.last();
        let gap = page
            .objects
            .last()
            .filter(|last| last_folder.is_none_or(|folder| *folder < last.key))
            .and_then(|last| Some((&last.key, visitor.gap(last.key.strip_prefix(self.root)?)?)));
        match gap {
            Some((key, gap)) => {
                visitor.skipped(&gap.series);
                self.pass_over(gap, key, request);
            }
            None => self.waiting.push(next),
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
        page: &Page,
        visitor: &mut dyn ListVisitor,
    ) {
        let until = format!("{}{}", self.root, gap.until);
        let met = request.after.as_deref().unwrap_or_default();
        let folder = self.root.len() + gap.series.rfind('/').map_or(0, |slash| slash + 1);
        let inner = |name: &str| name[folder..].find('/').map(|slash| name[..=folder + slash].to_owned());
        for group in page.groups.iter().filter(|group| **group < until) {
            let time = &group[self.root.len() + gap.series.len()..];
            if gap.holds(time) {
                self.look_into(gap, time.to_owned(), met);
            } else if let Some(folder) = inner(group) {
                self.take_folder(&folder, visitor);
            } else {
                self.waiting.push(Request { after: Some(met.to_owned()), ..Request::folder(group.clone()) });
            }
        }
        for object in page.objects.iter().filter(|object| object.key < until) {
            match inner(&object.key) {
                Some(folder) => self.take_folder(&folder, visitor),
                None => self.take_object(object, visitor),
            }
        }
        let is_behind = page.groups.last().is_some_and(|last| *last >= until);
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

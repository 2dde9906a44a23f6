//! A JSON list of objects, parsed once for all columns that take values from it.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::{Walker, text};

/// The elements of a list, with the members of those that are objects.
#[derive(Debug, Default)]
pub(in crate::dataset) struct List<'a> {
    elements: Vec<Element>,
    /// Verbatim keys and values of all elements in turn.
    members: Vec<(&'a str, &'a str)>,
}

#[derive(Debug)]
struct Element {
    members: Range<usize>,
    is_object: bool,
}

impl<'a> List<'a> {
    /// Parses a checked value in place of the previous list. Returns false if it is not a list.
    pub(in crate::dataset) fn read(&mut self, written: &'a str) -> bool {
        self.elements.clear();
        self.members.clear();
        let mut walker = Walker::new(written, 0);
        let opened = walker.take(b'[', "a list").is_ok();
        let mut first = true;
        while opened && walker.next_element(b']', first) == Ok(true) {
            first = false;
            let start = self.members.len();
            let is_object = self.read_element(&mut walker);
            self.elements.push(Element { members: start..self.members.len(), is_object });
        }
        opened
    }

    /// Returns its buffers without the elements, for other text.
    pub(in crate::dataset) fn emptied(mut self) -> List<'static> {
        self.elements.clear();
        self.members.clear();
        List { elements: self.elements, members: self.members.into_iter().map(|_| ("", "")).collect() }
    }

    fn read_element(&mut self, walker: &mut Walker<'a>) -> bool {
        let is_object = walker.peek() == Ok(b'{');
        if !is_object {
            // The walk over the record has already checked the value.
            let _ = walker.value(0);
            return false;
        }
        let mut first = walker.take(b'{', "an object").is_ok();
        while walker.next_element(b'}', first) == Ok(true) {
            first = false;
            if let (Ok(key), Ok(value)) = (walker.key(), walker.value(0)) {
                self.members.push((key, value));
            }
        }
        true
    }

    /// Returns for each element the text of its last member under one of `keys`.
    pub(in crate::dataset) fn members_under(
        &self,
        keys: &[Box<str>],
    ) -> impl Iterator<Item = Option<Cow<'a, str>>> {
        let is_wanted =
            |(key, value): &&(&str, &str)| keys.iter().any(|wanted| **wanted == **key) && *value != "null";
        self.elements.iter().map(move |element| {
            self.members[element.members.clone()].iter().rfind(is_wanted).map(|(_, value)| text(value))
        })
    }

    /// Returns the text of `value` in the first element whose `name` is `name` in any case.
    pub(in crate::dataset) fn value_named(&self, name: &str) -> Option<Cow<'a, str>> {
        self.elements.iter().find_map(|element| {
            let members = &self.members[element.members.clone()];
            let member = |wanted: &str| {
                let found = members.iter().rfind(|(key, value)| *key == wanted && *value != "null");
                found.map(|(_, value)| text(value))
            };
            member("name").filter(|found| found.eq_ignore_ascii_case(name)).and_then(|_| member("value"))
        })
    }

    /// Whether columns with these keys hold every member. Each member must be text or null, and no element may have two
    /// keys of one column, such as `ARN` and `arn`.
    pub(in crate::dataset) fn is_held_by(&self, columns: &[&[Box<str>]]) -> bool {
        self.elements.iter().all(|element| {
            let members = &self.members[element.members.clone()];
            let has_one_of = |keys: &&&[Box<str>]| members.iter().any(|(key, _)| has(keys, key));
            let is_plain = |(_, value): &(&str, &str)| value.starts_with('"') || *value == "null";
            element.is_object
                && members.iter().all(|(key, _)| columns.iter().any(|keys| has(keys, key)))
                && members.iter().all(is_plain)
                && columns.iter().filter(has_one_of).count() == members.len()
        })
    }
}

fn has(keys: &[Box<str>], key: &str) -> bool {
    keys.iter().any(|wanted| **wanted == *key)
}

//! A JSON list of objects, read once for all columns that take values from it, while its record is walked.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::{Stop, Walker, text};

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
    /// Reads the list at a walker, at a nesting depth, in place of the previous list.
    pub(in crate::dataset) fn read(&mut self, walker: &mut Walker<'a>, depth: usize) -> Result<(), Stop> {
        self.elements.clear();
        self.members.clear();
        walker.open(depth)?;
        let mut first = true;
        while walker.next_element(b']', first)? {
            first = false;
            let start = self.members.len();
            let is_object = walker.peek()? == b'{';
            if is_object {
                self.read_object(walker, depth + 1)?;
            } else {
                walker.pass(depth + 1)?;
            }
            self.elements.push(Element { members: start..self.members.len(), is_object });
        }
        Ok(())
    }

    fn read_object(&mut self, walker: &mut Walker<'a>, depth: usize) -> Result<(), Stop> {
        walker.open(depth)?;
        let mut first = true;
        while walker.next_element(b'}', first)? {
            first = false;
            self.members.push((walker.key()?, walker.value(depth + 1)?));
        }
        Ok(())
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

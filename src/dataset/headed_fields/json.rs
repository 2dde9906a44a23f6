//! Reads a line that is a JSON object, by the names of its keys.

use std::borrow::Cow;
use std::collections::HashSet;

use super::extra::Extra;
use super::fault::{Fault, Reason};
use super::grammar::Grammar;
use super::read::{EventTimePlace, Row};
use super::value::{Value, is_null};
use crate::json::{Stop, Walker, text, unescape};

/// Reads a line.
pub(super) fn read<'a, const N: usize>(
    grammar: &Grammar<N>,
    event_time: &[EventTimePlace],
    line: &'a str,
) -> Result<Row<'a, N>, Fault> {
    let (mut values, mut extra) = ([const { Value::Null }; N], Extra::default());
    let (mut seen, mut unknown) = ([false; N], HashSet::new());
    let mut keys = Keys::new(line);
    while let Some((key, written)) = keys.next().map_err(Fault::of_json)? {
        let name = unescape(key);
        let Some(place) = grammar.field_named(&name) else {
            if !is_missing(written) {
                extra.push_json(key, written);
            }
            if let Some(name) = unknown.replace(name) {
                return Err(Fault::of_field(Reason::REPEATED_KEY, &name));
            }
            continue;
        };
        if std::mem::replace(&mut seen[place], true) {
            return Err(Fault::of_field(Reason::REPEATED_KEY, &name));
        }
        if !is_missing(written) {
            let value = Value::read(&grammar.fields[place].kind, text(written));
            values[place] = value.map_err(|reason| Fault::of_field(reason, &name))?;
        }
    }
    keys.end().map_err(Fault::of_json)?;
    Row::of(values, extra, event_time)
}

/// Returns the names in the front of a line that may be cut.
pub(super) fn names(line: &str) -> Vec<Cow<'_, str>> {
    let mut keys = Keys::new(line);
    std::iter::from_fn(|| keys.next().ok().flatten()).map(|(key, _)| unescape(key)).collect()
}

/// Whether a value as written stands for a missing value.
fn is_missing(written: &str) -> bool {
    written == "null" || written.starts_with('"') && is_null(&text(written))
}

/// The keys and values of an object.
struct Keys<'a> {
    walker: Walker<'a>,
    text: &'a str,
    is_first: bool,
}

impl<'a> Keys<'a> {
    fn new(text: &'a str) -> Self {
        Self { walker: Walker::new(text, 0), text, is_first: true }
    }

    /// Takes the next key, without its quotes, and its value, as written.
    fn next(&mut self) -> Result<Option<(&'a str, &'a str)>, Stop> {
        if self.is_first {
            self.walker.take(b'{', "an object")?;
        }
        if !self.walker.next_element(b'}', self.is_first)? {
            return Ok(None);
        }
        self.is_first = false;
        let key = self.walker.key()?;
        // The walker stops at the value, not at the white space in front of it.
        self.walker.peek()?;
        Ok(Some((key, self.walker.value(1)?)))
    }

    /// Fails if anything but white space follows the object.
    fn end(&self) -> Result<(), Stop> {
        let rest = &self.text[self.walker.at()..];
        let is_end = rest.trim_ascii().is_empty();
        is_end.then_some(()).ok_or(Stop::Invalid { at: self.walker.at(), expected: "the end of the line" })
    }
}

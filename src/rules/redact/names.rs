//! Masks the values that follow a name in any text: `name=value` in URLs, however often they are encoded, `name: value` in
//! headers, and `"name": value` in JSON, also in JSON within a JSON string.

use std::ops::Range;

use super::MASK;
use super::escapes::{encoded_backslashes_before, ends_in_percent};
use super::gate::Gate;
use super::unescaped::Unescaped;
use super::value::{Ending, Opening, member_value, parameter_value};

/// Names whose values are masked, in upper and lower case and in any encoding.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: Vec<String>,
    gate: Option<Gate>,
    /// Whether to mask `name=value` and `name: value` in addition to `"name": value`.
    as_parameters: bool,
}

/// A part of a text that a mask replaces: a value, and values that begin inside it.
struct Span {
    range: Range<usize>,
    /// As in [`Opening`].
    quotes: Option<usize>,
    /// The endings of the values, and where each was last found. A value that begins before it is not read again.
    ends: Vec<(Ending, usize)>,
}

impl Span {
    fn of(value: &Opening, text: &[u8]) -> Self {
        let end = value.end(text);
        Self { range: value.start..end, quotes: value.quotes, ends: vec![(value.ending, end)] }
    }

    /// Adds a value if it begins inside this part or next to it. Returns whether it ends later; `None` if it is apart.
    fn take(&mut self, value: &Opening, text: &[u8]) -> Option<bool> {
        if value.start > self.range.end {
            return None;
        }
        let known = self.ends.iter().position(|(ending, _)| *ending == value.ending);
        if known.is_some_and(|known| value.start <= self.ends[known].1) {
            return Some(false);
        }
        let end = value.end(text);
        match (known, value.ending) {
            (Some(known), _) => self.ends[known].1 = end,
            (None, Ending::At(_)) => {}
            (None, ending) => self.ends.push((ending, end)),
        }
        let is_later = end > self.range.end;
        self.range.end = self.range.end.max(end);
        Some(is_later)
    }
}

impl Names {
    pub(super) fn new(names: Vec<String>, as_parameters: bool) -> Self {
        let gate = (!names.is_empty()).then(|| Gate::new(&names));
        Self { all: names, gate, as_parameters }
    }

    /// Whether a text may contain one of the names. Otherwise it has nothing to mask.
    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.is_passed(text))
    }

    /// Whether a key is one of the names.
    pub(super) fn have(&self, key: &str) -> bool {
        self.all.iter().any(|name| name.eq_ignore_ascii_case(key))
    }

    /// Masks all values in a text; `None` if it has none.
    ///
    /// Text is cut at ASCII bytes only, so that UTF-8 and JSON remain valid.
    pub(super) fn mask(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut masked = None;
        loop {
            let text = masked.as_deref().unwrap_or(text);
            let (mut spans, is_nested) = self.spans(text);
            spans.retain(|span| !span.range.is_empty());
            if spans.is_empty() {
                return masked;
            }
            masked = Some(splice(text, &spans));
            // Without the name inside it, the value of the other name can have another end.
            if !is_nested {
                return masked;
            }
        }
    }

    /// Masks a decoded text from its first value to the end; `None` if it has no value. In decoded text, a character that
    /// normally ends a value may belong to it, even as its first character. A value is empty only at the end of the text.
    pub(super) fn mask_rest(&self, text: &[u8]) -> Option<Vec<u8>> {
        let (spans, _) = self.spans(text);
        let first = spans.iter().find(|span| span.range.start < text.len())?;
        Some([&text[..first.range.start], MASK.as_bytes()].concat())
    }

    /// Finds all values, also empty ones. Returns them, and whether a name is inside a value and its own value ends later.
    fn spans(&self, text: &[u8]) -> (Vec<Span>, bool) {
        let (mut spans, mut is_nested) = (Vec::<Span>::new(), false);
        let Some(gate) = self.gate.as_ref().filter(|gate| gate.is_passed(text)) else {
            return (spans, is_nested);
        };
        let unescaped = gate.has_escaped(text).then(|| Unescaped::of(text));
        for name in gate.names_in(unescaped.as_ref().map_or(text, |written| &written.bytes)) {
            let origin = |at: usize| unescaped.as_ref().map_or(at, |written| written.origin(at));
            let (start, end) = (origin(name.start), origin(name.end));
            let value = if begins_name(text, start) { self.value_behind(text, end) } else { None };
            let Some(value) = value else { continue };
            match spans.last_mut().and_then(|last| last.take(&value, text)) {
                Some(is_later) => is_nested |= is_later,
                None => spans.push(Span::of(&value, text)),
            }
        }
        (spans, is_nested)
    }

    /// Finds the value of a name that ends at a position.
    fn value_behind(&self, text: &[u8], at: usize) -> Option<Opening> {
        let parameter = self.as_parameters.then(|| parameter_value(text, at)).flatten();
        parameter.or_else(|| member_value(text, at))
    }
}

fn splice(text: &[u8], spans: &[Span]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(text.len());
    let mut kept = 0;
    for Span { range, quotes, .. } in spans {
        masked.extend_from_slice(&text[kept..range.start]);
        let quote = quotes.map_or(String::new(), |backslashes| "\\".repeat(backslashes) + "\"");
        masked.extend_from_slice(format!("{quote}{MASK}{quote}").as_bytes());
        kept = range.end;
    }
    masked.extend_from_slice(&text[kept..]);
    masked
}

/// Whether a name that starts here is whole. A letter before it would make it part of a longer name, unless the letter ends
/// an escape such as `%26`, `\u0026` or `\n`.
fn begins_name(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_escape = |digits: usize, is_lead: fn(&[u8]) -> bool| {
        let (lead, code) = before.split_at(at.saturating_sub(digits));
        code.len() == digits && code.iter().all(u8::is_ascii_hexdigit) && is_lead(lead)
    };
    let is_control =
        || matches!(before, [lead @ .., b'n' | b'r' | b't' | b'b' | b'f'] if ends_in_backslash(lead));
    !before.last().is_some_and(is_letter)
        || is_escape(2, ends_in_percent)
        || is_escape(4, |lead| lead.strip_suffix(b"u").is_some_and(ends_in_backslash))
        || is_control()
}

/// Whether a text ends in a backslash, which may be encoded.
fn ends_in_backslash(text: &[u8]) -> bool {
    text.ends_with(b"\\") || encoded_backslashes_before(text) > 0
}

#[cfg(test)]
mod tests;

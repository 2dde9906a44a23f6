//! Values that follow a name in any text, whatever else the text is: `name=value` in URLs, however often they are encoded,
//! `name: value` as headers have it, and `"name": value` in JSON, also in JSON within a JSON string.

use super::MASK;
use super::escapes::{encoded_backslashes_before, ends_in_percent};
use super::gate::Gate;
use super::unescaped::Unescaped;
use super::value::{Span, member_value, parameter_value};

/// Names whose values are masked; upper and lower case are one, and so are all ways to encode a name.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: Vec<String>,
    gate: Option<Gate>,
    /// Whether `name=value` and `name: value` count, and not only `"name": value`.
    as_parameters: bool,
}

impl Names {
    pub(super) fn new(names: Vec<String>, as_parameters: bool) -> Self {
        let gate = (!names.is_empty()).then(|| Gate::new(&names));
        Self { all: names, gate, as_parameters }
    }

    /// Whether one of the names may be in a text: without it there is nothing to mask.
    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.is_passed(text))
    }

    /// Whether a key is one of the names.
    pub(super) fn have(&self, key: &str) -> bool {
        self.all.iter().any(|name| name.eq_ignore_ascii_case(key))
    }

    /// The text with all values masked; `None` when there is none.
    ///
    /// Text is cut at ASCII bytes only: UTF-8 stays UTF-8, and JSON stays JSON.
    pub(super) fn mask(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut spans = self.spans(text);
        spans.retain(|span| !span.range.is_empty());
        if spans.is_empty() { None } else { Some(splice(text, &spans)) }
    }

    /// The text up to its first value; `None` when there is none. For text that was decoded: a character that ends a value
    /// may as well belong to it, even as its first one, so that a value is empty only at the end of the text.
    pub(super) fn mask_rest(&self, text: &[u8]) -> Option<Vec<u8>> {
        let spans = self.spans(text);
        let first = spans.iter().find(|span| span.range.start < text.len())?;
        Some([&text[..first.range.start], MASK.as_bytes()].concat())
    }

    /// All values, also empty ones.
    fn spans(&self, text: &[u8]) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let Some(gate) = self.gate.as_ref().filter(|gate| gate.is_passed(text)) else { return spans };
        let unescaped = gate.has_escaped(text).then(|| Unescaped::of(text));
        for name in gate.names_in(unescaped.as_ref().map_or(text, |written| &written.bytes)) {
            let origin = |at: usize| unescaped.as_ref().map_or(at, |written| written.origin(at));
            let (start, end) = (origin(name.start), origin(name.end));
            let masked_to = spans.last().map_or(0, |span| span.range.end);
            if start >= masked_to && begins_name(text, start) {
                spans.extend(self.value_behind(text, end));
            }
        }
        spans
    }

    /// The value of a name that ends at a place.
    fn value_behind(&self, text: &[u8], at: usize) -> Option<Span> {
        let parameter = self.as_parameters.then(|| parameter_value(text, at)).flatten();
        parameter.or_else(|| member_value(text, at))
    }
}

fn splice(text: &[u8], spans: &[Span]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(text.len());
    let mut kept = 0;
    for Span { range, quotes } in spans {
        masked.extend_from_slice(&text[kept..range.start]);
        let quote = quotes.map_or(String::new(), |backslashes| "\\".repeat(backslashes) + "\"");
        masked.extend_from_slice(format!("{quote}{MASK}{quote}").as_bytes());
        kept = range.end;
    }
    masked.extend_from_slice(&text[kept..]);
    masked
}

/// Whether a name that starts here is whole: no letter of a longer one stands before it, except as the end of an escape
/// such as `%26`, `\u0026` or `\n`.
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

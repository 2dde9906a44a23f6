//! Values that follow a name in any text, whatever else the text is: `name=value` in URLs, however often they are encoded,
//! and `"name": value` in JSON, also in JSON within a JSON string.

use std::ops::Range;

use super::MASK;
use super::gate::Gate;
use super::unescaped::Unescaped;

/// Names whose values are masked; upper and lower case are one, and so are all ways to encode a name.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: Vec<String>,
    gate: Option<Gate>,
    /// Whether `name=value` counts, and not only `"name": value`.
    as_parameters: bool,
}

/// A value in a text.
struct Span {
    range: Range<usize>,
    /// A value that is no string gets quotes, with this many backslashes before each.
    quotes: Option<usize>,
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
        let gate = self.gate.as_ref().filter(|gate| gate.is_passed(text))?;
        let unescaped = gate.has_escaped(text).then(|| Unescaped::of(text));
        let mut spans: Vec<Span> = Vec::new();
        for name in gate.names_in(unescaped.as_ref().map_or(text, |written| &written.bytes)) {
            let origin = |at: usize| unescaped.as_ref().map_or(at, |written| written.origin(at));
            let (start, end) = (origin(name.start), origin(name.end));
            let masked_to = spans.last().map_or(0, |span| span.range.end);
            if start >= masked_to && begins_name(text, start) {
                spans.extend(self.value_behind(text, end).filter(|span| !span.range.is_empty()));
            }
        }
        if spans.is_empty() { None } else { Some(splice(text, &spans)) }
    }

    /// The value of a name that ends at a place.
    fn value_behind(&self, text: &[u8], at: usize) -> Option<Span> {
        let parameter = || {
            let (width, level) = equals_sign(&text[at..]).filter(|_| self.as_parameters)?;
            let start = at + width;
            Some(Span { range: start..start + parameter_width(&text[start..], level), quotes: None })
        };
        parameter().or_else(|| member_value(text, at))
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
    let is_control = || matches!(before, [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f']);
    !before.last().is_some_and(is_letter)
        || is_escape(2, ends_in_percent)
        || is_escape(4, |lead| lead.ends_with(b"\\u"))
        || is_control()
}

/// Whether a text ends in `%`, which may be encoded itself.
pub(super) fn ends_in_percent(mut text: &[u8]) -> bool {
    while let Some(shorter) = text.strip_suffix(b"25") {
        text = shorter;
    }
    text.ends_with(b"%")
}

/// The width of an equals sign at the front of a text, and how often it is percent-encoded.
fn equals_sign(text: &[u8]) -> Option<(usize, usize)> {
    match text.first()? {
        b'=' => Some((1, 0)),
        b'%' => percent_escape(text)
            .filter(|escape| escape.code == b'=')
            .map(|escape| (escape.width, escape.level)),
        b'\\' => {
            unicode_escape(text).filter(|(code, _)| *code == u32::from(b'=')).map(|(_, width)| (width, 0))
        }
        _ => None,
    }
}

struct PercentEscape {
    code: u8,
    width: usize,
    /// 1 for `%3D`, 2 for `%253D`.
    level: usize,
}

fn percent_escape(text: &[u8]) -> Option<PercentEscape> {
    let encoded = text.strip_prefix(b"%")?;
    let percents = encoded.chunks_exact(2).take_while(|pair| *pair == b"25").count();
    let code = hexadecimal(encoded.get(2 * percents..2 * percents + 2)?)?;
    Some(PercentEscape { code: u8::try_from(code).ok()?, width: 3 + 2 * percents, level: 1 + percents })
}

/// The code of `\u003d`, with any number of backslashes, and its width.
pub(super) fn unicode_escape(text: &[u8]) -> Option<(u32, usize)> {
    let backslashes = backslashes_at(text);
    let digits = text.get(backslashes..)?.strip_prefix(b"u")?.get(..4)?;
    Some((hexadecimal(digits)?, backslashes + 5))
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let is_hexadecimal = digits.iter().all(u8::is_ascii_hexdigit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| is_hexadecimal)
        .and_then(|text| u32::from_str_radix(text, 16).ok())
}

fn backslashes_at(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == b'\\').count()
}

/// Whether a parameter's value cannot hold a character as it is: a space or control character, or one of `&#"<>`.
fn ends_parameter(code: u32) -> bool {
    code <= 0x20 || code == 0x7f || u8::try_from(code).is_ok_and(|byte| b"&#\"<>".contains(&byte))
}

/// The width of a parameter's value at the front of a text. How often its equals sign was encoded tells how often the `&`
/// behind it is: fewer times always counts, while `%26` after a plain `=` belongs to the value.
fn parameter_width(text: &[u8], level: usize) -> usize {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let rest = &text[at..];
        at += match byte {
            b'\\' => match (unicode_escape(rest), backslashes_at(rest)) {
                (Some((code, _)), _) if ends_parameter(code) => break,
                (Some((_, width)), _) => width,
                (None, run) if run % 2 == 1 && rest.get(run) == Some(&b'"') => break,
                (None, run) => run,
            },
            b'%' => match percent_escape(rest) {
                Some(escape) if escape.level <= level && ends_parameter(escape.code.into()) => break,
                _ => 1,
            },
            byte if ends_parameter((*byte).into()) => break,
            _ => 1,
        };
    }
    at
}

/// The value of a JSON member whose key ends at a place, by its quotes and brackets alone. In JSON within a JSON string every
/// quote has the same backslashes before it: none, 1, 3, 7; pairs of them are backslashes of the key.
fn member_value(text: &[u8], at: usize) -> Option<Span> {
    let backslashes = backslashes_at(&text[at..]);
    if backslashes > 0 && backslashes.is_multiple_of(2) {
        return None;
    }
    let behind_key = strip_quote(&text[at..], backslashes)?.trim_ascii_start();
    let value = behind_key.strip_prefix(b":")?.trim_ascii_start();
    let start = text.len() - value.len();
    if let Some(content) = strip_quote(value, backslashes) {
        let start = text.len() - content.len();
        return Some(Span { range: start..start + string_width(content, backslashes), quotes: None });
    }
    let width = match value.first()? {
        b'{' | b'[' => brackets_width(value, backslashes),
        _ if value.starts_with(b"null") => return None,
        _ => value.iter().position(|byte| b",]}\"\\ \t\r\n".contains(byte)).unwrap_or(value.len()),
    };
    Some(Span { range: start..start + width, quotes: Some(backslashes) })
}

/// What follows a quote with exactly this many backslashes before it.
fn strip_quote(text: &[u8], backslashes: usize) -> Option<&[u8]> {
    (backslashes_at(text) == backslashes).then(|| text[backslashes..].strip_prefix(b"\""))?
}

/// The width of a string's content up to its closing quote, or up to that of a string around it.
fn string_width(content: &[u8], backslashes: usize) -> usize {
    for quote in memchr::memchr_iter(b'"', content) {
        let run = content[..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
        match backslashes {
            0 if run.is_multiple_of(2) => return quote,
            1.. if run <= backslashes => return quote - run,
            _ => {}
        }
    }
    content.len()
}

/// The width of an object or list up to its closing bracket, or up to the end of a string around it.
fn brackets_width(text: &[u8], backslashes: usize) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < text.len() {
        let rest = &text[at..];
        let run = backslashes_at(rest);
        at += match rest.get(run) {
            Some(b'"') if run < backslashes => break,
            Some(b'"') if run == backslashes => {
                let width = run + 1 + string_width(&rest[run + 1..], backslashes);
                let closing = strip_quote(&rest[width..], backslashes).map(|_| run + 1);
                depth = if closing.is_some() { depth } else { 0 };
                width + closing.unwrap_or_default()
            }
            Some(b'{' | b'[') if run == 0 => {
                depth += 1;
                1
            }
            Some(b'}' | b']') if run == 0 => {
                depth -= 1;
                1
            }
            _ => run.max(1),
        };
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests;

//! Finds the start and end of a name's value in any text: `name=value`, `name: value` and `"name": value`.

use super::escapes::{backslashes_at, encoded_backslashes_before, percent_escape, unicode_escape};

/// The start of a value in a text.
pub(super) struct Opening {
    pub(super) start: usize,
    pub(super) ending: Ending,
    /// Set for a value that is not a string: its mask needs quotes with this number of backslashes before each.
    pub(super) quotes: Option<usize>,
}

/// What ends a value. Of two values with the same ending, the one that starts inside the other ends where that one does, or
/// before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The end of a parameter or header.
    Form(Form),
    /// A quote with this number of backslashes.
    Quote(usize),
    /// The closing bracket, in JSON whose quotes have this number of backslashes.
    Bracket(usize),
    /// A known place.
    At(usize),
}

impl Opening {
    /// Finds the end of the value.
    pub(super) fn end(&self, text: &[u8]) -> usize {
        let rest = &text[self.start..];
        match self.ending {
            Ending::Form(form) => self.start + form.width(rest),
            Ending::Quote(backslashes) => self.start + string_width(rest, backslashes),
            Ending::Bracket(backslashes) => self.start + brackets_width(rest, backslashes),
            Ending::At(end) => end,
        }
    }
}

/// Whether a byte can directly follow a name with a value: a sign (`=` or `:`), the end of a key or of a quoted name, a blank,
/// or the start of an escape of these.
pub(super) fn may_follow_name(byte: u8) -> bool {
    matches!(byte, b'=' | b':' | b'%' | b'"' | b'\\' | b' ' | b'\t' | b'+' | b'\'')
}

/// Finds the value of a parameter or header whose name ends at a position.
pub(super) fn parameter_value(text: &[u8], at: usize) -> Option<Opening> {
    let (form, width) = Form::after_name(&text[at..])?;
    let (start, ending) = quoted(text, at + width).unwrap_or((at + width, Ending::Form(form)));
    Some(Opening { start, ending, quotes: None })
}

/// The form of a value, which determines where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// Whether the form is `name: value`, where a blank does not end the value.
    is_header: bool,
    /// How often the sign after the name is percent-encoded.
    level: usize,
    /// Number of encoded backslashes before the encoded quote that opens the value.
    quote: Option<usize>,
}

impl Form {
    /// Reads the text between a name and its value. Returns the form of the value and the width of that text.
    fn after_name(text: &[u8]) -> Option<(Self, usize)> {
        let before = filler_width(text, |code, level| {
            is_blank(code) || matches!(code, b'+' | b'\'' | b'"') || code == b'\\' && level > 0
        });
        let (code, width, level) = character(&text[before..])?;
        let mut form = Self { is_header: code == b':', level, quote: None };
        if !form.is_header && code != b'=' {
            return None;
        }
        let at = before + width;
        if let Some((width, backslashes)) = form.opening(&text[at..]) {
            form.quote = Some(backslashes);
            return Some((form, at + width));
        }
        // `name= ` is a parameter without a value.
        let is_apart = form.is_header || text.first().is_some_and(|first| is_blank(*first));
        let after = |text| filler_width(text, |code, level| is_blank(code) && level == 0 || code == b'"');
        Some((form, at + if is_apart { after(&text[at..]) } else { 0 }))
    }

    /// Reads blanks and quotes at the start of a text that are encoded like the sign before them. Returns their width and the
    /// number of backslashes before the first quote; `None` without a quote.
    fn opening(self, text: &[u8]) -> Option<(usize, usize)> {
        let blanks = self.blanks_width(text);
        let escapes = &text[blanks..];
        let before_quote = self.backslashes_width(escapes);
        let quotes = filler_width(escapes, |code, level| {
            level <= self.level && (code == b'"' || code == b'\\' && level > 0)
        });
        let backslashes = encoded_backslashes_before(&escapes[..before_quote]);
        (quotes > before_quote).then_some((blanks + quotes, backslashes))
    }

    /// Returns the width of the blanks and line ends at the start of a text, including `\n` with encoded backslashes.
    fn blanks_width(self, text: &[u8]) -> usize {
        // A `+` is a blank in form encoding. It is encoded once less than the sign.
        let is_space =
            |code, level| code == b'+' || level > 0 && (is_blank(code) || matches!(code, b'\r' | b'\n'));
        let mut at = 0;
        loop {
            at += filler_width(&text[at..], |code, level| level <= self.level && is_space(code, level));
            let escape = self.backslashes_width(&text[at..]);
            if escape == 0 || !matches!(text.get(at + escape), Some(b'n' | b'r' | b't')) {
                return at;
            }
            at += escape + 1;
        }
    }

    /// Returns the width of the encoded backslashes at the start of a text.
    fn backslashes_width(self, text: &[u8]) -> usize {
        filler_width(text, |code, level| code == b'\\' && level > 0 && level <= self.level)
    }

    /// Returns the width of the value at the start of a text.
    fn width(self, text: &[u8]) -> usize {
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let run = backslashes_at(rest);
            if run > 0 && unicode_escape(rest).is_none() {
                if self.ends_at_escape(&rest[run..], run) {
                    break;
                }
                at += run;
                continue;
            }
            let Some((code, width, level)) = character(rest) else { break };
            let is_within = code == b'"' && self.is_within(encoded_backslashes_before(&text[..at]));
            if level <= self.level && !is_within && self.ends_at(code, level, &rest[width..]) {
                break;
            }
            at += if level == 0 { width } else { 1 };
        }
        at
    }

    /// Whether the value ends at a character, given the text after it. An `&` ends the value if it is encoded at most as often
    /// as the sign; `%26` after a plain `=` belongs to the value. An encoded blank also belongs to the value, because it may
    /// be the `+` of a value that was decoded before.
    fn ends_at(self, code: u8, level: usize, rest: &[u8]) -> bool {
        let ends_line = code < 0x20 && code != b'\t' || matches!(code, 0x7f | b'"');
        let ends_parameter = ends_line || matches!(code, b'&' | b'#' | b'<' | b'>');
        if level == 0 && (self.level > 0 || !self.is_header) && (ends_parameter || is_blank(code)) {
            return true;
        }
        if self.is_header {
            return ends_line;
        }
        ends_parameter || code == b'\t' || code == b';' && begins_parameter(rest)
    }

    /// Whether a quote with this number of encoded backslashes belongs to a quoted value and does not end it.
    fn is_within(self, backslashes: usize) -> bool {
        self.quote.is_some_and(|opening| backslashes > opening && (opening > 0 || backslashes % 2 == 1))
    }

    /// Whether the value ends at a run of backslashes, given the text after it: at the closing quote of the string that
    /// contains the value, or at the end of a header line.
    fn ends_at_escape(self, rest: &[u8], run: usize) -> bool {
        match rest.first() {
            Some(b'"') => run % 2 == 1,
            Some(b'n' | b'r') if self.is_header && run % 2 == 1 => true,
            // An even run is part of the value, or a line end in JSON within JSON.
            Some(b'r') if self.is_header => {
                backslashes_at(&rest[1..]) == run && rest.get(1 + run) == Some(&b'n')
            }
            _ => false,
        }
    }
}

/// Whether a text begins with `name=`. A `;` before it is then a separator.
fn begins_parameter(text: &[u8]) -> bool {
    let name = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte)).count();
    name > 0 && character(&text[name..]).is_some_and(|(code, ..)| code == b'=')
}

fn is_blank(code: u8) -> bool {
    matches!(code, b' ' | b'\t')
}

/// Returns the width of the characters between names, signs and values at the start of a text. A quote counts only if it is
/// escaped, because other quotes are part of JSON.
fn filler_width(text: &[u8], is_filler: impl Fn(u8, usize) -> bool) -> usize {
    let mut at = 0;
    while let Some((code, width, level)) = character(&text[at..]) {
        if !is_filler(code, level) || text[at] == b'"' {
            break;
        }
        at += width;
    }
    at
}

/// Reads the ASCII character at the start of a text. Returns it with its width and how often it is percent-encoded.
fn character(text: &[u8]) -> Option<(u8, usize, usize)> {
    let first = *text.first()?;
    let escaped = match first {
        b'%' => percent_escape(text)
            .map(|escape| encoded_json_escape(text).unwrap_or((escape.code, escape.width, escape.level))),
        b'\\' => json_escape(text).map(|(code, width)| (code, width, 0)),
        _ => None,
    };
    Some(escaped.unwrap_or((first, 1, 0)))
}

/// Reads `\t` or an escape such as `\u0041`, with any number of backslashes, and returns its character and width. All
/// characters outside ASCII become the same code.
fn json_escape(text: &[u8]) -> Option<(u8, usize)> {
    let backslashes = backslashes_at(text);
    if text.get(backslashes) == Some(&b't') {
        return Some((b'\t', backslashes + 1));
    }
    unicode_escape(text).map(|(code, width)| (u8::try_from(code).unwrap_or(u8::MAX), width))
}

/// Reads an escape such as `\u0041` with encoded backslashes. Returns its character, its width, and how often the backslashes
/// are encoded.
fn encoded_json_escape(text: &[u8]) -> Option<(u8, usize, usize)> {
    let (mut at, mut level) = (0, 0);
    while let Some(escape) = percent_escape(&text[at..]).filter(|escape| escape.code == b'\\') {
        at += escape.width;
        level = escape.level;
    }
    let (code, width) = unicode_escape(&text[at..]).filter(|_| level > 0)?;
    Some((u8::try_from(code).unwrap_or(u8::MAX), at + width, level))
}

/// Returns where the content of a quoted value starts and what ends it. After a quote that ends a JSON string, no character
/// follows that a value can begin with.
fn quoted(text: &[u8], start: usize) -> Option<(usize, Ending)> {
    let backslashes = backslashes_at(&text[start..]);
    let content =
        strip_quote(&text[start..], backslashes).filter(|_| backslashes == 0 || backslashes % 2 == 1)?;
    if content.first().is_none_or(|byte| b",:]}\\\"".contains(byte) || byte.is_ascii_whitespace()) {
        return None;
    }
    Some((text.len() - content.len(), Ending::Quote(backslashes)))
}

/// Finds the value of a JSON member whose key ends at a position, by quotes and brackets alone. In JSON within a JSON string,
/// every quote has the same number of backslashes before it: 0, 1, 3 or 7. Pairs of backslashes belong to the key.
pub(super) fn member_value(text: &[u8], at: usize) -> Option<Opening> {
    let backslashes = backslashes_at(&text[at..]);
    if backslashes > 0 && backslashes.is_multiple_of(2) {
        return None;
    }
    let behind_key = strip_quote(&text[at..], backslashes)?.trim_ascii_start();
    let value = behind_key.strip_prefix(b":")?.trim_ascii_start();
    let start = text.len() - value.len();
    if let Some(content) = strip_quote(value, backslashes) {
        let start = text.len() - content.len();
        return Some(Opening { start, ending: Ending::Quote(backslashes), quotes: None });
    }
    let ending = match value.first()? {
        b'{' | b'[' => Ending::Bracket(backslashes),
        _ => {
            let width = value.iter().position(|byte| b",]}\"\\ \t\r\n".contains(byte)).unwrap_or(value.len());
            if &value[..width] == b"null" {
                return None;
            }
            Ending::At(start + width)
        }
    };
    Some(Opening { start, ending, quotes: Some(backslashes) })
}

/// Returns the text after a quote with exactly this number of backslashes before it.
fn strip_quote(text: &[u8], backslashes: usize) -> Option<&[u8]> {
    (backslashes_at(text) == backslashes).then(|| text[backslashes..].strip_prefix(b"\""))?
}

/// Returns the width of a string's content up to its closing quote or that of an enclosing string.
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

/// Returns the width of an object or list up to its closing bracket or the end of an enclosing string.
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

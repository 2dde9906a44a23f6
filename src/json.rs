//! Walks over JSON text and yields values as slices of the input, checked but not converted.
//!
//! Numbers keep their digits and objects keep their order, because the walker builds no numbers and no maps: a value is
//! the text between its first and last byte. The walker checks the whole grammar of RFC 8259, so a slice kept in a JSON
//! column is valid JSON. Text may end anywhere: the walker then returns [`Stop::Incomplete`], and the caller tries again
//! with more text.

use std::borrow::Cow;

/// Deeper nesting is rejected.
pub(crate) const MAX_DEPTH: usize = 512;

/// Why the walker stopped before the end of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The text ends inside the value.
    Incomplete,
    /// The text is not valid JSON at this byte.
    Invalid { at: usize, expected: &'static str },
    /// More than [`MAX_DEPTH`] brackets are open.
    TooDeep,
}

type Walk<T> = Result<T, Stop>;

/// Walks over one text from a given position.
#[derive(Debug, Clone)]
pub(crate) struct Walker<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Walker<'a> {
    pub(crate) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The text from `start` to the current position.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// Skips the byte order mark that some editors write at the start of a file.
    pub(crate) fn skip_byte_order_mark(&mut self) {
        if self.text[self.at..].starts_with('\u{feff}') {
            self.at += '\u{feff}'.len_utf8();
        }
    }

    /// Returns the next byte that is not white space, without taking it.
    pub(crate) fn peek(&mut self) -> Walk<u8> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(byte);
            }
            self.at += 1;
        }
        Err(Stop::Incomplete)
    }

    /// Takes the next byte, which must be `byte`.
    pub(crate) fn take(&mut self, byte: u8, expected: &'static str) -> Walk<()> {
        if self.peek()? != byte {
            return Err(self.invalid(expected));
        }
        self.at += 1;
        Ok(())
    }

    /// Takes the comma between two elements or the closing bracket; returns true if another element follows.
    pub(crate) fn next_element(&mut self, close: u8, first: bool) -> Walk<bool> {
        match self.peek()? {
            byte if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ if first => Ok(true),
            b',' => {
                self.at += 1;
                match self.peek()? {
                    byte if byte == close => Err(self.invalid("a value after the comma")),
                    _ => Ok(true),
                }
            }
            _ => Err(self.invalid("a comma or a closing bracket")),
        }
    }

    /// Takes an object key and its colon; returns the key as written, without quotes.
    pub(crate) fn key(&mut self) -> Walk<&'a str> {
        let quoted = self.string()?;
        self.take(b':', "a colon")?;
        Ok(inner(quoted))
    }

    /// Takes the next bytes if they are `written`, which is whole tokens. Returns whether it did.
    pub(crate) fn take_written(&mut self, written: &str) -> bool {
        let comes_next = self.text.as_bytes()[self.at..].starts_with(written.as_bytes());
        self.at += if comes_next { written.len() } else { 0 };
        comes_next
    }

    /// Takes a string; returns it as written, with its quotes.
    pub(crate) fn string(&mut self) -> Walk<&'a str> {
        self.peek()?;
        let start = self.at;
        self.pass_string()?;
        Ok(self.since(start))
    }

    fn pass_string(&mut self) -> Walk<()> {
        self.take(b'"', "a string")?;
        let bytes = self.text.as_bytes();
        loop {
            self.at += plain_run(&bytes[self.at..]);
            match bytes.get(self.at) {
                None => return Err(Stop::Incomplete),
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.invalid("no raw control character in a string")),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn escape(&mut self) -> Walk<()> {
        let bytes = self.text.as_bytes();
        let width = match bytes.get(self.at + 1).ok_or(Stop::Incomplete)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' => 6,
            _ => return Err(self.invalid("a known escape")),
        };
        let digits = bytes.get(self.at + 2..self.at + width).ok_or(Stop::Incomplete)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.invalid("four hexadecimal digits"));
        }
        self.at += width;
        Ok(())
    }

    /// Takes any value at a nesting depth; returns it as written.
    pub(crate) fn value(&mut self, depth: usize) -> Walk<&'a str> {
        self.peek()?;
        let start = self.at;
        self.pass(depth)?;
        Ok(self.since(start))
    }

    /// Passes any value at a nesting depth.
    pub(crate) fn pass(&mut self, depth: usize) -> Walk<()> {
        match self.peek()? {
            b'"' => self.pass_string(),
            b'{' => self.pass_object(depth),
            b'[' => self.pass_array(depth),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number(),
        }
    }

    fn pass_object(&mut self, depth: usize) -> Walk<()> {
        self.open(depth)?;
        let mut first = true;
        while self.next_element(b'}', first)? {
            self.pass_string()?;
            self.take(b':', "a colon")?;
            self.pass(depth + 1)?;
            first = false;
        }
        Ok(())
    }

    fn pass_array(&mut self, depth: usize) -> Walk<()> {
        self.open(depth)?;
        let mut first = true;
        while self.next_element(b']', first)? {
            self.pass(depth + 1)?;
            first = false;
        }
        Ok(())
    }

    /// Takes a bracket that opens a value at a nesting depth.
    pub(crate) fn open(&mut self, depth: usize) -> Walk<()> {
        self.at += 1;
        if depth >= MAX_DEPTH { Err(Stop::TooDeep) } else { Ok(()) }
    }

    fn literal(&mut self, word: &'static str) -> Walk<()> {
        let rest = &self.text.as_bytes()[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else if word.as_bytes().starts_with(rest) {
            Err(Stop::Incomplete)
        } else {
            Err(self.invalid("true, false or null"))
        }
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    fn number(&mut self) -> Walk<()> {
        let bytes = self.text.as_bytes();
        if bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let leading_zero = bytes.get(self.at) == Some(&b'0');
        let digits = self.digits()?;
        if leading_zero && digits > 1 {
            return Err(self.invalid("no leading zero in a number"));
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        // The next piece of text may begin with more digits.
        if self.at == bytes.len() { Err(Stop::Incomplete) } else { Ok(()) }
    }

    fn digits(&mut self) -> Walk<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match (count, rest.is_empty()) {
            (0, true) => Err(Stop::Incomplete),
            (0, false) => Err(self.invalid("a value")),
            _ => {
                self.at += count;
                Ok(count)
            }
        }
    }

    fn invalid(&self, expected: &'static str) -> Stop {
        Stop::Invalid { at: self.at, expected }
    }
}

/// Number of bytes that are compared at once. Compilers turn the loop over them into vector instructions.
const BLOCK: usize = 16;

/// Number of bytes before the first quote, backslash or control character.
fn plain_run(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
        let mut marks = [0; BLOCK];
        for (mark, &byte) in marks.iter_mut().zip(block) {
            *mark = if is_special(byte) { u8::MAX } else { 0 };
        }
        let marks = u128::from_le_bytes(marks);
        if marks != 0 {
            return bytes.len() - rest.len() + (marks.trailing_zeros() / u8::BITS) as usize;
        }
        rest = after;
    }
    let plain = rest.iter().take_while(|byte| !is_special(**byte)).count();
    bytes.len() - rest.len() + plain
}

/// Whether a byte of a string is a quote, a backslash or a control character.
#[expect(clippy::needless_bitwise_bool, reason = "compilers make vectors of comparisons without branches")]
const fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < b' ')
}

/// Whether a checked value has escapes. Most values are so short that a call of a vectorised search would take longer.
#[expect(clippy::needless_bitwise_bool, reason = "compilers make vectors of comparisons without branches")]
pub(crate) fn has_escapes(written: &str) -> bool {
    let bytes = written.as_bytes();
    let is_escape = |any: bool, &byte: &u8| any | (byte == b'\\');
    match bytes.last_chunk::<BLOCK>() {
        None => bytes.iter().fold(false, is_escape),
        Some(last) => {
            bytes.as_chunks::<BLOCK>().0.iter().chain([last]).any(|block| block.iter().fold(false, is_escape))
        }
    }
}

/// A string as written, without its quotes.
fn inner(quoted: &str) -> &str {
    &quoted[1..quoted.len() - 1]
}

/// Returns the text of a checked value: the content of a string, or the JSON text of any other value.
pub(crate) fn text(written: &str) -> Cow<'_, str> {
    if written.starts_with('"') { unescape(inner(written)) } else { Cow::Borrowed(written) }
}

/// Decodes the escapes of a checked string without quotes. Half a surrogate pair becomes U+FFFD.
pub(crate) fn unescape(written: &str) -> Cow<'_, str> {
    if !has_escapes(written) {
        return Cow::Borrowed(written);
    }
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let (character, used) = unescape_one(escape);
        text.push(character);
        rest = &escape[used..];
    }
    Cow::Owned(text + rest)
}

/// Returns the character of an escape, given the text after its backslash, and the number of bytes used.
fn unescape_one(escape: &str) -> (char, usize) {
    let simple = match escape.as_bytes()[0] {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_unicode(escape),
        other => char::from(other),
    };
    (simple, 1)
}

fn unescape_unicode(escape: &str) -> (char, usize) {
    let unit =
        |from: usize| escape.get(from..from + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let high = unit(1).unwrap_or(0xd800);
    if let Some(character) = char::from_u32(high) {
        return (character, 5);
    }
    let low = escape.get(5..7).filter(|next| *next == "\\u").and_then(|_| unit(7));
    match low {
        Some(low @ 0xdc00..=0xdfff) if high < 0xdc00 => {
            let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11)
        }
        _ => (char::REPLACEMENT_CHARACTER, 5),
    }
}

/// Finds the end of a value by its brackets and quotes alone, over bytes that may be neither JSON nor UTF-8, in any number
/// of calls.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BracketScan {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl BracketScan {
    /// Returns the number of bytes up to the end of the value, or `None` if the value continues after `bytes`.
    pub(crate) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (place, &byte) in bytes.iter().enumerate() {
            if self.escaped {
                self.escaped = false;
            } else if self.in_string {
                self.in_string = byte != b'"';
                self.escaped = byte == b'\\';
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' if self.depth <= 1 => return Some(place + usize::from(self.depth == 1)),
                    b'}' | b']' => self.depth -= 1,
                    b',' if self.depth == 0 => return Some(place),
                    _ => {}
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &str) -> Walk<&str> {
        // A trailing space ends a number.
        let padded: &'static str = Box::leak(format!("{text} ").into_boxed_str());
        let mut walker = Walker::new(padded, 0);
        let value = walker.value(0)?;
        match walker.peek() {
            Err(Stop::Incomplete) => Ok(value),
            _ => Err(walker.invalid("the end")),
        }
    }

    #[test]
    fn values_are_returned_as_written() {
        for text in [
            r#"{"a":1e400,"b":[9007199254740993,-0.10,1E+2],"a":null}"#,
            r#""\ud83d\ude00 \"quoted\" 한국어""#,
            "[ ]",
            "{ \"k\" : { } }",
            "0",
            "true",
        ] {
            assert_eq!(whole(text), Ok(text));
        }
    }

    #[test]
    fn invalid_json_is_refused() {
        for text in [
            "{\"a\":1,}",
            "[1,]",
            "{a:1}",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "nul!",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\t\"",
            "[1 2]",
            "{\"a\" 1}",
            "NaN",
            "'a'",
            "{\"a\":1 \"b\":2}",
        ] {
            assert!(matches!(whole(text), Err(Stop::Invalid { .. })), "{text}: {:?}", whole(text));
        }
        assert_eq!(whole(&"[".repeat(MAX_DEPTH + 1)), Err(Stop::TooDeep));
    }

    #[test]
    fn escapes_decode_to_their_characters() {
        for (written, expected) in [
            ("plain", "plain"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\uD55C\uAD6D", "한국"),
            (r"a\ud83d\ude00b", "a😀b"),
            (r"\ud83d!", "\u{fffd}!"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
        ] {
            assert_eq!(unescape(written), expected, "{written}");
        }
    }

    #[test]
    fn the_text_of_a_value_is_the_content_of_a_string_or_the_value_as_written() {
        for (written, expected) in
            [(r#""a\u0062""#, "ab"), (r#"{"a":1}"#, r#"{"a":1}"#), ("12", "12"), (r#""""#, "")]
        {
            assert_eq!(text(written), expected, "{written}");
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "\\PC{0,12}".prop_map(Into::into),
            "[\\x00-\\x7f]{0,20}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 6, |element| {
            prop_oneof![
                prop::collection::vec(element.clone(), 0..6).prop_map(Into::into),
                prop::collection::hash_map("\\PC{0,8}", element, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_document_of_serde_json_is_walked_whole_and_every_prefix_is_incomplete(document in json()) {
            let text = document.to_string();
            prop_assert_eq!(whole(&text), Ok(text.as_str()));
            for (end, _) in text.char_indices() {
                prop_assert_eq!(Walker::new(&text[..end], 0).value(0), Err(Stop::Incomplete));
            }
            if document.is_object() || document.is_array() {
                prop_assert_eq!(BracketScan::default().end(text.as_bytes()), Some(text.len()));
            }
        }

        #[test]
        fn the_walker_accepts_exactly_what_serde_json_accepts(text in "[\\[\\]{}:,\"\\\\0-9a-f.eE+\\- ntrue]{0,24}") {
            let serde = serde_json::from_str::<Box<serde_json::value::RawValue>>(&text).is_ok();
            prop_assert_eq!(whole(&text).is_ok(), serde, "{}", text);
        }

        #[test]
        fn unescaping_agrees_with_serde_json(text in "(\\\\u[0-9a-c][0-9a-f]{3}|\\\\[bfnrt/]|\\PC){0,16}") {
            let written = text.replace('"', "");
            if let Ok(expected) = serde_json::from_str::<String>(&format!("\"{written}\"")) {
                prop_assert_eq!(unescape(&written), expected);
            }
        }

        #[test]
        fn blocks_and_single_bytes_agree(text in "([a-z]|\\PC|[\\x00-\\x7f]){0,64}|[a-z\u{a2}]{0,60}[\"\\\\a]{0,3}") {
            let bytes = text.as_bytes();
            let special = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            prop_assert_eq!(plain_run(bytes), special.unwrap_or(bytes.len()));
            prop_assert_eq!(has_escapes(&text), bytes.contains(&b'\\'));
        }
    }
}

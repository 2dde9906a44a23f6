//! Divides a line into its fields, without allocating.

use memchr::memchr;

use super::fault::Reason;
use crate::dataset::scan::next_space;

/// A part of a line, as byte positions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: position(start), end: position(end) }
    }

    /// Returns the part of a line.
    pub(super) fn of(self, line: &str) -> &str {
        line.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// A field as it is written, without its quotes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: Span,
    pub(super) is_quoted: bool,
}

/// How a log type writes texts that may hold spaces and quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) enum Quoting {
    /// Between quotes. A quote inside a text is written without a quote character, such as `\x22`.
    Quotes,
    /// Between quotes. A quote after an odd number of backslashes belongs to the text.
    QuotesAndBackslashes,
    /// Without quotes, because no text holds a space. Quotes are ordinary characters, apart from `"-"`, a missing value.
    Bare,
}

/// Divides a line at single spaces outside of quotes. Does not look for quotes inside bare fields. Ends after a
/// fault.
pub(super) struct Splitter<'a> {
    quoting: Quoting,
    line: &'a [u8],
    /// Start of the next field; beyond the end after the last one.
    at: usize,
}

impl<'a> Splitter<'a> {
    pub(super) fn new(line: &'a str, quoting: Quoting) -> Self {
        Self { quoting, line: line.as_bytes(), at: 0 }
    }

    /// Returns the start of the next field, if any.
    pub(super) fn next_start(&self) -> Option<usize> {
        (self.at <= self.line.len()).then_some(self.at)
    }

    /// Takes a field that begins with a quote. It ends at a quote that a space or the end of the line follows.
    fn quoted(&mut self) -> Result<Written, Reason> {
        let start = self.at + 1;
        let mut from = start;
        loop {
            let end = from + memchr(b'"', &self.line[from..]).ok_or(Reason::UnclosedQuote)?;
            let is_last = matches!(self.line.get(end + 1), None | Some(b' '));
            if is_last && !self.is_escaped(end) {
                self.at = end + 2;
                return Ok(Written { text: Span::new(start, end), is_quoted: true });
            }
            from = end + 1;
        }
    }

    /// Whether the quote at `end` belongs to the text.
    fn is_escaped(&self, end: usize) -> bool {
        let before = self.line[..end].iter().rev();
        self.quoting == Quoting::QuotesAndBackslashes
            && before.take_while(|byte| **byte == b'\\').count() % 2 == 1
    }

    fn bare(&mut self) -> Result<Written, Reason> {
        let (start, end) = (self.at, next_space(self.line, self.at));
        if start == end {
            return Err(Reason::EmptyField);
        }
        self.at = end + 1;
        let is_missing = self.quoting == Quoting::Bare && self.line[start..end] == *br#""-""#;
        let text = if is_missing { Span::new(start + 1, end - 1) } else { Span::new(start, end) };
        Ok(Written { text, is_quoted: false })
    }
}

impl Iterator for Splitter<'_> {
    type Item = Result<Written, Reason>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.next_start()?;
        let is_quoted = self.quoting != Quoting::Bare && self.line.get(at) == Some(&b'"');
        let written = if is_quoted { self.quoted() } else { self.bare() };
        if written.is_err() {
            self.at = self.line.len() + 1;
        }
        Some(written)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The slow twin: one character at a time.
    fn slow(line: &str, quoting: Quoting) -> Vec<Result<String, Reason>> {
        let characters: Vec<char> = line.chars().collect();
        let (mut fields, mut at) = (Vec::new(), 0);
        while at <= characters.len() {
            let is_quoted = quoting != Quoting::Bare && characters.get(at) == Some(&'"');
            let is_end = |place: usize| {
                let here = characters.get(place);
                if is_quoted {
                    let before: String = characters[..place.min(characters.len())].iter().collect();
                    let backslashes = before.len() - before.trim_end_matches('\\').len();
                    let is_escaped = quoting == Quoting::QuotesAndBackslashes && backslashes % 2 == 1;
                    here == Some(&'"') && matches!(characters.get(place + 1), None | Some(' ')) && !is_escaped
                } else {
                    matches!(here, None | Some(' '))
                }
            };
            let start = at + usize::from(is_quoted);
            let Some(end) = (start..=characters.len()).find(|place| is_end(*place)) else {
                fields.push(Err(Reason::UnclosedQuote));
                break;
            };
            if end == start && !is_quoted {
                fields.push(Err(Reason::EmptyField));
                break;
            }
            let text: String = characters[start..end].iter().collect();
            fields.push(Ok(if quoting == Quoting::Bare && text == "\"-\"" { "-".to_owned() } else { text }));
            at = end + 1 + usize::from(is_quoted);
        }
        fields
    }

    proptest! {
        #[test]
        fn the_splitter_agrees_with_its_slow_twin(
            line in "[ \"\\\\-a\u{ac00}]{0,24}",
            quoting in prop::sample::select(vec![Quoting::Quotes, Quoting::QuotesAndBackslashes, Quoting::Bare]),
        ) {
            let fields = Splitter::new(&line, quoting).map(|written| Ok(written?.text.of(&line).to_owned()));
            prop_assert_eq!(fields.collect::<Vec<_>>(), slow(&line, quoting));
        }
    }
}

//! Escapes text from outside before it is displayed.
//!
//! Logs, object names and service messages can contain characters that a terminal obeys or hides: escape sequences, line
//! ends, and controls that change the writing direction. This module turns them into JSON escapes, for example `\u001b`
//! and `\n`, so that escaped JSON keeps its meaning.

use std::borrow::Cow;
use std::fmt::Write;

/// Escapes text of several lines; line ends are kept.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| letter != '\n' && is_obeyed(letter))
}

/// Escapes text within one line, including line ends.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed)
}

/// C0, DEL, C1, line and paragraph separators, and the controls of Unicode's bidirectional algorithm (`Bidi_Control`).
fn is_obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '\n' if is_escaped('\n') => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if is_escaped(letter) => {
                // Writing to a string cannot fail; all of these have four digits.
                let _ = write!(shown, "\\u{:04x}", u32::from(letter));
            }
            _ => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_a_terminal_obeys_are_escaped_and_others_are_kept() {
        for (text, expected) in [
            ("plain", "plain"),
            ("\u{d55c}\u{ae00} \u{e9} \u{1f600} \\n", "\u{d55c}\u{ae00} \u{e9} \u{1f600} \\n"),
            ("\u{1b}[31mred", "\\u001b[31mred"),
            ("\0\u{7}\u{8}\u{1f}", "\\u0000\\u0007\\u0008\\u001f"),
            ("a\tb\rc", "a\\tb\\rc"),
            ("\u{7f}\u{80}\u{9b}\u{9f}\u{a0}", "\\u007f\\u0080\\u009b\\u009f\u{a0}"),
            ("\u{2029}\u{202a}\u{202e}\u{202f}", "\\u2029\\u202a\\u202e\u{202f}"),
            ("\u{2065}\u{2066}\u{2069}\u{206a}", "\u{2065}\\u2066\\u2069\u{206a}"),
            ("\u{200d}\u{200e}\u{200f}\u{61c}", "\u{200d}\\u200e\\u200f\\u061c"),
        ] {
            assert_eq!(one_line(text), expected);
            assert_eq!(lines(text), expected);
        }
        assert_eq!((lines("a\r\nb\n"), one_line("a\nb")), ("a\\r\nb\n".into(), "a\\nb".into()));
    }

    #[test]
    fn escaped_json_keeps_its_meaning() {
        let all: String = (0..0x2100).filter_map(char::from_u32).collect();
        let json = serde_json::json!({ "text": all }).to_string();
        let shown = lines(&json);
        assert!(!shown.contains(is_obeyed) && shown != json);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap()["text"], all);
    }
}

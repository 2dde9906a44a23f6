//! The JSON walker accepts what `serde_json` accepts, keeps the text, and never refuses the beginning of a value.

use logmill::fuzzing::{Walked, unescape_json, walk_json};
use serde_json::value::RawValue;

/// Longer texts have only some of their beginnings checked.
const BEGINNINGS: usize = 64;

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A number at the very end could continue.
    let text = &format!("{text}\n");
    let walked = walk_json(text);
    agree(text, &walked);
    if let Walked::Value(value) = walked {
        beginnings(value);
        if let Ok(decoded) = serde_json::from_str::<String>(value) {
            assert_eq!(unescape_json(&value[1..value.len() - 1]), decoded, "{value}");
        }
    }
}

/// `serde_json` is the slow twin: it builds the value.
fn agree(text: &str, walked: &Walked<'_>) {
    let is_blank = |rest: &str| rest.bytes().all(|byte| b" \t\r\n".contains(&byte));
    match serde_json::from_str::<&RawValue>(text) {
        Ok(whole) => match walked {
            Walked::Value(value) => assert_eq!(*value, whole.get()),
            other => assert!(depth(text) > 500, "a valid text is {other:?}: {text}"),
        },
        Err(_) => {
            if let Walked::Value(value) = walked {
                let begin = text.find(|letter: char| !" \t\r\n".contains(letter)).unwrap_or_default();
                assert!(!is_blank(&text[begin + value.len()..]), "an invalid text is accepted: {text}");
                assert!(serde_json::from_str::<&RawValue>(value).is_ok(), "an invalid value: {value}");
            }
        }
    }
}

/// At least as large as the depth of the nesting.
fn depth(text: &str) -> usize {
    text.bytes().filter(|byte| b"[{".contains(byte)).count()
}

/// An object can be cut anywhere: what is there of a value must not look wrong.
fn beginnings(value: &str) {
    let step = (value.len() / BEGINNINGS).max(1);
    for (end, _) in value.char_indices().step_by(step) {
        match walk_json(&value[..end]) {
            Walked::Incomplete => {}
            // A shorter number is a number.
            Walked::Value(begun) => assert!(
                value.starts_with(|first: char| first == '-' || first.is_ascii_digit()) && begun.len() == end
            ),
            Walked::Refused => panic!("the beginning of a value is refused: {}", &value[..end]),
        }
    }
}

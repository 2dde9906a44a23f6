//! The values without a column: a JSON object by name.

use std::fmt::Write;

/// A JSON object that is being written. It is empty until the first value.
#[derive(Debug, Default)]
pub(super) struct Extra {
    text: String,
}

impl Extra {
    /// Appends a text under a name.
    pub(super) fn push_text(&mut self, name: &str, value: &str) {
        self.separate();
        write_string(name, &mut self.text);
        self.text.push(':');
        write_string(value, &mut self.text);
    }

    /// Appends a key without its quotes and a value, both as written in JSON.
    pub(super) fn push_json(&mut self, key: &str, value: &str) {
        self.separate();
        // Writing to a string cannot fail.
        let _ = write!(self.text, "\"{key}\":{value}");
    }

    /// Returns the object, or `None` without any value.
    pub(super) fn finish(mut self) -> Option<String> {
        if self.text.is_empty() {
            return None;
        }
        self.text.push('}');
        Some(self.text)
    }

    fn separate(&mut self) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
    }
}

/// Writes a text as a JSON string.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

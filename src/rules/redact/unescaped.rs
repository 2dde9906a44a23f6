//! Text in which characters of names are written out that were percent-encoded, once or more, or escaped as in JSON.

/// Text without escapes of characters of names, and where each of its bytes stood. All other escapes stay.
pub(super) struct Unescaped {
    pub(super) bytes: Vec<u8>,
    /// One more than there are bytes: the last is the end.
    origins: Vec<usize>,
}

impl Unescaped {
    pub(super) fn of(text: &[u8]) -> Self {
        let (mut bytes, mut origins) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len() + 1));
        let mut at = 0;
        while at < text.len() {
            let is_lead = matches!(text[at], b'%' | b'\\');
            let escaped = if is_lead { unescaped(&text[at..]) } else { None };
            let (byte, width) = escaped.filter(|(byte, _)| is_of_name(*byte)).unwrap_or((text[at], 1));
            bytes.push(byte);
            origins.push(at);
            at += width;
        }
        origins.push(at);
        Self { bytes, origins }
    }

    /// Where the byte at a place stood; at the end, where the text ended.
    pub(super) fn origin(&self, at: usize) -> usize {
        self.origins[at]
    }
}

/// Whether a byte can be part of the name of a parameter.
pub(super) fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~$[]:".contains(&byte)
}

/// The ASCII character of the escape that a text begins with, all of its layers undone, and the width of the escape.
pub(super) fn unescaped(text: &[u8]) -> Option<(u8, usize)> {
    let (mut byte, mut width) = character(text)?;
    while byte == b'%' {
        let (high, high_width) = digit(text.get(width..)?)?;
        let (low, low_width) = digit(text.get(width + high_width..)?)?;
        byte = high << 4 | low;
        width += high_width + low_width;
    }
    (width > 1 && byte.is_ascii()).then_some((byte, width))
}

fn digit(text: &[u8]) -> Option<(u8, usize)> {
    let (byte, width) = character(text)?;
    let digit = char::from(byte).to_digit(16)?;
    Some((u8::try_from(digit).ok()?, width))
}

/// The character that a text begins with: a byte, or `\u0041` with any number of backslashes.
fn character(text: &[u8]) -> Option<(u8, usize)> {
    let first = *text.first()?;
    if first != b'\\' {
        return Some((first, 1));
    }
    let (code, width) = super::escapes::unicode_escape(text)?;
    Some((u8::try_from(code).ok()?, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_names_are_written_out_however_they_are_escaped() {
        for (text, expected) in [
            ("X%2DAmz", "X-Amz"),
            ("X%2dAmz", "X-Amz"),
            ("X%252DAmz", "X-Amz"),
            ("%2525252558", "X"),
            ("%58%2d%41", "X-A"),
            (r"X\u002dAmz", "X-Amz"),
            (r"X\\u002DAmz", "X-Amz"),
            (r"X\u00252DAmz", "X-Amz"),
            (r"X%\u0032\u0044Amz", "X-Amz"),
            // Everything else stays.
            ("a%26b%3Dc%20d%25", "a%26b%3Dc%20d%25"),
            ("100%", "100%"),
            ("%2", "%2"),
            ("%zz%ED%95%9C", "%zz%ED%95%9C"),
            (r"\u0026\n\\u", r"\u0026\n\\u"),
            ("%25%58", "%25X"),
        ] {
            let unescaped = Unescaped::of(text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&unescaped.bytes), expected, "{text}");
            assert_eq!(unescaped.origin(unescaped.bytes.len()), text.len());
            for (at, byte) in unescaped.bytes.iter().enumerate() {
                let escape = &text.as_bytes()[unescaped.origin(at)..unescaped.origin(at + 1)];
                assert!(escape == [*byte] || escape.len() > 2, "{text}");
            }
        }
    }
}

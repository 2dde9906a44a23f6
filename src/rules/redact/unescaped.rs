//! Decodes the escaped characters of names in a text: percent-encoded, once or more, or escaped as in JSON.

/// A text with the escapes of name characters decoded, and the original position of each byte. Other escapes are kept.
pub(super) struct Unescaped {
    pub(super) bytes: Vec<u8>,
    /// One entry per byte, and a last one for the end.
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

    /// Returns the original position of a byte, or of the end.
    pub(super) fn origin(&self, at: usize) -> usize {
        self.origins[at]
    }
}

/// Whether a byte can be part of a parameter name.
pub(super) fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~$[]:".contains(&byte)
}

/// Decodes all layers of the escape at the start of a text. Returns its ASCII character and its width.
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

/// Reads the character at the start of a text: a byte, or an escape such as `\u0041` with any number of backslashes.
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
    fn name_characters_are_decoded_however_they_are_escaped() {
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
            // Other text is kept.
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

//! Bytes as hexadecimal text.

/// Returns bytes in lower-case hexadecimal.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Returns the bytes of a hexadecimal text, in either case; `None` for other text.
#[must_use]
pub fn unhexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    let byte = |pair: &[u8]| u8::try_from(value(pair[0])? << 4 | value(pair[1])?).ok();
    digits.chunks_exact(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_text_is_read_in_either_case_and_nothing_else_is() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("00ffA0", Some(vec![0, 255, 160])),
            ("0", None),
            ("0g", None),
            ("+1", None),
            ("é0", None),
        ] {
            assert_eq!(unhexadecimal(text), expected, "{text}");
        }
        assert_eq!(hexadecimal(&[0, 255, 160]), "00ffa0");
    }
}

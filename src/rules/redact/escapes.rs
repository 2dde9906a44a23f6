//! Reads escaped characters: percent-encoded, once or more, or JSON escapes with any number of backslashes.

/// Whether a text ends in `%`, which may be encoded.
pub(super) fn ends_in_percent(text: &[u8]) -> bool {
    without_percent(text).is_some()
}

/// Returns the text before a final `%`, which may be encoded.
fn without_percent(mut text: &[u8]) -> Option<&[u8]> {
    while let Some(shorter) = text.strip_suffix(b"25") {
        text = shorter;
    }
    text.strip_suffix(b"%")
}

/// Counts the percent-encoded backslashes at the end of a text.
pub(super) fn encoded_backslashes_before(mut text: &[u8]) -> usize {
    let mut count = 0;
    while let Some(before) =
        text.strip_suffix(b"5C").or_else(|| text.strip_suffix(b"5c")).and_then(without_percent)
    {
        text = before;
        count += 1;
    }
    count
}

/// A percent-encoded byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct PercentEscape {
    pub(super) code: u8,
    pub(super) width: usize,
    /// 1 for `%3D`, 2 for `%253D`.
    pub(super) level: usize,
}

/// Reads the percent-encoded byte at the start of a text.
pub(super) fn percent_escape(text: &[u8]) -> Option<PercentEscape> {
    let encoded = text.strip_prefix(b"%")?;
    let percents = encoded.chunks_exact(2).take_while(|pair| *pair == b"25").count();
    let code = hexadecimal(encoded.get(2 * percents..2 * percents + 2)?)?;
    Some(PercentEscape { code: u8::try_from(code).ok()?, width: 3 + 2 * percents, level: 1 + percents })
}

/// Returns the code of an escape such as `\u003d`, with any number of backslashes, and its width.
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

/// Counts the backslashes at the start of a text.
pub(super) fn backslashes_at(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == b'\\').count()
}

//! Short bounds of long texts for statistics and page indexes, as the crate `parquet` writes them.

use std::borrow::Cow;

/// Longer bounds are cut.
const MAX_BYTES: usize = 64;

/// Returns a text that is not greater, and short.
pub(super) fn lower(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_BYTES)]
}

/// Returns a text that is not less, and short if possible: a cut text whose last character is replaced with the next one.
pub(super) fn upper(text: &str) -> Cow<'_, str> {
    let cut = lower(text);
    if cut.len() == text.len() {
        Cow::Borrowed(text)
    } else {
        next(cut).map_or(Cow::Borrowed(text), Cow::Owned)
    }
}

/// Returns a text that is greater than all texts that begin with `text`, and not longer; `None` if no such text exists.
fn next(text: &str) -> Option<String> {
    text.char_indices().rev().find_map(|(at, last)| {
        let next = char::from_u32(u32::from(last) + 1)?;
        (next.len_utf8() == last.len_utf8()).then(|| text[..at].to_owned() + next.encode_utf8(&mut [0; 4]))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_upper_bound_is_cut_and_raised() {
        let a = |count: usize| "a".repeat(count);
        for (text, expected) in [
            (a(64), a(64)),
            (a(65), a(63) + "b"),
            (a(63) + "\u{7f}z", a(62) + "b"),
            ("\u{7f}".repeat(65), "\u{7f}".repeat(65)),
            (a(63) + "한", a(62) + "b"),
            (a(61) + "한한", a(61) + "핝"),
        ] {
            assert_eq!(upper(&text), expected);
        }
    }

    proptest! {
        #[test]
        fn bounds_enclose_their_text(text in "([a-z]|\\PC|\u{7f}|\u{d7ff}|\u{10ffff}){0,90}") {
            prop_assert!(lower(&text) <= text.as_str() && *text <= *upper(&text));
            prop_assert!(lower(&text).len() <= MAX_BYTES);
        }
    }
}

//! Typed values from the JSON text of a record.

use std::borrow::Cow;

use crate::json::{Walker, text};

/// Reads a boolean. AWS writes both `true` and `"true"`.
pub(in crate::dataset) fn boolean(written: &str) -> Option<bool> {
    match text(written).as_ref() {
        "true" | "True" => Some(true),
        "false" | "False" => Some(false),
        _ => None,
    }
}

/// Reads a whole number: `12`, `"12"`, `12.0`.
pub(in crate::dataset) fn integer(written: &str) -> Option<i64> {
    let text = text(written);
    let without_fraction = || {
        let (whole, zeros) = text.split_once('.')?;
        let is_whole = !zeros.is_empty() && zeros.bytes().all(|digit| digit == b'0');
        is_whole.then(|| whole.parse().ok())?
    };
    text.parse().ok().or_else(without_fraction)
}

/// Reads a finite number: `0.5`, `"0.5"`, `5e-1`.
pub(in crate::dataset) fn double(written: &str) -> Option<f64> {
    text(written).parse().ok().filter(|value: &f64| value.is_finite())
}

/// Reads a list of texts and nulls.
pub(in crate::dataset) fn texts(written: &str) -> Option<Vec<Option<Cow<'_, str>>>> {
    let mut walker = Walker::new(written, 0);
    let (mut texts, mut first) = (Vec::new(), true);
    walker.take(b'[', "a list").ok()?;
    while walker.next_element(b']', first).ok()? {
        first = false;
        texts.push(match walker.value(0).ok()? {
            "null" => None,
            element => Some(element).filter(|element| element.starts_with('"')).map(text).map(Some)?,
        });
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_an_unusual_form_are_read_if_their_meaning_is_clear() {
        assert_eq!(boolean("true"), Some(true));
        assert_eq!(boolean("\"false\""), Some(false));
        assert_eq!(boolean("1"), None);
        for (written, expected) in [
            ("12", Some(12)),
            ("\"12\"", Some(12)),
            ("1200.0", Some(1200)),
            ("0.00", Some(0)),
            ("\"12.\"", None),
            ("\".0\"", None),
            ("-7", Some(-7)),
            ("1.5", None),
            ("1e3", None),
            ("100", Some(100)),
            ("[]", None),
        ] {
            assert_eq!(integer(written), expected, "{written}");
        }
        for (written, expected) in [
            ("0.25", Some(0.25)),
            ("\"7\"", Some(7.0)),
            ("-5e-1", Some(-0.5)),
            ("1e999", None),
            ("NaN", None),
            ("{}", None),
        ] {
            assert_eq!(double(written), expected, "{written}");
        }
    }

    #[test]
    fn lists_of_texts_are_read_and_other_lists_are_not() {
        let list = |texts: &[Option<&'static str>]| {
            Some(texts.iter().map(|text| text.map(Cow::Borrowed)).collect::<Vec<_>>())
        };
        assert_eq!(texts(r#"[ "a", null,"\u0062" ]"#), list(&[Some("a"), None, Some("b")]));
        assert_eq!(texts("[]"), list(&[]));
        for written in ["[1]", r#"["a",{}]"#, r#""a""#, "{}", "null"] {
            assert_eq!(texts(written), None, "{written}");
        }
    }
}

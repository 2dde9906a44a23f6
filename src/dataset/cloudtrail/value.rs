//! Values of a record as they are written, and what they mean.

use std::borrow::Cow;

use crate::json::{inner, unescape};

/// The text of a written value: of a string what it stands for, of anything else its JSON.
pub(super) fn text(written: &str) -> Cow<'_, str> {
    if written.starts_with('"') { unescape(inner(written)) } else { Cow::Borrowed(written) }
}

/// `true`, `"true"` and their opposites: CloudTrail writes both forms.
pub(super) fn boolean(written: &str) -> Option<bool> {
    match text(written).as_ref() {
        "true" | "True" => Some(true),
        "false" | "False" => Some(false),
        _ => None,
    }
}

/// A whole number: `12`, `"12"`, `12.0`.
pub(super) fn integer(written: &str) -> Option<i64> {
    let text = text(written);
    text.parse().ok().or_else(|| text.trim_end_matches('0').strip_suffix('.')?.parse().ok())
}

/// A finite number: `0.5`, `"0.5"`, `5e-1`.
pub(super) fn double(written: &str) -> Option<f64> {
    text(written).parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_an_unusual_type_are_read_where_their_meaning_is_plain() {
        assert_eq!(boolean("true"), Some(true));
        assert_eq!(boolean("\"false\""), Some(false));
        assert_eq!(boolean("1"), None);
        for (written, expected) in [
            ("12", Some(12)),
            ("\"12\"", Some(12)),
            ("1200.0", Some(1200)),
            ("0.00", Some(0)),
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
        assert_eq!(text("{\"a\":1}"), "{\"a\":1}");
    }
}

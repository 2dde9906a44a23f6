//! Texts in English and Korean. The page contains both, and the reader chooses.

use crate::html::escape;

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Korean.
    pub ko: &'static str,
}

impl Text {
    /// Creates a text in both languages.
    #[must_use]
    pub const fn new(en: &'static str, ko: &'static str) -> Self {
        Self { en, ko }
    }

    /// Returns the text in both languages. The page shows one and hides the other.
    pub(super) fn both(self) -> String {
        both(self.en, self.ko)
    }
}

/// Returns a text in both languages. The page shows one and hides the other.
pub(super) fn both(en: &str, ko: &str) -> String {
    if en == ko {
        return escape(en);
    }
    format!(r#"<span lang="en">{}</span><span lang="ko">{}</span>"#, escape(en), escape(ko))
}

/// The language that a page shows first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// Returns its BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }
}

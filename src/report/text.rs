//! Texts in English and Korean. The page has both, and its reader chooses.

use super::html::escape;

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Korean.
    pub ko: &'static str,
}

impl Text {
    /// A text in both languages.
    #[must_use]
    pub const fn new(en: &'static str, ko: &'static str) -> Self {
        Self { en, ko }
    }

    /// Both, of which the page shows one.
    pub(super) fn both(self) -> String {
        if self.en == self.ko {
            return escape(self.en);
        }
        format!(r#"<span lang="en">{}</span><span lang="ko">{}</span>"#, escape(self.en), escape(self.ko))
    }
}

/// The language that a page opens in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// Its name in BCP 47.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }
}

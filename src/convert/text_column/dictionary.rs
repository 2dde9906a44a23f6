//! The distinct texts of a row group, in the form of a dictionary page.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Texts with a key each, in order of first appearance.
pub(super) struct TextDictionary {
    /// Each text after its length.
    page: Vec<u8>,
    /// The end of each text in the page.
    ends: Vec<usize>,
    /// Hash and key of each text.
    table: HashTable<(u64, u32)>,
    hasher: DefaultHashBuilder,
    max_bytes: usize,
}

/// Size of the length before a text.
pub(super) const LENGTH: usize = size_of::<u32>();

impl TextDictionary {
    /// Creates an empty dictionary for a page of up to `max_bytes`.
    pub(super) fn new(max_bytes: usize) -> Self {
        let (page, ends, table) = (Vec::new(), Vec::new(), HashTable::new());
        Self { page, ends, table, hasher: DefaultHashBuilder::default(), max_bytes }
    }

    /// Returns the key of a text, which may be new; `None` if a new text does not fit.
    pub(super) fn key_of(&mut self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        let same = |(known, key): &(u64, u32)| *known == hash && self.bytes_of(*key) == text.as_bytes();
        if let Some((_, key)) = self.table.find(hash, same) {
            return Some(*key);
        }
        let key = u32::try_from(self.ends.len()).ok()?;
        if self.page.len() + LENGTH + text.len() > self.max_bytes {
            return None;
        }
        put_text(text, &mut self.page);
        self.ends.push(self.page.len());
        self.table.insert_unique(hash, (hash, key), |(hash, _)| *hash);
        Some(key)
    }

    /// Number of texts.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the text of a key.
    pub(super) fn text_of(&self, key: u32) -> &str {
        std::str::from_utf8(self.bytes_of(key)).expect("texts are stored whole")
    }

    /// Returns the bytes of the text of a key.
    pub(super) fn bytes_of(&self, key: u32) -> &[u8] {
        let key = key as usize;
        let start = if key == 0 { 0 } else { self.ends[key - 1] };
        &self.page[start + LENGTH..self.ends[key]]
    }

    /// Returns the bytes of all texts, in the order of their keys.
    pub(super) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        (0..).take(self.len()).map(|key| self.bytes_of(key))
    }

    /// The page: each text after its length.
    pub(super) fn page(&self) -> &[u8] {
        &self.page
    }
}

/// Appends a text after its length.
pub(super) fn put_text(text: &str, page: &mut Vec<u8>) {
    let length = u32::try_from(text.len()).expect("a text is a part of a row, which is limited");
    page.reserve(LENGTH + text.len());
    page.extend_from_slice(&length.to_le_bytes());
    page.extend_from_slice(text.as_bytes());
}

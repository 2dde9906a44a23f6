//! A data page that is being filled, with keys or with texts.

use super::dictionary::{LENGTH, TextDictionary, put_text};
use super::hybrid;

/// The cell of a row without text.
const NULL: u32 = u32::MAX;

/// The cells of a page. A page holds either keys or texts.
#[derive(Default)]
pub(super) struct Page {
    /// One cell for each row: a key, [`NULL`], or 0 for a text.
    cells: Vec<u32>,
    nulls: usize,
    /// The texts of a page without keys, each after its length.
    texts: Vec<u8>,
    /// The least and the greatest of these texts.
    bounds: Option<[String; 2]>,
    /// Number of each page on which a key was last seen, from 1.
    seen: Vec<u32>,
    number: u32,
}

/// The content of a page, and the facts about it for statistics and indexes.
pub(super) struct PageContent {
    pub(super) bytes: Vec<u8>,
    pub(super) facts: PageFacts,
}

/// What statistics and indexes tell about a page.
pub(super) struct PageFacts {
    pub(super) rows: usize,
    pub(super) nulls: usize,
    /// The bytes of all texts, without lengths.
    pub(super) text_bytes: usize,
    /// The least and the greatest text.
    pub(super) bounds: Option<[String; 2]>,
}

impl Page {
    pub(super) fn rows(&self) -> usize {
        self.cells.len()
    }

    /// Number of bytes of texts, with their lengths.
    pub(super) fn bytes(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn push_nulls(&mut self, count: usize) {
        self.cells.resize(self.cells.len() + count, NULL);
        self.nulls += count;
    }

    pub(super) fn push_key(&mut self, key: u32) {
        self.cells.push(key);
    }

    pub(super) fn push_text(&mut self, text: &str) {
        self.cells.push(0);
        put_text(text, &mut self.texts);
        match &mut self.bounds {
            Some([least, _]) if text < least.as_str() => text.clone_into(least),
            Some([_, greatest]) if text > greatest.as_str() => text.clone_into(greatest),
            Some(_) => {}
            None => self.bounds = Some([text.to_owned(), text.to_owned()]),
        }
    }

    /// Takes the content of a page with keys of a dictionary.
    pub(super) fn take_keys(&mut self, dictionary: &TextDictionary) -> PageContent {
        let (mut bytes, rows, nulls) = (self.levels(), self.cells.len(), std::mem::take(&mut self.nulls));
        if nulls > 0 {
            self.cells.retain(|cell| *cell != NULL);
        }
        let width = hybrid::width_of(dictionary.len().saturating_sub(1));
        bytes.push(width);
        hybrid::put(&self.cells, width, &mut bytes);
        let (text_bytes, bounds) = self.measured(dictionary);
        self.cells.clear();
        PageContent { bytes, facts: PageFacts { rows, nulls, text_bytes, bounds } }
    }

    /// Takes the content of a page with texts.
    pub(super) fn take_texts(&mut self) -> PageContent {
        let (mut bytes, rows, nulls) = (self.levels(), self.cells.len(), std::mem::take(&mut self.nulls));
        let text_bytes = self.texts.len() - (rows - nulls) * LENGTH;
        bytes.append(&mut self.texts);
        self.cells.clear();
        PageContent { bytes, facts: PageFacts { rows, nulls, text_bytes, bounds: self.bounds.take() } }
    }

    /// Returns the definition levels after their length: 1 for a text, 0 for a null.
    fn levels(&self) -> Vec<u8> {
        const WIDTH: u8 = 1;
        let mut page = vec![0; size_of::<u32>()];
        if self.nulls == 0 {
            hybrid::put_repeated(1, self.cells.len(), WIDTH, &mut page);
        } else {
            let levels: Vec<u32> = self.cells.iter().map(|cell| u32::from(*cell != NULL)).collect();
            hybrid::put(&levels, WIDTH, &mut page);
        }
        let bytes = u32::try_from(page.len() - size_of::<u32>()).expect("a page has few rows");
        page[..size_of::<u32>()].copy_from_slice(&bytes.to_le_bytes());
        page
    }

    /// Returns the bytes of all texts, and the least and the greatest. Compares each text once.
    fn measured(&mut self, dictionary: &TextDictionary) -> (usize, Option<[String; 2]>) {
        self.number += 1;
        self.seen.resize(dictionary.len(), 0);
        let (mut bytes, mut bounds) = (0, None);
        for run in self.cells.chunk_by(|a, b| a == b) {
            let key = run[0];
            let text = dictionary.bytes_of(key);
            bytes += run.len() * text.len();
            if std::mem::replace(&mut self.seen[key as usize], self.number) != self.number {
                let [least, greatest] = bounds.unwrap_or([key, key]);
                bounds = Some([
                    if text < dictionary.bytes_of(least) { key } else { least },
                    if text > dictionary.bytes_of(greatest) { key } else { greatest },
                ]);
            }
        }
        (bytes, bounds.map(|bounds| bounds.map(|key| dictionary.text_of(key).to_owned())))
    }
}

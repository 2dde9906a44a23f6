//! Writes a text column of a row group to Parquet pages.
//!
//! The texts of a run have keys already. Each distinct text of a run is looked up once in the dictionary of the row group;
//! for its other rows, only keys are copied. Statistics and bloom filter also look at each distinct text once. If the
//! dictionary is full, the rest of the column is written as texts, straight from the rows. The pages, statistics and
//! indexes have the form that the crate `parquet` gives them.

mod bounds;
mod chunk;
mod dictionary;
mod hybrid;
mod page;
mod source;
#[cfg(test)]
mod tests;

pub(super) use chunk::EncodedTexts;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use parquet::bloom_filter::Sbbf;
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnDescPtr;

use self::chunk::TextChunk;
use self::dictionary::TextDictionary;
use self::page::Page;
use self::source::{KnownKeys, Source, UNKNOWN};

/// A text column of a row group that is being written.
pub(super) struct TextColumn {
    /// The distinct texts, unless the column began without a dictionary.
    dictionary: Option<TextDictionary>,
    /// Whether texts are still added as keys.
    is_keyed: bool,
    known: KnownKeys,
    /// The bloom filter, and the share of false positives that it may have.
    filter: Option<(Sbbf, f64)>,
    page: Page,
    max_page_rows: usize,
    max_page_bytes: usize,
    chunk: TextChunk,
}

impl TextColumn {
    /// Creates a column with the dictionary, bloom filter, compression and page sizes that the properties give it.
    pub(super) fn new(column: &ColumnDescPtr, properties: &WriterProperties) -> Result<Self> {
        let path = column.path();
        let filter = match properties.bloom_filter_properties(path) {
            Some(filter) => Some((Sbbf::new_with_ndv_fpp(filter.ndv(), filter.fpp())?, filter.fpp())),
            None => None,
        };
        let has_dictionary = properties.dictionary_enabled(path);
        Ok(Self {
            dictionary: has_dictionary
                .then(|| TextDictionary::new(properties.column_dictionary_page_size_limit(path))),
            is_keyed: has_dictionary,
            known: KnownKeys::default(),
            filter,
            page: Page::default(),
            max_page_rows: properties.data_page_row_count_limit(),
            max_page_bytes: properties.column_data_page_size_limit(path),
            chunk: TextChunk::new(column.clone(), properties.compression(path))?,
        })
    }

    /// Adds the rows of a chunk, each by its array among `cells` and its place in it.
    pub(super) fn write(&mut self, cells: &[&ArrayRef], picks: &[(usize, usize)]) -> Result<()> {
        if cells.iter().all(|cells| *cells.data_type() == DataType::Null) {
            self.page.push_nulls(picks.len());
            return self.end_page_after_rows();
        }
        let mut known = std::mem::take(&mut self.known);
        let sources: Vec<Source<'_>> = cells.iter().map(|cells| known.source(cells)).collect();
        for &(source, row) in picks {
            match &sources[source] {
                Source::Dictionary { keys, texts, place } if keys.is_valid(row) => {
                    let key = keys.value(row) as usize;
                    self.push_known(known.key(*place, key), || texts.value(key))?;
                }
                Source::Plain(texts) if texts.is_valid(row) => {
                    self.push(texts.value(row))?;
                }
                _ => self.page.push_nulls(1),
            }
        }
        self.known = known;
        self.end_page_after_rows()
    }

    /// Adds rows by the numbers of their texts in a list, which is the same in all calls.
    pub(super) fn write_listed(&mut self, list: &[&str], rows: impl Iterator<Item = u32>) -> Result<()> {
        let mut known = std::mem::take(&mut self.known);
        let keys = known.of_list(list.len());
        for row in rows {
            self.push_known(&mut keys[row as usize], || list[row as usize])?;
        }
        self.known = known;
        self.end_page_after_rows()
    }

    /// Adds a text that has the key `known` in the dictionary, or gets one now.
    fn push_known<'t>(&mut self, known: &mut u32, text: impl FnOnce() -> &'t str) -> Result<()> {
        if self.is_keyed && *known != UNKNOWN {
            self.page.push_key(*known);
        } else if let Some(key) = self.push(text())? {
            *known = key;
        }
        Ok(())
    }

    /// Adds a text; returns its key, if it has one.
    fn push(&mut self, text: &str) -> Result<Option<u32>> {
        if self.is_keyed {
            if let Some(key) = self.dictionary.as_mut().and_then(|dictionary| dictionary.key_of(text)) {
                self.page.push_key(key);
                return Ok(Some(key));
            }
            self.end_page()?;
            self.is_keyed = false;
        }
        if let Some((filter, _)) = &mut self.filter {
            filter.insert(text);
        }
        self.page.push_text(text);
        if self.page.bytes() >= self.max_page_bytes {
            self.end_page()?;
        }
        Ok(None)
    }

    /// Ends a page that has enough rows. It has whole calls of `write`, so that the pages of most columns end together.
    fn end_page_after_rows(&mut self) -> Result<()> {
        if self.page.rows() >= self.max_page_rows { self.end_page() } else { Ok(()) }
    }

    fn end_page(&mut self) -> Result<()> {
        if self.page.rows() == 0 {
            return Ok(());
        }
        match &self.dictionary {
            Some(dictionary) if self.is_keyed => self.chunk.add_keys(self.page.take_keys(dictionary)),
            _ => self.chunk.add_texts(self.page.take_texts()),
        }
    }

    /// Estimates the size of the column so far.
    pub(super) fn encoded_bytes(&self) -> usize {
        let dictionary = self.dictionary.as_ref().map_or(0, |dictionary| dictionary.page().len());
        self.chunk.bytes() + dictionary + self.page.bytes() + self.page.rows()
    }

    /// Completes the column.
    pub(super) fn close(mut self) -> Result<EncodedTexts> {
        self.end_page()?;
        let filter = self.filter.map(|(mut filter, max_false_positives)| {
            for text in self.dictionary.iter().flat_map(TextDictionary::texts) {
                filter.insert(text);
            }
            filter.fold_to_target_fpp(max_false_positives);
            filter
        });
        self.chunk.close(self.dictionary.as_ref(), filter)
    }
}

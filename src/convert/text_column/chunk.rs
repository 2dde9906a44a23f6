//! The finished pages of a text column, and their statistics and indexes.

use std::io::Write;

use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Compression, Encoding, EncodingMask, PageType, Type};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, LevelHistogram, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::bounds::{lower, upper};
use super::dictionary::TextDictionary;
use super::page::{PageContent, PageFacts};

/// The finished pages of a column of a row group.
pub(super) struct TextChunk {
    column: ColumnDescPtr,
    compression: Compression,
    compressor: Compressor<'static>,
    pages: TrackedWrite<Vec<u8>>,
    written: Vec<(PageFacts, PageWriteSpec)>,
    /// Number of pages with keys. They precede those with texts.
    keyed: usize,
}

/// A column of a row group in the form in which a file takes it.
pub(in crate::convert) struct EncodedTexts {
    pub(in crate::convert) pages: Bytes,
    pub(in crate::convert) close: ColumnCloseResult,
}

impl TextChunk {
    pub(super) fn new(column: ColumnDescPtr, compression: Compression) -> Result<Self> {
        let Compression::ZSTD(level) = compression else {
            return Err(ParquetError::NYI("texts with another compression than zstd".to_owned()));
        };
        let compressor = Compressor::new(level.compression_level())?;
        let pages = TrackedWrite::new(Vec::new());
        Ok(Self { column, compression, compressor, pages, written: Vec::new(), keyed: 0 })
    }

    /// Size of the pages so far.
    pub(super) fn bytes(&self) -> usize {
        self.pages.bytes_written()
    }

    /// Adds a page with keys.
    pub(super) fn add_keys(&mut self, content: PageContent) -> Result<()> {
        self.keyed += 1;
        self.add(content, Encoding::RLE_DICTIONARY)
    }

    /// Adds a page with texts, after which no page with keys follows.
    pub(super) fn add_texts(&mut self, content: PageContent) -> Result<()> {
        self.add(content, Encoding::PLAIN)
    }

    fn add(&mut self, PageContent { bytes, facts }: PageContent, encoding: Encoding) -> Result<()> {
        let page = Page::DataPage {
            buf: self.compressor.compress(&bytes)?.into(),
            num_values: small(facts.rows)?,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let page = CompressedPage::new(page, bytes.len());
        let spec = SerializedPageWriter::new(&mut self.pages).write_page(page)?;
        self.written.push((facts, spec));
        Ok(())
    }

    /// Completes the column. `dictionary` has the texts of the keys.
    pub(super) fn close(
        mut self,
        dictionary: Option<&TextDictionary>,
        bloom_filter: Option<Sbbf>,
    ) -> Result<EncodedTexts> {
        let dictionary = dictionary.filter(|_| self.keyed > 0);
        let mut pages = TrackedWrite::new(Vec::with_capacity(self.bytes()));
        let spec = dictionary.map(|texts| self.write_dictionary(texts, &mut pages)).transpose()?;
        let metadata = self.metadata(spec.as_ref())?;
        let (column_index, offset_index) = (self.column_index()?, self.offset_index(spec.as_ref())?);
        pages.write_all(&self.pages.into_inner()?)?;
        let pages = Bytes::from(pages.into_inner()?);
        let close = ColumnCloseResult {
            bytes_written: pages.len() as u64,
            rows_written: self.written.iter().map(|(facts, _)| facts.rows as u64).sum(),
            metadata,
            bloom_filter,
            column_index: Some(column_index),
            offset_index: Some(offset_index),
        };
        Ok(EncodedTexts { pages, close })
    }

    fn write_dictionary(
        &mut self,
        texts: &TextDictionary,
        pages: &mut TrackedWrite<Vec<u8>>,
    ) -> Result<PageWriteSpec> {
        let page = Page::DictionaryPage {
            buf: self.compressor.compress(texts.page())?.into(),
            num_values: small(texts.len())?,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        SerializedPageWriter::new(pages).write_page(CompressedPage::new(page, texts.page().len()))
    }

    fn metadata(&self, dictionary: Option<&PageWriteSpec>) -> Result<ColumnChunkMetaData> {
        let specs = || dictionary.into_iter().chain(self.written.iter().map(|(_, spec)| spec));
        let sum = |of: fn(&PageFacts) -> usize| large(self.written.iter().map(|(facts, _)| of(facts)).sum());
        let (rows, nulls) = (sum(|facts| facts.rows)?, sum(|facts| facts.nulls)?);
        let texted = self.written.len() - self.keyed;
        let stats = [
            (PageType::DICTIONARY_PAGE, Encoding::PLAIN, usize::from(dictionary.is_some())),
            (PageType::DATA_PAGE, Encoding::RLE_DICTIONARY, self.keyed),
            (PageType::DATA_PAGE, Encoding::PLAIN, texted),
        ];
        let stats = stats.into_iter().filter(|(.., count)| *count > 0);
        let stats: Vec<PageEncodingStats> = stats
            .map(|(page_type, encoding, count)| {
                Ok(PageEncodingStats { page_type, encoding, count: small(count)? })
            })
            .collect::<Result<_>>()?;
        let encodings = stats.iter().map(|stats| &stats.encoding).chain([&Encoding::RLE]);
        ColumnChunkMetaData::builder(self.column.clone())
            .set_compression(self.compression)
            .set_encodings_mask(EncodingMask::new_from_encodings(encodings))
            .set_page_encoding_stats(stats.clone())
            .set_total_compressed_size(large(specs().map(|spec| spec.compressed_size).sum())?)
            .set_total_uncompressed_size(large(specs().map(|spec| spec.uncompressed_size).sum())?)
            .set_num_values(rows)
            .set_data_page_offset(large(dictionary.map_or(0, |spec| spec.compressed_size))?)
            .set_dictionary_page_offset(dictionary.map(|_| 0))
            .set_statistics(self.statistics(nulls.unsigned_abs()))
            .set_unencoded_byte_array_data_bytes(Some(sum(|facts| facts.text_bytes)?))
            .set_definition_level_histogram(Some(LevelHistogram::from(vec![nulls, rows - nulls])))
            .build()
    }

    fn statistics(&self, nulls: u64) -> Statistics {
        let bounds = || self.written.iter().filter_map(|(facts, _)| facts.bounds.as_ref());
        let least = bounds().map(|[least, _]| least.as_str()).min();
        let greatest = bounds().map(|[_, greatest]| greatest.as_str()).max();
        let (min, max) = (least.map(lower), greatest.map(upper));
        let is_exact = [min == least, max.as_deref() == greatest];
        let bound = |text: &str| ByteArray::from(text);
        let (min, max) = (min.map(bound), max.as_deref().map(bound));
        Statistics::ByteArray(
            ValueStatistics::new(min, max, None, Some(nulls), false)
                .with_min_is_exact(least.is_some() && is_exact[0])
                .with_max_is_exact(greatest.is_some() && is_exact[1]),
        )
    }

    fn column_index(&self) -> Result<ColumnIndexMetaData> {
        let mut index = ColumnIndexBuilder::new(Type::BYTE_ARRAY);
        for (PageFacts { rows, nulls, bounds, .. }, _) in &self.written {
            let (min, max) = bounds.as_ref().map_or_else(Default::default, |[least, greatest]| {
                (lower(least).into(), upper(greatest).into_owned().into_bytes())
            });
            let (nulls, texts) = (large(*nulls)?, large(rows - nulls)?);
            index.append(bounds.is_none(), min, max, nulls);
            index.append_histograms(&None, &Some(LevelHistogram::from(vec![nulls, texts])));
        }
        index.set_boundary_order(self.boundary_order());
        index.build()
    }

    fn boundary_order(&self) -> BoundaryOrder {
        let bounds: Vec<&[String; 2]> =
            self.written.iter().filter_map(|(facts, _)| facts.bounds.as_ref()).collect();
        let in_order = |follows: fn(&String, &String) -> bool| {
            bounds.windows(2).all(|pair| (0..2).all(|bound| follows(&pair[0][bound], &pair[1][bound])))
        };
        if in_order(String::le) {
            BoundaryOrder::ASCENDING
        } else if in_order(String::ge) {
            BoundaryOrder::DESCENDING
        } else {
            BoundaryOrder::UNORDERED
        }
    }

    fn offset_index(&self, dictionary: Option<&PageWriteSpec>) -> Result<OffsetIndexMetaData> {
        let mut index = OffsetIndexBuilder::new();
        let mut offset = dictionary.map_or(0, |spec| spec.compressed_size);
        for (facts, spec) in &self.written {
            index.append_row_count(large(facts.rows)?);
            index.append_unencoded_byte_array_data_bytes(Some(large(facts.text_bytes)?));
            index.append_offset_and_size(large(offset)?, small(spec.compressed_size)?);
            offset += spec.compressed_size;
        }
        Ok(index.build())
    }
}

/// Returns a number in the width in which Parquet stores it.
fn small<T: TryFrom<usize>>(number: usize) -> Result<T> {
    T::try_from(number).map_err(|_| ParquetError::General("a page is too large".to_owned()))
}

fn large(number: usize) -> Result<i64> {
    small(number)
}

//! The writer of texts against that of the crate `parquet`, and a full dictionary.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, DictionaryArray, NullArray, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, UInt32Type};
use bytes::Bytes;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use proptest::prelude::*;

use super::*;

/// Rows of a page.
const PAGE_ROWS: usize = 8;

/// Properties with small pages.
fn properties(dictionary_bytes: usize, page_bytes: usize, has_dictionary: bool) -> Arc<WriterProperties> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_data_page_size_limit(page_bytes)
        .set_dictionary_page_size_limit(dictionary_bytes)
        .set_dictionary_enabled(has_dictionary)
        .set_bloom_filter_enabled(true)
        .set_bloom_filter_max_ndv(1000);
    Arc::new(properties.build())
}

/// A file with one row group of one text column.
fn file(
    properties: &Arc<WriterProperties>,
    write: impl FnOnce(&mut SerializedFileWriter<Vec<u8>>, &Arc<Schema>),
) -> Bytes {
    let schema = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, true)]));
    let root = ArrowSchemaConverter::new().convert(&schema).unwrap().root_schema_ptr();
    let mut file = SerializedFileWriter::new(Vec::new(), root, Arc::clone(properties)).unwrap();
    write(&mut file, &schema);
    file.into_inner().unwrap().into()
}

fn ours(properties: &Arc<WriterProperties>, fill: impl FnOnce(&mut TextColumn)) -> Bytes {
    file(properties, |file, _| {
        let mut column = TextColumn::new(&file.schema_descr().column(0), properties).unwrap();
        fill(&mut column);
        let texts = column.close().unwrap();
        let mut group = file.next_row_group().unwrap();
        group.append_column(&texts.pages, texts.close).unwrap();
        group.close().unwrap();
    })
}

/// The slow twin: the writer of the crate `parquet`, which looks up the text of each row.
fn theirs(properties: &Arc<WriterProperties>, rows: &[Option<String>]) -> Bytes {
    file(properties, |file, schema| {
        let texts: ArrayRef = Arc::new(rows.iter().cloned().collect::<StringArray>());
        let factory = ArrowRowGroupWriterFactory::new(file, Arc::clone(schema));
        let mut writer = factory.create_column_writers(0).unwrap().pop().unwrap();
        let leaves = compute_leaves(schema.field(0), &texts).unwrap();
        for leaf in &leaves {
            writer.write(leaf).unwrap();
        }
        let mut group = file.next_row_group().unwrap();
        writer.close().unwrap().append_to_row_group(&mut group).unwrap();
        group.close().unwrap();
    })
}

/// Distributes rows to blocks of each form: plain texts, two dictionaries, and nulls.
fn blocks(rows: &[(Option<String>, usize)]) -> (Vec<ArrayRef>, Vec<(usize, usize)>) {
    let mut texts: [Vec<Option<&str>>; 4] = Default::default();
    let mut picks = Vec::new();
    for (text, block) in rows {
        let block = if text.is_none() { *block } else { block % 3 };
        picks.push((block, texts[block].len()));
        texts[block].push(text.as_deref());
    }
    let dictionary = |texts: &[Option<&str>]| {
        // A dictionary may hold equal texts, after masks.
        let values: StringArray = texts.iter().map(|text| Some(text.unwrap_or("?"))).collect();
        let keys: UInt32Array = (0..).zip(texts).map(|(key, text)| text.map(|_| key)).collect();
        Arc::new(DictionaryArray::<UInt32Type>::new(keys, Arc::new(values))) as ArrayRef
    };
    let plain: ArrayRef = Arc::new(texts[2].iter().copied().collect::<StringArray>());
    let nulls: ArrayRef = Arc::new(NullArray::new(texts[3].len()));
    (vec![dictionary(&texts[0]), dictionary(&texts[1]), plain, nulls], picks)
}

fn filled(properties: &Arc<WriterProperties>, rows: &[(Option<String>, usize)]) -> Bytes {
    let (blocks, picks) = blocks(rows);
    ours(properties, |column| {
        for picks in picks.chunks(PAGE_ROWS) {
            // As in a chunk, only the blocks of its rows: a column of nulls alone has a shorter way.
            let is_used = |block: &usize| picks.iter().any(|(of, _)| of == block);
            let used: Vec<usize> = (0..blocks.len()).filter(is_used).collect();
            let place = |block: usize| used.iter().position(|of| *of == block).unwrap();
            let cells: Vec<&ArrayRef> = used.iter().map(|block| &blocks[*block]).collect();
            let picks: Vec<_> = picks.iter().map(|&(block, row)| (place(block), row)).collect();
            column.write(&cells, &picks).unwrap();
        }
    })
}

fn read(file: Bytes) -> Vec<Option<String>> {
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in batches {
        let batch = batch.unwrap();
        rows.extend(batch.column(0).as_string::<i32>().iter().map(|text| text.map(str::to_owned)));
    }
    rows
}

fn rows() -> impl Strategy<Value = Vec<(Option<String>, usize)>> {
    let text = prop_oneof![4 => "[a-c]{0,2}", 1 => "[ab가\u{7f}]{60,70}"];
    let cell = prop_oneof![
        4 => (prop::option::weighted(0.8, text), 1_usize..9),
        1 => (Just(None), 1_usize..20),
    ];
    prop::collection::vec((cell, 0_usize..4), 1..40).prop_map(|runs| {
        let repeated = |((text, count), block)| std::iter::repeat_n((text, block), count);
        runs.into_iter().flat_map(repeated).collect()
    })
}

proptest! {
    #[test]
    fn pages_and_indexes_equal_those_of_the_crate(
        rows in rows(),
        has_dictionary in any::<bool>(),
    ) {
        let properties = properties(1 << 20, 1 << 20, has_dictionary);
        let texts: Vec<Option<String>> = rows.iter().map(|(text, _)| text.clone()).collect();
        prop_assert_eq!(filled(&properties, &rows), theirs(&properties, &texts));
    }

    #[test]
    fn a_column_that_outgrows_its_dictionary_keeps_its_texts_and_bounds(
        rows in rows(),
        dictionary_bytes in 0_usize..60,
        page_bytes in 1_usize..200,
    ) {
        let properties = properties(dictionary_bytes, page_bytes, true);
        let texts: Vec<Option<String>> = rows.iter().map(|(text, _)| text.clone()).collect();
        let file = filled(&properties, &rows);
        prop_assert_eq!(&read(file.clone()), &texts);

        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let metadata = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).unwrap().metadata().clone();
        let column = metadata.row_group(0).column(0);
        let [nulls, bytes] = [texts.iter().filter(|text| text.is_none()).count(), texts.iter().flatten().map(String::len).sum()];
        prop_assert_eq!(column.statistics().unwrap().null_count_opt(), Some(nulls as u64));
        prop_assert_eq!(column.unencoded_byte_array_data_bytes(), Some(i64::try_from(bytes).unwrap()));
        let starts: Vec<usize> = metadata.offset_index().unwrap()[0][0]
            .page_locations()
            .iter()
            .map(|page| usize::try_from(page.first_row_index).unwrap())
            .collect();
        let ends = starts.iter().skip(1).copied().chain([texts.len()]);
        let index = &metadata.column_index().unwrap()[0][0];
        let parquet::file::page_index::column_index::ColumnIndexMetaData::BYTE_ARRAY(index) = index else {
            panic!("texts are byte arrays")
        };
        for (page, (start, end)) in starts.iter().zip(ends).enumerate() {
            prop_assert!(*start < end && end - start < 2 * PAGE_ROWS);
            for text in texts[*start..end].iter().flatten() {
                prop_assert!(index.min_value(page).unwrap() <= text.as_bytes());
                prop_assert!(index.max_value(page).unwrap() >= text.as_bytes());
            }
        }
    }

    #[test]
    fn listed_texts_are_written_as_others_are(
        list in prop::collection::vec("[a-c]{0,3}", 1..20),
        numbers in prop::collection::vec(any::<prop::sample::Index>(), 1..90),
    ) {
        let properties = properties(50, 1 << 20, true);
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let numbers: Vec<usize> = numbers.iter().map(|number| number.index(list.len())).collect();
        let rows: Vec<_> = numbers.iter().map(|number| (Some(list[*number].to_owned()), 2)).collect();
        let file = ours(&properties, |column| {
            for numbers in numbers.chunks(PAGE_ROWS) {
                let rows = numbers.iter().map(|number| u32::try_from(*number).unwrap());
                column.write_listed(&list, rows).unwrap();
            }
        });
        prop_assert_eq!(file, filled(&properties, &rows));
    }
}

#[test]
fn a_full_dictionary_is_followed_by_texts() {
    let properties = properties(40, 1 << 20, true);
    let rows: Vec<_> = (0..30).map(|number| (Some(format!("{}", number / 3)), 0)).collect();
    let file = filled(&properties, &rows);
    let metadata = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().metadata().clone();
    let encodings: Vec<Encoding> = metadata.row_group(0).column(0).encodings().collect();
    assert_eq!(encodings, [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY]);
}

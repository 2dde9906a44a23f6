//! Column statistics of a published day, from the footers of its part files.
//!
//! Null counts, minimum and maximum values and the total bytes of texts are exact for the day. Footers do not contain the
//! other numbers, so these are estimates:
//!
//! * Distinct values: the number of dictionary entries in the largest row group, if that dictionary holds all its values.
//!   Otherwise the number of values. The estimate never exceeds the number of values, or the number of integers from the
//!   minimum to the maximum. Rows are sorted by some columns, so each row group has other texts in them: for texts, the
//!   entries are multiplied by the number of groups with disjoint bounds.
//! * Longest text: the largest length among the average, the minimum and the maximum text. Footers keep only the beginning
//!   of the minimum and maximum.
//! * True and false: all values are equal if the footer shows it. Otherwise half are true and half are false.

use std::sync::Arc;

use parquet::basic::{Encoding, LogicalType, Repetition, Type as Physical};
use parquet::column::page::Page;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::file::statistics::Statistics;

use super::part_reader::PartReader;
use crate::error::{Error, Result};
use crate::publish::Manifest;
use crate::store::lake::Partition;
use crate::store::{Lake, LakeFile};
use crate::table::ColumnType;

/// The statistics of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnStatistics {
    /// Name of the column.
    pub name: String,
    /// Rows without a value.
    pub nulls: u64,
    /// Distinct values, estimated.
    pub distinct: u64,
    /// Statistics for the type of the values.
    pub values: ValueStatistics,
}

/// Statistics that depend on the type of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueStatistics {
    /// Integers.
    Numbers {
        /// The minimum.
        min: i64,
        /// The maximum.
        max: i64,
        /// The column type, which sets the number of bits.
        column_type: ColumnType,
    },
    /// Floating-point numbers.
    Doubles {
        /// The minimum.
        min: f64,
        /// The maximum.
        max: f64,
    },
    /// Times without a zone, in milliseconds.
    Times {
        /// The earliest time.
        min: i64,
        /// The latest time.
        max: i64,
    },
    /// Texts.
    Texts {
        /// Total bytes of all texts.
        bytes: u64,
        /// Bytes of the longest text, estimated.
        longest: u64,
        /// Number of texts.
        count: u64,
    },
    /// True or false, estimated.
    Flags {
        /// Number of true values.
        trues: u64,
        /// Number of false values.
        falses: u64,
    },
}

/// Reads the footers of a day's part files, and the dictionaries of its largest row group.
///
/// Leaves out lists and columns without values.
pub fn column_statistics(
    lake: &dyn Lake,
    partition: &Partition,
    manifest: &Manifest,
) -> Result<Vec<ColumnStatistics>> {
    let mut parts = Vec::new();
    for part in &manifest.parts {
        let path = format!("{partition}/{}", part.path);
        let unreadable = |cause: ParquetError| {
            Error::unusable("cannot read the footer of the file", cause).with("path", lake.address(&path))
        };
        let Some(file) = lake.open(&path)? else { continue };
        parts.push(open(file).map_err(unreadable)?);
    }
    gather(&parts).map_err(|cause| {
        Error::unusable("cannot read the dictionaries of the day", cause)
            .with("folder", lake.address(&partition.to_string()))
    })
}

type Part = SerializedFileReader<PartReader>;

fn open(file: Box<dyn LakeFile>) -> std::result::Result<Part, ParquetError> {
    SerializedFileReader::new(PartReader::new(Arc::from(file)))
}

fn gather(parts: &[Part]) -> std::result::Result<Vec<ColumnStatistics>, ParquetError> {
    let Some(largest) = largest_row_group(parts) else { return Ok(Vec::new()) };
    let schema = parts[largest.0].metadata().file_metadata().schema_descr_ptr();
    let mut found = Vec::new();
    for place in 0..schema.num_columns() {
        let column = schema.column(place);
        if column.max_rep_level() > 0
            || column.self_type().get_basic_info().repetition() == Repetition::REPEATED
        {
            continue;
        }
        let chunks: Vec<&ColumnChunkMetaData> = row_groups(parts).map(|group| group.column(place)).collect();
        let Some(mut statistics) = merge(&chunks, &column) else { continue };
        let dictionary = dictionary_entries(&parts[largest.0], largest.1, place)?;
        let entries = dictionary.map(|entries| entries.saturating_mul(disjoint_chunks(&chunks)));
        statistics.distinct = statistics.distinct.min(entries.unwrap_or(u64::MAX));
        found.push(statistics);
    }
    Ok(found)
}

fn row_groups(parts: &[Part]) -> impl Iterator<Item = &RowGroupMetaData> {
    parts.iter().flat_map(|part| part.metadata().row_groups())
}

/// Returns the part and index of the row group with the most rows. All row groups have the same columns.
fn largest_row_group(parts: &[Part]) -> Option<(usize, usize)> {
    let places = parts.iter().enumerate().flat_map(|(part, reader)| {
        reader
            .metadata()
            .row_groups()
            .iter()
            .enumerate()
            .map(move |(group, meta)| (part, group, meta.num_rows()))
    });
    places.max_by_key(|(.., rows)| *rows).map(|(part, group, _)| (part, group))
}

/// Returns the largest number of text chunks that cannot share a text, by their bounds; 1 for other types.
fn disjoint_chunks(chunks: &[&ColumnChunkMetaData]) -> u64 {
    let texts = chunks.iter().filter_map(|chunk| match chunk.statistics()? {
        Statistics::ByteArray(texts) => Some((texts.max_bytes_opt()?, texts.min_bytes_opt()?)),
        _ => None,
    });
    let mut bounds: Vec<(&[u8], &[u8])> = texts.collect();
    bounds.sort_unstable();
    let (mut disjoint, mut last) = (0, None);
    for (max, min) in bounds {
        if last.is_none_or(|last| min > last) {
            disjoint += 1;
            last = Some(max);
        }
    }
    disjoint.max(1)
}

/// Returns the number of dictionary entries; `None` if the dictionary does not hold all values of the column.
fn dictionary_entries(
    part: &Part,
    group: usize,
    place: usize,
) -> std::result::Result<Option<u64>, ParquetError> {
    let reader = part.get_row_group(group)?;
    let chunk = reader.metadata().column(place);
    let is_whole = chunk.dictionary_page_offset().is_some()
        && chunk.page_encoding_stats_mask().is_some_and(|mask| {
            mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
        });
    if !is_whole {
        return Ok(None);
    }
    Ok(match reader.get_column_page_reader(place)?.get_next_page()? {
        Some(Page::DictionaryPage { num_values, .. }) => Some(u64::from(num_values)),
        _ => None,
    })
}

/// Merges the statistics of all chunks of a column; `None` if they are incomplete. The estimate of distinct values is still
/// only the upper bound.
fn merge(
    chunks: &[&ColumnChunkMetaData],
    column: &parquet::schema::types::ColumnDescriptor,
) -> Option<ColumnStatistics> {
    let rows: u64 = chunks.iter().map(|chunk| chunk.num_values().unsigned_abs()).sum();
    let each = chunks.iter().map(|chunk| chunk.statistics()).collect::<Option<Vec<_>>>()?;
    let nulls: u64 = each.iter().map(|statistics| statistics.null_count_opt()).sum::<Option<u64>>()?;
    let count = rows.saturating_sub(nulls);
    let values = match column.physical_type() {
        Physical::INT32 | Physical::INT64 => numbers(&each, column)?,
        Physical::DOUBLE => doubles(&each)?,
        Physical::BOOLEAN => flags(&each, count)?,
        Physical::BYTE_ARRAY => texts(chunks, &each, count)?,
        _ => return None,
    };
    let spread = match values {
        ValueStatistics::Numbers { min, max, .. } | ValueStatistics::Times { min, max } => {
            max.abs_diff(min).saturating_add(1)
        }
        ValueStatistics::Flags { trues, falses } => u64::from(trues > 0) + u64::from(falses > 0),
        ValueStatistics::Doubles { .. } | ValueStatistics::Texts { .. } => u64::MAX,
    };
    Some(ColumnStatistics { name: column.name().to_owned(), nulls, distinct: count.min(spread), values })
}

fn numbers(
    each: &[&Statistics],
    column: &parquet::schema::types::ColumnDescriptor,
) -> Option<ValueStatistics> {
    let bounds = each.iter().filter_map(|statistics| match statistics {
        Statistics::Int32(values) => Some((i64::from(*values.min_opt()?), i64::from(*values.max_opt()?))),
        Statistics::Int64(values) => Some((*values.min_opt()?, *values.max_opt()?)),
        _ => None,
    });
    let (min, max) = bounds.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))?;
    let is_time = matches!(column.logical_type_ref(), Some(LogicalType::Timestamp { .. }));
    let is_int = column.physical_type() == Physical::INT32;
    let column_type = if is_int { ColumnType::Int } else { ColumnType::BigInt };
    Some(if is_time {
        ValueStatistics::Times { min, max }
    } else {
        ValueStatistics::Numbers { min, max, column_type }
    })
}

fn doubles(each: &[&Statistics]) -> Option<ValueStatistics> {
    let bounds = each.iter().filter_map(|statistics| match statistics {
        Statistics::Double(values) => Some((*values.min_opt()?, *values.max_opt()?)),
        _ => None,
    });
    let (min, max) = bounds.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))?;
    Some(ValueStatistics::Doubles { min, max })
}

fn flags(each: &[&Statistics], count: u64) -> Option<ValueStatistics> {
    let bounds = each.iter().filter_map(|statistics| match statistics {
        Statistics::Boolean(values) => Some((*values.min_opt()?, *values.max_opt()?)),
        _ => None,
    });
    let trues = match bounds.reduce(|one, other| (one.0 & other.0, one.1 | other.1))? {
        (false, false) => 0,
        (true, true) => count,
        _ => count / 2,
    };
    Some(ValueStatistics::Flags { trues, falses: count - trues })
}

fn texts(chunks: &[&ColumnChunkMetaData], each: &[&Statistics], count: u64) -> Option<ValueStatistics> {
    if count == 0 {
        return None;
    }
    let sizes = chunks.iter().map(|chunk| chunk.unencoded_byte_array_data_bytes().map(i64::unsigned_abs));
    let bytes = sizes.sum::<Option<u64>>()?;
    let bounds = each.iter().flat_map(|statistics| [statistics.min_bytes_opt(), statistics.max_bytes_opt()]);
    let longest_bound = bounds.flatten().map(|bound| bound.len() as u64).max().unwrap_or_default();
    Some(ValueStatistics::Texts { bytes, longest: longest_bound.max(bytes.div_ceil(count)), count })
}

impl ColumnStatistics {
    /// Returns the Hive type of the column.
    #[must_use]
    pub fn hive_type(&self) -> &'static str {
        match self.values {
            ValueStatistics::Numbers { column_type, .. } => column_type.hive(),
            ValueStatistics::Doubles { .. } => ColumnType::Double.hive(),
            ValueStatistics::Times { .. } => ColumnType::Timestamp.hive(),
            ValueStatistics::Texts { .. } => ColumnType::Text.hive(),
            ValueStatistics::Flags { .. } => ColumnType::Bool.hive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use arrow::array::TimestampMillisecondArray;
    use arrow::array::{
        ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    };
    use arrow::datatypes::Int32Type;
    use bytes::Bytes;
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;

    use super::*;

    struct InMemory(Bytes);

    impl LakeFile for InMemory {
        fn bytes(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
            let offset = usize::try_from(offset).unwrap();
            Ok(self.0.slice(offset..offset + length))
        }
    }

    /// Returns a part file with two equal row groups of these columns.
    fn part(columns: &[(&str, ArrayRef)], dictionary: bool) -> Part {
        part_of_groups(&[columns, columns], dictionary)
    }

    fn part_of_groups(groups: &[&[(&str, ArrayRef)]], dictionary: bool) -> Part {
        let batches =
            groups.iter().map(|columns| RecordBatch::try_from_iter(columns.iter().cloned()).unwrap());
        let batches: Vec<RecordBatch> = batches.collect();
        let properties = WriterProperties::builder().set_dictionary_enabled(dictionary).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), batches[0].schema(), Some(properties)).unwrap();
        for batch in &batches {
            writer.write(batch).unwrap();
            writer.flush().unwrap();
        }
        open(Box::new(InMemory(writer.into_inner().unwrap().into()))).unwrap()
    }

    fn columns() -> Vec<(&'static str, ArrayRef)> {
        let list = vec![Some(vec![Some(1)]), None, None, None];
        vec![
            ("int", Arc::new(Int32Array::from(vec![Some(-5), None, Some(7), Some(7)]))),
            ("long", Arc::new(Int64Array::from(vec![1_i64 << 40, 0, 3, 4]))),
            ("double", Arc::new(Float64Array::from(vec![Some(0.5), Some(-1.25), None, Some(0.5)]))),
            ("time", Arc::new(TimestampMillisecondArray::from(vec![Some(10), Some(20), None, None]))),
            ("text", Arc::new(StringArray::from(vec![Some("a"), Some("bcd"), None, Some("a")]))),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(true), None, Some(true)]))),
            ("mixed", Arc::new(BooleanArray::from(vec![true, false, true, true]))),
            ("empty", Arc::new(StringArray::from(vec![None::<&str>; 4]))),
            ("no_number", Arc::new(Int64Array::from(vec![None; 4]))),
            ("list", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(list))),
        ]
    }

    #[test]
    fn statistics_come_from_footers_and_dictionaries() {
        let found = gather(&[part(&columns(), true)]).unwrap();
        let column = |name: &str, nulls, distinct, values| ColumnStatistics {
            name: name.to_owned(),
            nulls,
            distinct,
            values,
        };
        let number = |min, max, column_type| ValueStatistics::Numbers { min, max, column_type };
        assert_eq!(
            found,
            [
                column("int", 2, 2, number(-5, 7, ColumnType::Int)),
                column("long", 0, 4, number(0, 1 << 40, ColumnType::BigInt)),
                column("double", 2, 2, ValueStatistics::Doubles { min: -1.25, max: 0.5 }),
                column("time", 4, 2, ValueStatistics::Times { min: 10, max: 20 }),
                column("text", 2, 2, ValueStatistics::Texts { bytes: 10, longest: 3, count: 6 }),
                column("flag", 2, 1, ValueStatistics::Flags { trues: 6, falses: 0 }),
                column("mixed", 0, 2, ValueStatistics::Flags { trues: 4, falses: 4 }),
            ]
        );
        let types: Vec<_> = found.iter().map(ColumnStatistics::hive_type).collect();
        assert_eq!(types, ["int", "bigint", "double", "timestamp", "string", "boolean", "boolean"]);
    }

    #[test]
    fn a_sorted_column_counts_different_texts_in_each_row_group() {
        let texts = |sorted: [&str; 3], other: [&str; 3]| -> Vec<(&'static str, ArrayRef)> {
            let columns = [("sorted", sorted), ("other", other)];
            columns
                .map(|(name, texts)| (name, Arc::new(StringArray::from(texts.to_vec())) as ArrayRef))
                .into()
        };
        let groups = [
            texts(["a", "a", "b"], ["x", "y", "x"]),
            texts(["c", "c", "d"], ["y", "x", "x"]),
            texts(["d", "d", "e"], ["x", "y", "y"]),
        ];
        let groups: Vec<&[(&str, ArrayRef)]> = groups.iter().map(Vec::as_slice).collect();
        let found = gather(&[part_of_groups(&groups, true)]).unwrap();
        let distinct: Vec<_> = found.iter().map(|column| (column.name.as_str(), column.distinct)).collect();
        // The bounds of the last two groups meet at "d", so only two groups are certainly disjoint.
        assert_eq!(distinct, [("sorted", 4), ("other", 2)]);
    }

    #[test]
    fn without_a_dictionary_the_counts_and_ranges_of_values_limit_distinct_values() {
        let found = gather(&[part(&columns(), false), part(&columns(), false)]).unwrap();
        let distinct: Vec<_> = found.iter().map(|column| (column.name.as_str(), column.distinct)).collect();
        let expected =
            [("int", 12), ("long", 16), ("double", 12), ("time", 8), ("text", 12), ("flag", 1), ("mixed", 2)];
        assert_eq!(distinct, expected);
    }

    #[test]
    fn an_empty_day_has_no_statistics() {
        assert_eq!(gather(&[]).unwrap(), []);
    }
}

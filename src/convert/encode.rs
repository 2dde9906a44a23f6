//! Encodes sorted rows as Parquet part files: columns in parallel, row groups and files cut by their content.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::budget::Budget;
use super::chunk::Chunk;
use super::column_writer::{ColumnSource, ColumnWriter, EncodedColumn};
use crate::error::{Error, Result};
use crate::kst::UtcInstant;
use crate::store::{self, StagedPartition};
use crate::table::{Origin, Spread, TableSchema};

const ZSTD_LEVEL: i32 = 3;
/// Unique ids have no repetition: only their small alphabet can be compressed, and the lowest level does that as well.
const UNIQUE_ZSTD_LEVEL: i32 = 1;

/// Size at which a page of unique ids is closed. At the lowest level, zstd packs random text of this size best.
const UNIQUE_PAGE_BYTES: usize = 128 << 10;

/// Number of rows at which a row group is closed, including the chunks written together with its last row. To find one id, a
/// reader fetches the group whose bloom filter contains it; for every question, it fetches a part of the footer for each group.
const GROUP_ROWS: u64 = 64 << 10;
/// Distinct values for which a bloom filter has room. The last chunks can exceed the rows of a group, and the writer halves a
/// filter that has too much room.
const BLOOM_VALUES: u64 = 2 * GROUP_ROWS;
/// Number of rows at which a page is closed: what a reader fetches for one row.
const PAGE_ROWS: usize = 4 << 10;
/// Size of a dictionary of texts at which the rest of a column chunk is written without it.
const TEXT_DICTIONARY_BYTES: usize = 2 << 20;
/// The same for numbers. Numbers with many distinct values, such as sizes, are smaller without a dictionary.
const NUMBER_DICTIONARY_BYTES: usize = 64 << 10;

/// A finished part file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartFile {
    /// Path below the partition.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
    /// Row groups.
    pub row_groups: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Earliest event time, UTC.
    pub min_event_time: String,
    /// Latest event time, UTC.
    pub max_event_time: String,
}

/// The path of a part of a run below the partition, by its number from 0.
pub(crate) fn part_path(run: &str, number: usize) -> String {
    format!("{run}/part-{number:05}.zstd.parquet")
}

/// Writes rows in their final order to part files of a staged partition.
pub(super) struct PartWriter<'a> {
    partition: &'a mut dyn StagedPartition,
    folder: String,
    /// The source of each column.
    sources: Vec<ColumnSource>,
    /// Addresses of the plan's objects, by index.
    addresses: Vec<&'a str>,
    arrow_schema: SchemaRef,
    properties: WriterPropertiesPtr,
    group_bytes: usize,
    target_file_bytes: u64,
    open: Option<OpenPart>,
    parts: Vec<PartFile>,
}

/// A part file being written.
struct OpenPart {
    path: String,
    file: SerializedFileWriter<Counted>,
    factory: ArrowRowGroupWriterFactory,
    /// The row group that is being filled; empty between two groups.
    columns: Vec<ColumnWriter>,
    group_rows: u64,
    rows: u64,
    row_groups: u64,
    times: Option<(i64, i64)>,
}

impl<'a> PartWriter<'a> {
    /// `decoded` has the columns of the chunks, and `schema` those to write. `addresses` are those of the plan's objects, by
    /// index; files are written to `folder` of the partition.
    pub(super) fn new(
        partition: &'a mut dyn StagedPartition,
        folder: &str,
        decoded: &TableSchema,
        schema: &TableSchema,
        addresses: Vec<&'a str>,
        options: &super::ConvertOptions,
    ) -> Self {
        Self {
            partition,
            folder: folder.to_owned(),
            sources: ColumnSource::all(decoded, schema),
            addresses,
            arrow_schema: Arc::new(Schema::new(schema.fields())),
            properties: Arc::new(properties(schema)),
            group_bytes: Budget::of(options).group_bytes(),
            target_file_bytes: options.target_file_bytes,
            open: None,
            parts: Vec::new(),
        }
    }

    /// Writes the rows of some chunks. The way the caller divides rows among calls shows in the row groups of the file.
    pub(super) fn write(&mut self, chunks: &[Chunk]) -> Result<()> {
        let mut part = match self.open.take() {
            Some(part) => part,
            None => self.open_part()?,
        };
        part.begin_group(&self.sources, &self.properties).map_err(|cause| part.failed(cause))?;
        let (addresses, fields) = (&self.addresses, self.arrow_schema.fields());
        part.columns
            .par_iter_mut()
            .zip(fields.par_iter())
            .with_max_len(1)
            .try_for_each(|(writer, field)| {
                chunks.iter().try_for_each(|chunk| writer.write(chunk, field, addresses))
            })
            .map_err(|cause| part.failed(cause))?;
        for chunk in chunks {
            part.note(chunk);
        }
        let encoded: usize = part.columns.iter().map(ColumnWriter::encoded_bytes).sum();
        if encoded >= self.group_bytes || part.group_rows >= GROUP_ROWS {
            part.end_group().map_err(|cause| part.failed(cause))?;
            if part.is_full(self.target_file_bytes) {
                self.parts.push(part.close()?);
                return Ok(());
            }
        }
        self.open = Some(part);
        Ok(())
    }

    /// Closes the last file and returns the list of all files.
    pub(super) fn finish(mut self) -> Result<Vec<PartFile>> {
        if let Some(part) = self.open.take() {
            self.parts.push(part.close()?);
        }
        Ok(self.parts)
    }

    fn open_part(&mut self) -> Result<OpenPart> {
        let path = part_path(&self.folder, self.parts.len());
        let sink = Counted { file: self.partition.create(&path)?, bytes: 0, digest: Sha256::new() };
        let schema = ArrowSchemaConverter::new()
            .convert(&self.arrow_schema)
            .map_err(|cause| Error::bug("the columns have no Parquet form").caused_by(cause))?;
        let file = SerializedFileWriter::new(sink, schema.root_schema_ptr(), Arc::clone(&self.properties))
            .map_err(|cause| encode_failed(&path, cause))?;
        let factory = ArrowRowGroupWriterFactory::new(&file, Arc::clone(&self.arrow_schema));
        let (columns, group_rows, rows, row_groups, times) = (Vec::new(), 0, 0, 0, None);
        Ok(OpenPart { path, file, factory, columns, group_rows, rows, row_groups, times })
    }
}

impl OpenPart {
    fn begin_group(
        &mut self,
        sources: &[ColumnSource],
        properties: &WriterProperties,
    ) -> std::result::Result<(), ParquetError> {
        if self.columns.is_empty() {
            let writers = self.factory.create_column_writers(self.file.flushed_row_groups().len())?;
            let columns = self.file.schema_descr().columns();
            let columns = sources.iter().zip(writers).zip(columns);
            self.columns = columns
                .map(|((source, writer), column)| ColumnWriter::new(*source, writer, column, properties))
                .collect::<std::result::Result<_, _>>()?;
        }
        Ok(())
    }

    /// Counts the rows of a chunk that was written.
    fn note(&mut self, chunk: &Chunk) {
        self.group_rows += chunk.len() as u64;
        for time in chunk.keys.iter().map(|key| key.at) {
            let (min, max) = self.times.unwrap_or((time, time));
            self.times = Some((min.min(time), max.max(time)));
        }
    }

    fn end_group(&mut self) -> std::result::Result<(), ParquetError> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let columns: Vec<EncodedColumn> = std::mem::take(&mut self.columns)
            .into_par_iter()
            .map(ColumnWriter::close)
            .collect::<std::result::Result<_, _>>()?;
        let mut group = self.file.next_row_group()?;
        columns.into_iter().try_for_each(|column| column.append_to(&mut group))?;
        group.close()?;
        self.row_groups += 1;
        self.rows += std::mem::take(&mut self.group_rows);
        Ok(())
    }

    /// Whether stopping here is closer to the target than adding another row group of the same size.
    fn is_full(&self, target: u64) -> bool {
        let bytes = self.file.bytes_written() as u64;
        bytes + bytes / self.row_groups.max(1) / 2 >= target
    }

    fn failed(&self, cause: ParquetError) -> Error {
        encode_failed(&self.path, cause)
    }

    fn close(mut self) -> Result<PartFile> {
        self.end_group().map_err(|cause| self.failed(cause))?;
        let (path, rows, row_groups) = (self.path, self.rows, self.row_groups);
        let failed = |cause| encode_failed(&path, cause);
        let mut sink = self.file.into_inner().map_err(failed)?;
        sink.flush().map_err(|cause| failed(cause.into()))?;
        let (min, max) = self.times.unwrap_or_default();
        Ok(PartFile {
            bytes: sink.bytes,
            rows,
            row_groups,
            sha256: hexadecimal(&sink.digest.finalize()),
            min_event_time: UtcInstant(min).to_string(),
            max_event_time: UtcInstant(max).to_string(),
            path,
        })
    }
}

/// Formats bytes as two hexadecimal digits each.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn encode_failed(path: &str, cause: ParquetError) -> Error {
    Error::unusable("cannot write the part file", cause).with("file", path).hint(store::CHECK_SPACE)
}

fn properties(schema: &TableSchema) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(zstd(ZSTD_LEVEL))
        .set_sorting_columns(Some(sorting(schema)))
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_dictionary_page_size_limit(TEXT_DICTIONARY_BYTES)
        .set_key_value_metadata(Some(vec![KeyValue::new(
            "logmill.columns".to_owned(),
            columns_note(schema),
        )]));
    let event_time = &schema.columns[schema.event_time];
    for column in &schema.columns {
        let path = ColumnPath::new(vec![column.named(schema.naming).into_owned()]);
        if column.spread != Spread::Repeating {
            builder = builder.set_column_bloom_filter_enabled(path.clone(), true);
            builder = builder.set_column_bloom_filter_max_ndv(path.clone(), BLOOM_VALUES);
        }
        if column.column_type.is_number() {
            let path = path.clone();
            builder = builder.set_column_dictionary_page_size_limit(path, NUMBER_DICTIONARY_BYTES);
        }
        if column.spread == Spread::Unique {
            builder = builder.set_column_compression(path.clone(), zstd(UNIQUE_ZSTD_LEVEL));
            builder = builder.set_column_data_page_size_limit(path.clone(), UNIQUE_PAGE_BYTES);
        }
        // Times follow each other in the order of rows: packed directly, they are smaller than keys of a dictionary of times.
        let is_event_time = column.name == event_time.name || column.origin == Origin::EventTimeKst;
        if column.spread == Spread::Unique || is_event_time {
            builder = builder.set_column_dictionary_enabled(path, false);
        }
    }
    builder.build()
}

fn zstd(level: i32) -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(level).expect("zstd has this level"))
}

/// The order of rows, for readers that rely on it.
fn sorting(schema: &TableSchema) -> Vec<SortingColumn> {
    let column = |position: &usize| SortingColumn {
        column_idx: i32::try_from(*position).expect("a table has few columns"),
        descending: false,
        nulls_first: true,
    };
    schema.cluster.iter().chain([&schema.event_time]).map(column).collect()
}

/// Names the event time column, for programs that see only the file.
fn columns_note(schema: &TableSchema) -> String {
    format!("event_time={}", schema.columns[schema.event_time].named(schema.naming))
}

/// Counts and hashes the bytes that pass through it.
struct Counted {
    file: Box<dyn Write + Send>,
    bytes: u64,
    digest: Sha256,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

//! Finds the rows of a published day by an id. It reads as little of the files as their indexes allow: the footers, the
//! column's bloom filters and, if a filter may contain the id, the id pages of that row group.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Int64Type, TimestampMillisecondType};
use arrow::error::ArrowError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::arrow::{ProjectionMask, RowNumber};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};
use parquet::file::reader::ChunkReader;
use parquet::file::statistics::Statistics;
use parquet::schema::types::SchemaDescriptor;
use rayon::prelude::*;
use serde::Serialize;

use super::part_reader::PartReader;
use crate::convert::{MAX_LINE_BYTES, PartFile, QuarantinedRow};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::publish::Manifest;
use crate::store::lake::Partition;
use crate::store::{Lake, LakeFile};
use crate::table::{Column, Identifier, Origin, TableSchema};

/// A row of a part file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedRow {
    /// Path of the file below the partition.
    pub file: String,
    /// Number of the row group in the file, from 0.
    pub row_group: usize,
    /// Number of the row in the row group, from 0.
    pub row: u64,
    /// Event time, in milliseconds.
    #[serde(skip)]
    pub at: Option<UtcInstant>,
    /// The values by which rows are clustered.
    pub cluster: Vec<Option<String>>,
    /// Address of the raw object.
    pub source_object: Option<String>,
    /// Number of the record or line in it, from 1.
    pub source_record: Option<i64>,
}

/// The wanted id, and the names of the columns to read.
struct Sought<'a> {
    id: &'a str,
    column: String,
    event_time: String,
    cluster: Vec<String>,
    source_object: String,
    source_record: String,
}

/// Returns every row of a published day that has the id, in file order. The result is empty if the table has no such
/// column.
pub fn find_rows(
    lake: &dyn Lake,
    partition: &Partition,
    manifest: &Manifest,
    schema: &TableSchema,
    what: Identifier,
    id: &str,
) -> Result<Vec<PublishedRow>> {
    let Some(sought) = Sought::new(schema, what, id) else { return Ok(Vec::new()) };
    let in_part = |part: &PartFile| {
        let path = format!("{partition}/{}", part.path);
        let file = lake.open(&path)?.ok_or_else(|| {
            Error::new(ErrorKind::Unusable, "a part file is missing")
                .with("path", lake.address(&path))
                .hint("run 'logmill verify' to check the whole day against its manifest")
        })?;
        sought.in_part(part, file.into()).map_err(|cause| {
            Error::unusable("cannot search the part file", cause).with("path", lake.address(&path))
        })
    };
    let rows = manifest.parts.par_iter().map(in_part).collect::<Result<Vec<_>>>()?;
    Ok(rows.into_iter().flatten().collect())
}

/// Returns the rejected rows of a run whose raw text contains the id. The result is empty if the run has no quarantine
/// file.
pub fn find_quarantined(
    lake: &dyn Lake,
    partition: &Partition,
    run: &str,
    id: &str,
) -> Result<Vec<QuarantinedRow>> {
    let path = partition.quarantine_file(run);
    let Some(file) = lake.open(&path)? else { return Ok(Vec::new()) };
    rejected_with(file, id).map_err(|cause| {
        Error::unusable("cannot read the rejected rows", cause).with("path", lake.address(&path))
    })
}

/// Returns the rows of a quarantine file that contain the id. Reads line by line, because the file can be larger than
/// memory.
fn rejected_with(file: Box<dyn LakeFile>, id: &str) -> io::Result<Vec<QuarantinedRow>> {
    let mut content = PartReader::new(file.into()).get_read(0).map_err(io::Error::other)?;
    let (mut rows, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let mut next = content.by_ref().take(MAX_LINE_BYTES as u64);
        if next.read_until(b'\n', &mut line)? == 0 {
            return Ok(rows);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let row: QuarantinedRow = serde_json::from_slice(&line)?;
        if has_id(&row, id) {
            rows.push(row);
        }
    }
}

fn has_id(row: &QuarantinedRow, id: &str) -> bool {
    let Some(raw) = &row.raw else { return false };
    let decoded = row.encoding.as_ref().and_then(|_| STANDARD.decode(raw).ok());
    memmem::find(decoded.as_deref().unwrap_or(raw.as_bytes()), id.as_bytes()).is_some()
}

impl<'a> Sought<'a> {
    fn new(schema: &TableSchema, what: Identifier, id: &'a str) -> Option<Self> {
        let named = |column: &Column| column.named(schema.naming).into_owned();
        let derived = |origin| schema.columns.iter().find(|column| column.origin == origin).map(named);
        Some(Self {
            id,
            column: named(schema.identifier(what)?),
            event_time: named(&schema.columns[schema.event_time]),
            cluster: schema.cluster.iter().map(|position| named(&schema.columns[*position])).collect(),
            source_object: derived(Origin::SourceObject)?,
            source_record: derived(Origin::SourceRecord)?,
        })
    }

    fn in_part(
        &self,
        part: &PartFile,
        file: Arc<dyn LakeFile>,
    ) -> std::result::Result<Vec<PublishedRow>, ParquetError> {
        let footer = ParquetRecordBatchReaderBuilder::try_new(PartReader::new(Arc::clone(&file)))?;
        let groups = self.candidates(&footer)?;
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        // With the page index, only the wanted pages are fetched.
        let number = Field::new(ROW_NUMBER, DataType::Int64, false).with_extension_type(RowNumber);
        let options = ArrowReaderOptions::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .with_virtual_columns(vec![Arc::new(number)])?;
        let starts = group_starts(footer.metadata().row_groups());
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(PartReader::new(file), options)?;
        let schema = builder.parquet_schema();
        let shown = ProjectionMask::columns(schema, self.shown());
        let ids = ProjectionMask::columns(schema, [self.column.as_str()]);
        let id = self.id.to_owned();
        let has_id = ArrowPredicateFn::new(ids, move |batch| equals(&batch, &id));
        let reader = builder
            .with_row_groups(groups)
            .with_projection(shown)
            .with_row_filter(RowFilter::new(vec![Box::new(has_id)]))
            .build()?;
        let mut rows = Vec::new();
        for batch in reader {
            rows.extend(self.rows_of(&part.path, &batch?, &starts)?);
        }
        Ok(rows)
    }

    fn shown(&self) -> impl Iterator<Item = &str> {
        let others = [&self.event_time, &self.source_object, &self.source_record];
        self.cluster.iter().chain(others).map(String::as_str)
    }

    /// Returns the row groups that can contain the id.
    fn candidates(
        &self,
        footer: &ParquetRecordBatchReaderBuilder<PartReader>,
    ) -> std::result::Result<Vec<usize>, ParquetError> {
        let column = position(footer.parquet_schema(), &self.column)?;
        let mut candidates = Vec::new();
        for (number, group) in footer.metadata().row_groups().iter().enumerate() {
            if !may_hold(group.column(column).statistics(), self.id.as_bytes()) {
                continue;
            }
            let filter = footer.get_row_group_column_bloom_filter(number, column)?;
            if filter.is_none_or(|filter| filter.check(self.id)) {
                candidates.push(number);
            }
        }
        Ok(candidates)
    }

    fn rows_of(
        &self,
        file: &str,
        batch: &RecordBatch,
        starts: &[u64],
    ) -> std::result::Result<Vec<PublishedRow>, ParquetError> {
        let texts = |name: &str| cells_of(batch, name).and_then(|cells| Ok(cast(cells, &DataType::Utf8)?));
        let clusters = self.cluster.iter().map(|name| texts(name));
        let clusters = clusters.collect::<std::result::Result<Vec<_>, ParquetError>>()?;
        let objects = texts(&self.source_object)?;
        let times = numbers::<TimestampMillisecondType>(batch, &self.event_time)?;
        let records = numbers::<Int64Type>(batch, &self.source_record)?;
        let numbers = numbers::<Int64Type>(batch, ROW_NUMBER)?;
        let text = |cells: &dyn Array, row| {
            cells.is_valid(row).then(|| cells.as_string::<i32>().value(row).to_owned())
        };
        let row = |row: usize| {
            let number = u64::try_from(numbers.value(row)).unwrap_or_default();
            let row_group = starts.partition_point(|start| *start <= number).saturating_sub(1);
            PublishedRow {
                file: file.to_owned(),
                row_group,
                row: number - starts.get(row_group).copied().unwrap_or_default(),
                at: times.is_valid(row).then(|| UtcInstant(times.value(row))),
                cluster: clusters.iter().map(|cells| text(cells, row)).collect(),
                source_object: text(&objects, row),
                source_record: records.is_valid(row).then(|| records.value(row)),
            }
        };
        Ok((0..batch.num_rows()).map(row).collect())
    }
}

fn cells_of<'b>(batch: &'b RecordBatch, name: &str) -> std::result::Result<&'b ArrayRef, ParquetError> {
    batch
        .column_by_name(name)
        .ok_or_else(|| ParquetError::General(format!("the file has no column '{name}'")))
}

fn numbers<'b, T: ArrowPrimitiveType>(
    batch: &'b RecordBatch,
    name: &str,
) -> std::result::Result<&'b PrimitiveArray<T>, ParquetError> {
    let wrong_type = || ParquetError::General(format!("the column '{name}' has an unexpected type"));
    cells_of(batch, name)?.as_primitive_opt().ok_or_else(wrong_type)
}

/// Name of the virtual column with the row number in the file. No column of a table can have this name.
const ROW_NUMBER: &str = "#row";

/// Returns the row number in the file of the first row of each row group.
fn group_starts(groups: &[RowGroupMetaData]) -> Vec<u64> {
    let rows = |group: &RowGroupMetaData| u64::try_from(group.num_rows()).unwrap_or_default();
    let start = |next: &mut u64, group| Some(std::mem::replace(next, *next + rows(group)));
    groups.iter().scan(0, start).collect()
}

fn position(schema: &SchemaDescriptor, name: &str) -> std::result::Result<usize, ParquetError> {
    let found = schema.columns().iter().position(|column| column.name() == name);
    found.ok_or_else(|| ParquetError::General(format!("the file has no column '{name}'")))
}

/// Whether the bounds of a row group allow the value. Truncated bounds are still valid bounds.
fn may_hold(statistics: Option<&Statistics>, value: &[u8]) -> bool {
    let Some(statistics) = statistics else { return true };
    let above = statistics.min_bytes_opt().is_none_or(|min| min <= value);
    above && statistics.max_bytes_opt().is_none_or(|max| value <= max)
}

fn equals(batch: &RecordBatch, id: &str) -> std::result::Result<BooleanArray, ArrowError> {
    let cells = cast(batch.column(0), &DataType::Utf8)?;
    Ok(cells.as_string::<i32>().iter().map(|cell| Some(cell == Some(id))).collect())
}

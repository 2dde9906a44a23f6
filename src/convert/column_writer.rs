//! The columns of a row group that is being written: where their cells come from, and the writer of each.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, TimestampMillisecondArray};
use arrow::datatypes::Field;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use super::chunk::Chunk;
use super::text_column::{EncodedTexts, TextColumn};
use crate::kst::KST_OFFSET_MS;
use crate::table::{Column, ColumnType, Origin, TableSchema};

/// The source of the cells of a published column.
#[derive(Clone, Copy)]
pub(super) enum ColumnSource {
    Texts(TextSource),
    Values(ValueSource),
}

/// The source of texts.
#[derive(Clone, Copy)]
pub(super) enum TextSource {
    /// A decoded column, by its place among the decoded ones.
    Decoded(usize),
    SourceObject,
}

/// The source of values that are not texts.
#[derive(Clone, Copy)]
pub(super) enum ValueSource {
    /// A decoded column, by its place among the decoded ones.
    Decoded(usize, ColumnType),
    EventTimeKst,
    SourceRecord,
}

impl ColumnSource {
    /// Returns the source of each column of the file, given the columns of the decoder and those that are written.
    pub(super) fn all(decoded: &TableSchema, written: &TableSchema) -> Vec<Self> {
        let mut places = 0..;
        let mut source = |column: &Column| match column.origin {
            Origin::EventTimeKst => Self::Values(ValueSource::EventTimeKst),
            Origin::SourceObject => Self::Texts(TextSource::SourceObject),
            Origin::SourceRecord => Self::Values(ValueSource::SourceRecord),
            Origin::Json(_)
            | Origin::Field(_)
            | Origin::Named(_)
            | Origin::DecodedField
            | Origin::Decoder => {
                let place = places.next().unwrap_or_default();
                match column.column_type {
                    text if text.is_text() => Self::Texts(TextSource::Decoded(place)),
                    other => Self::Values(ValueSource::Decoded(place, other)),
                }
            }
        };
        // Every decoded column has a place, even if it is not written.
        let all = decoded.columns.iter().map(|column| (column, source(column)));
        all.filter(|(column, _)| written.position(&column.name).is_some()).map(|(_, source)| source).collect()
    }
}

/// The writer of a column of a row group.
pub(super) enum ColumnWriter {
    Texts(TextSource, Box<TextColumn>),
    Values(ValueSource, Box<ArrowColumnWriter>),
}

/// A column of a row group that is complete.
pub(super) enum EncodedColumn {
    Texts(EncodedTexts),
    Values(ArrowColumnChunk),
}

impl ColumnWriter {
    /// Creates the writer of a column. `values` is that of the crate, for columns other than text.
    pub(super) fn new(
        source: ColumnSource,
        values: ArrowColumnWriter,
        column: &ColumnDescPtr,
        properties: &WriterProperties,
    ) -> Result<Self> {
        Ok(match source {
            ColumnSource::Texts(source) => {
                Self::Texts(source, Box::new(TextColumn::new(column, properties)?))
            }
            ColumnSource::Values(source) => Self::Values(source, Box::new(values)),
        })
    }

    /// Writes the cells of a chunk. `addresses` are those of the plan's objects, by index.
    pub(super) fn write(&mut self, chunk: &Chunk, field: &Field, addresses: &[&str]) -> Result<()> {
        match self {
            Self::Texts(TextSource::Decoded(column), writer) => {
                writer.write(&chunk.blocks_of(*column), &chunk.picks)
            }
            Self::Texts(TextSource::SourceObject, writer) => {
                writer.write_listed(addresses, chunk.keys.iter().map(|key| key.position.object))
            }
            Self::Values(source, writer) => {
                let cells = source.cells(chunk);
                compute_leaves(field, &cells)?.iter().try_for_each(|leaf| writer.write(leaf))
            }
        }
    }

    /// Estimates the size of the column so far.
    pub(super) fn encoded_bytes(&self) -> usize {
        match self {
            Self::Texts(_, writer) => writer.encoded_bytes(),
            Self::Values(_, writer) => writer.get_estimated_total_bytes(),
        }
    }

    /// Completes the column.
    pub(super) fn close(self) -> Result<EncodedColumn> {
        Ok(match self {
            Self::Texts(_, writer) => EncodedColumn::Texts(writer.close()?),
            Self::Values(_, writer) => EncodedColumn::Values(writer.close()?),
        })
    }
}

impl EncodedColumn {
    /// Appends the column to a row group of a file.
    pub(super) fn append_to<W: Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<()> {
        match self {
            Self::Texts(texts) => group.append_column(&texts.pages, texts.close),
            Self::Values(values) => values.append_to_row_group(group),
        }
    }
}

impl ValueSource {
    fn cells(self, chunk: &Chunk) -> ArrayRef {
        let keys = chunk.keys.iter();
        match self {
            Self::Decoded(column, column_type) => chunk.cells(column, column_type),
            Self::EventTimeKst => {
                Arc::new(TimestampMillisecondArray::from_iter_values(keys.map(|key| key.at + KST_OFFSET_MS)))
            }
            Self::SourceRecord => {
                Arc::new(Int64Array::from_iter_values(keys.map(|key| i64::from(key.position.record))))
            }
        }
    }
}

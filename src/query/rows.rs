//! The result of a statement: a stream of rows or all rows, and how much was read for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::failure::of_query;
use super::files::LakeFiles;
use super::functions::Value;
use super::outputs;
use super::scanned::Scanned;
use super::type_names::{IP_ADDRESS, IP_PREFIX};
use super::workers::Waiter;
use crate::error::{Error, Result};

/// All rows of a statement.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Names and types of the columns. Texts are `Utf8`.
    pub schema: SchemaRef,
    /// The rows, in order.
    pub batches: Vec<RecordBatch>,
    /// How much was read.
    pub scanned: Scanned,
}

impl Rows {
    /// Returns the number of rows.
    #[must_use]
    pub fn count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// Streams the rows of a statement. Dropping it stops the work on the rest.
pub struct RowStream {
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    waiter: Waiter,
    files: Arc<LakeFiles>,
    before: Scanned,
}

impl RowStream {
    /// Columns are shown under their `names`, if these have one. `before` is the amount read before the statement started.
    pub(super) fn new(
        stream: SendableRecordBatchStream,
        names: &BTreeMap<String, String>,
        waiter: Waiter,
        files: Arc<LakeFiles>,
        before: Scanned,
    ) -> Self {
        Self { schema: plain_schema(&stream.schema(), names), stream, waiter, files, before }
    }

    /// Names and types of the columns. Texts are `Utf8`.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Returns the amount read so far, including by other statements that run at the same time.
    #[must_use]
    pub fn scanned(&self) -> Scanned {
        self.files.scanned().since(self.before)
    }

    /// Collects all remaining rows.
    pub fn collect(mut self) -> Result<Rows> {
        let batches = self.by_ref().collect::<Result<Vec<_>>>()?;
        Ok(Rows { schema: Arc::clone(&self.schema), batches, scanned: self.scanned() })
    }
}

impl Iterator for RowStream {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.waiter.check() {
            return Some(Err(error));
        }
        let next = self.waiter.wait(async { Ok(self.stream.next().await) });
        match next {
            Ok(batch) => {
                let to_ours = |error| self.files.failure().unwrap_or_else(|| of_query(error));
                let batch = batch?.map_err(to_ours);
                // A cancelled request fails with an error of its own, so report the cancellation instead.
                let batch = batch.or_else(|error| self.waiter.check().and(Err(error)));
                Some(batch.and_then(|batch| plain(&batch, &self.schema)))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// Replaces the engine's internal types with plain ones: texts become `Utf8`, as in files.
fn plain_schema(schema: &Schema, names: &BTreeMap<String, String>) -> SchemaRef {
    let field = |(place, field): (usize, &Arc<Field>)| {
        let name = outputs::shown(place, field.name(), names);
        field.as_ref().clone().with_name(name).with_data_type(plain_type(field.data_type()))
    };
    let fields: Vec<Field> = schema.fields().iter().enumerate().map(field).collect();
    Arc::new(Schema::new(fields))
}

fn plain_type(data_type: &DataType) -> DataType {
    let field =
        |field: &Arc<Field>| Arc::new(field.as_ref().clone().with_data_type(plain_type(field.data_type())));
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        address if *address == IP_ADDRESS || *address == IP_PREFIX => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Dictionary(_, value) => plain_type(value),
        DataType::List(element) | DataType::ListView(element) | DataType::LargeList(element) => {
            DataType::List(field(element))
        }
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}

/// Whether a type is or holds an IP address or prefix.
fn has_address(data_type: &DataType) -> bool {
    match data_type {
        DataType::FixedSizeBinary(_) => true,
        DataType::List(field) | DataType::Map(field, _) => has_address(field.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_address(field.data_type())),
        _ => false,
    }
}

fn with_addresses_as_text(
    cells: &ArrayRef,
    data_type: &DataType,
) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
    let values =
        (0..cells.len()).map(|row| Ok(Value::of(cells, row)?.with_addresses_as_text(cells.data_type())));
    let values = values.collect::<std::result::Result<Vec<_>, DataFusionError>>();
    let column = values.and_then(|values| Value::column(&values.iter().collect::<Vec<_>>(), data_type));
    column.map_err(|cause| arrow::error::ArrowError::from_external_error(Box::new(cause)))
}

fn plain(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let cells = batch.columns().iter().zip(schema.fields()).map(|(cells, field)| {
        let is_plain = cells.data_type() == field.data_type();
        if is_plain {
            Ok(Arc::clone(cells))
        } else if has_address(cells.data_type()) {
            with_addresses_as_text(cells, field.data_type())
        } else {
            cast(cells, field.data_type())
        }
    });
    let cells = cells.collect::<std::result::Result<Vec<ArrayRef>, _>>();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    cells
        .and_then(|cells| RecordBatch::try_new_with_options(Arc::clone(schema), cells, &options))
        .map_err(|cause| Error::bug("cannot convert the rows to plain types").caused_by(cause))
}

//! What a statement gives: rows as they come, or all of them, and what reading them took.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use tokio::runtime::Runtime;

use super::failure::of_query;
use super::files::LakeFiles;
use super::scanned::Scanned;
use super::spills::SpillFolder;
use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};

/// How often a wait looks whether it should stop.
const CANCEL_LOOK: Duration = Duration::from_millis(50);

/// How long work that is no longer wanted may take to end.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// All rows of a statement.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Names and types of the columns; texts are `Utf8`.
    pub schema: SchemaRef,
    /// The rows, in order.
    pub batches: Vec<RecordBatch>,
    /// What was read.
    pub scanned: Scanned,
}

impl Rows {
    /// Their number.
    #[must_use]
    pub fn count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// The rows of a statement, as they come. Dropped, the work on the rest stops.
pub struct RowStream {
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    waiter: Waiter,
    files: Arc<LakeFiles>,
    before: Scanned,
}

impl RowStream {
    /// `before` is what was read when the statement came.
    pub(super) fn new(
        stream: SendableRecordBatchStream,
        waiter: Waiter,
        files: Arc<LakeFiles>,
        before: Scanned,
    ) -> Self {
        Self { schema: plain_schema(&stream.schema()), stream, waiter, files, before }
    }

    /// Names and types of the columns; texts are `Utf8`.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What was read so far, also by other statements that are answered at the same time.
    #[must_use]
    pub fn scanned(&self) -> Scanned {
        self.files.scanned().since(self.before)
    }

    /// All rows that are still to come.
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
                let said = |error| self.files.failure().unwrap_or_else(|| of_query(error));
                let batch = batch?.map_err(said);
                // A request that was broken off says so in words of its own.
                let batch = batch.or_else(|error| self.waiter.check().and(Err(error)));
                Some(batch.and_then(|batch| plain(&batch, &self.schema)))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// The threads that work on statements, as long as an engine or its rows need them.
#[derive(Debug)]
pub(super) struct Workers {
    runtime: Option<Runtime>,
    /// Goes when they do.
    _spills: SpillFolder,
}

impl Workers {
    pub(super) fn new(runtime: Runtime, spills: SpillFolder) -> Self {
        Self { runtime: Some(runtime), _spills: spills }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // Writers remove what they have spilled, but a request that hangs must not keep the process from ending.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(LAST_WAIT);
        }
    }
}

/// Waits for work of the runtime; gives up when the process is asked to stop.
#[derive(Debug, Clone)]
pub(super) struct Waiter {
    pub(super) workers: Arc<Workers>,
    pub(super) cancel: Cancel,
}

impl Waiter {
    pub(super) fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let runtime = self.workers.runtime.as_ref().expect("it is there until it is dropped");
        runtime.block_on(async {
            tokio::pin!(work);
            loop {
                match tokio::time::timeout(CANCEL_LOOK, &mut work).await {
                    Ok(outcome) => return outcome,
                    Err(_) => self.check()?,
                }
            }
        })
    }

    fn check(&self) -> Result<()> {
        let interrupted =
            |_| Error::new(ErrorKind::Interrupted, "interrupted").hint("a query changes nothing: ask again");
        self.cancel.check().map_err(interrupted)
    }
}

/// The types as everybody knows them: texts in the form that files have.
fn plain_schema(schema: &Schema) -> SchemaRef {
    let field = |field: &Arc<Field>| {
        let name = plain_name(field.name());
        field.as_ref().clone().with_name(name).with_data_type(plain_type(field.data_type()))
    };
    let fields: Vec<Field> = schema.fields().iter().map(field).collect();
    Arc::new(Schema::new(fields))
}

/// `user[arn]`, as the engine calls a field of a struct, is `arn` in Athena.
fn plain_name(name: &str) -> &str {
    let is_word = |letter: char| letter.is_alphanumeric() || "_.[]".contains(letter);
    let last = name.strip_suffix(']').filter(|path| path.chars().all(is_word));
    last.and_then(|path| path.rsplit_once('[')).map_or(name, |(_, field)| field)
}

fn plain_type(data_type: &DataType) -> DataType {
    let field =
        |field: &Arc<Field>| Arc::new(field.as_ref().clone().with_data_type(plain_type(field.data_type())));
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Dictionary(_, value) => plain_type(value),
        DataType::List(element) | DataType::ListView(element) | DataType::LargeList(element) => {
            DataType::List(field(element))
        }
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}

fn plain(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let cells = batch.columns().iter().zip(schema.fields()).map(|(cells, field)| {
        let is_plain = cells.data_type() == field.data_type();
        if is_plain { Ok(Arc::clone(cells)) } else { cast(cells, field.data_type()) }
    });
    let cells = cells.collect::<std::result::Result<Vec<ArrayRef>, _>>();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    cells
        .and_then(|cells| RecordBatch::try_new_with_options(Arc::clone(schema), cells, &options))
        .map_err(|cause| Error::bug("cannot bring the rows into their plain form").caused_by(cause))
}

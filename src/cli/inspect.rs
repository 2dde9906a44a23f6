//! `logmill inspect`: shows how the decoder reads one raw file.

use std::io::Read;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampMillisecondType};
use serde_json::{Map, Value, json};

use super::args::{GlobalArgs, InspectArgs, ShowFormat};
use super::console;
use super::context::Context;
use super::exit::Exit;
use super::settings::Flags;
use crate::convert::{ObjectReader, Opened, QuarantinedRow};
use crate::dataset::{self, Dataset, DecodeLimits, KeyClaim};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, UtcInstant};
use crate::ledger::RowLedger;
use crate::rules::{RedactRules, RowRules};
use crate::store::unpack::Unpacked;
use crate::store::{SourceAccess, Store};
use crate::table::{Column, ColumnType, Naming, Rejection, RowBatch, Rows, TableSchema};

/// Default number of rows in a table.
const DEFAULT_LIMIT: usize = 10;

pub(super) fn run(args: &InspectArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags::default())?;
    if Path::new(&args.file).is_dir() {
        return Err(Error::new(ErrorKind::Usage, "this is a folder, and 'logmill inspect' reads one file")
            .with("path", &args.file)
            .hint("pass one of its files; 'logmill plan' lists the logs in a folder"));
    }
    let store = context.connector(&settings).store(&args.file, &SourceAccess::default())?;
    let key = dataset::object_key::split(&args.file).1;
    let dataset = dataset_of(args, store.as_ref(), key)?;
    let schema = dataset.schema(Naming::Snake, &[]);
    let mut redact = RedactRules::new(dataset.default_redactions());
    redact.add(&args.redact);
    let show = Show {
        args,
        rules: RowRules::new(&schema, &[], &redact)?,
        columns: schema.decoded().cloned().collect(),
        left: args.limit.unwrap_or(match args.format {
            ShowFormat::Table => DEFAULT_LIMIT,
            ShowFormat::Json => usize::MAX,
        }),
    };
    let ledger = decode(dataset, &schema, store.as_ref(), key, show, context)?;
    if args.format == ShowFormat::Table {
        console::print(&format!(
            "{}: {} read, {} decoded, {} rejected\n",
            dataset.name(),
            console::counted(ledger.read, "row"),
            console::count(ledger.written),
            console::count(ledger.quarantined)
        ))?;
    }
    Ok(Exit::Done)
}

fn decode(
    dataset: &dyn Dataset,
    schema: &TableSchema,
    store: &dyn Store,
    key: &str,
    mut show: Show<'_>,
    context: &Context,
) -> Result<RowLedger> {
    let mut decoder = dataset.decoder(schema, DecodeLimits::ATHENA);
    let mut rows = Rows::new(schema.decoded(), [0; 4]);
    rows.begin_object(0, DayRange::EVER);
    let mut reader = ObjectReader::default();
    let opened = Opened { key, content: store.open(key) };
    reader.read(store, opened, u64::MAX, decoder.as_mut(), &mut rows, |rows| {
        context.cancel.check()?;
        let rejections = rows.take_rejections();
        show.batch(rows.take_batch(), rejections)
    })?;
    Ok(rows.ledger())
}

fn dataset_of(args: &InspectArgs, store: &dyn Store, key: &str) -> Result<&'static dyn Dataset> {
    if let Some(name) = &args.dataset {
        return dataset::chosen(name);
    }
    let by_name = dataset::all().find(|dataset| matches!(dataset.claim(key), KeyClaim::Mine(_)));
    if let Some(dataset) = by_name {
        return Ok(dataset);
    }
    let head = head(store.open(key)?).unwrap_or_default();
    dataset::all().find(|dataset| dataset.recognises(&head)).ok_or_else(|| {
        Error::new(ErrorKind::Usage, "cannot detect the log type from the file name or contents")
            .with("file", &args.file)
            .hint("pass it with --dataset")
    })
}

fn head(object: Box<dyn Read + Send>) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    Unpacked::new(object)?.take(4096).read_to_end(&mut head)?;
    Ok(head)
}

/// Prints rows as they are decoded, up to a limit.
struct Show<'a> {
    args: &'a InspectArgs,
    rules: RowRules,
    columns: Vec<Column>,
    left: usize,
}

impl Show<'_> {
    fn batch(&mut self, batch: RowBatch, rejections: Vec<Rejection>) -> Result<()> {
        let (batch, _) = self.rules.apply(batch)?;
        let batch =
            batch.plain().map_err(|cause| Error::bug("cannot expand dictionaries").caused_by(cause))?;
        let mut lines: Vec<(u32, Value)> = (0..batch.keys.len().min(self.left))
            .map(|row| {
                (
                    batch.keys[row].position.record,
                    json!({"record": batch.keys[row].position.record, "row": self.row(&batch, row)}),
                )
            })
            .collect();
        lines.extend(rejections.into_iter().map(|rejection| self.rules.mask(rejection)).map(|rejection| {
            let line = QuarantinedRow::new(&rejection, &self.args.file);
            (rejection.position.record, json!({"record": line.record, "reject": line}))
        }));
        lines.sort_by_key(|(record, _)| *record);
        for (_, line) in lines.into_iter().take(self.left) {
            self.left -= 1;
            console::print(&match self.args.format {
                ShowFormat::Json => line.to_string() + "\n",
                ShowFormat::Table => text(&line),
            })?;
        }
        Ok(())
    }

    /// Returns the non-null cells of a row.
    fn row(&self, batch: &RowBatch, row: usize) -> Map<String, Value> {
        let cells = self.columns.iter().zip(&batch.cells).filter(|(_, cells)| cells.is_valid(row));
        let value = |(column, cells): (&Column, &ArrayRef)| {
            (column.name.to_string(), cell(column.column_type, cells.as_ref(), row))
        };
        cells.map(value).collect()
    }
}

/// Formats a row or rejection: the record on the first line, then one line per value.
fn text(line: &Value) -> String {
    let record = line["record"].as_u64().map_or("the object".to_owned(), |record| format!("record {record}"));
    let (title, values) = match (&line["row"], &line["reject"]) {
        (Value::Object(row), _) => (record, row.clone()),
        (_, Value::Object(reject)) => (format!("{record}: rejected"), reject.clone()),
        _ => (record, Map::new()),
    };
    let text_of = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let values = values.iter().filter(|(_, value)| !value.is_null());
    let line = |(name, value): (&String, &Value)| format!("  {name}: {}\n", console::shown(&text_of(value)));
    let lines: Vec<String> = values.map(line).collect();
    format!("{title}\n{}\n", lines.concat())
}

fn cell(column_type: ColumnType, cells: &dyn Array, row: usize) -> Value {
    match column_type {
        ColumnType::Text | ColumnType::Json => cells.as_string::<i32>().value(row).into(),
        ColumnType::Bool => cells.as_boolean().value(row).into(),
        ColumnType::Int => cells.as_primitive::<Int32Type>().value(row).into(),
        ColumnType::BigInt => cells.as_primitive::<Int64Type>().value(row).into(),
        ColumnType::Double => cells.as_primitive::<Float64Type>().value(row).into(),
        ColumnType::Timestamp => {
            UtcInstant(cells.as_primitive::<TimestampMillisecondType>().value(row)).to_string().into()
        }
        ColumnType::TextList => list(cells.as_list(), row),
    }
}

fn list(cells: &ListArray, row: usize) -> Value {
    let elements = cells.value(row);
    elements.as_string::<i32>().iter().map(|element| element.map_or(Value::Null, Value::from)).collect()
}

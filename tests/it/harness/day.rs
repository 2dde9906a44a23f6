//! A published day as a reader of the lake sees it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};
use tempfile::TempDir;

/// A row: its non-null cells by column.
pub(crate) type Row = Map<String, Value>;

/// A log type and its table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) dataset: &'static str,
    pub(crate) name: &'static str,
}

impl Table {
    pub(crate) const CLOUDTRAIL: Self = Self { dataset: "cloudtrail", name: "cloudtrail" };
    pub(crate) const ACCESS: Self = Self { dataset: "s3-access", name: "s3_access" };
}

/// The counts of a ledger: `read`, `written`, `other_day`, `duplicate`, `quarantined`, `filtered`.
pub(crate) fn ledger(counts: &Value) -> [u64; 6] {
    ["read", "written", "other_day", "duplicate", "quarantined", "filtered"]
        .map(|name| counts[name].as_u64().unwrap_or_else(|| panic!("{name} should be a number in {counts}")))
}

/// The text of a JSON string.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} should be a string"))
}

/// The manifest of a day of a table.
pub(crate) fn manifest_path(lake: &Path, table: &str, proc_ymd: &str) -> PathBuf {
    lake.join(format!("_manifests/{table}/proc_ymd={proc_ymd}.json"))
}

/// A published day of a table.
pub(crate) struct Day {
    lake: PathBuf,
    folder: PathBuf,
    /// Keeps the files until the day is dropped.
    _workdir: Rc<TempDir>,
    /// The table's entry in the summary of the run.
    pub(crate) summary: Value,
    pub(crate) manifest: Value,
}

impl Day {
    pub(super) fn read(
        workdir: &Rc<TempDir>,
        lake: &str,
        table: &str,
        proc_ymd: &str,
        summary: Value,
    ) -> Self {
        let lake = workdir.path().join(lake);
        let folder = lake.join(table).join(format!("proc_ymd={proc_ymd}"));
        let manifest = fs::read(manifest_path(&lake, table, proc_ymd)).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(ledger(&manifest["ledger"]), ledger(&summary), "manifest and summary should agree");
        Self { lake, folder, _workdir: Rc::clone(workdir), summary, manifest }
    }

    /// The ledger without `filtered`: `[read, written, other_day, duplicate, quarantined]`.
    pub(crate) fn ledger(&self) -> [u64; 5] {
        let [counts @ .., _] = ledger(&self.summary);
        counts
    }

    /// The part files of the run, by name, with their content.
    pub(crate) fn parts(&self) -> BTreeMap<String, Vec<u8>> {
        let parts = self.manifest["parts"].as_array().unwrap();
        let named = parts.iter().map(|part| {
            let path = text(&part["path"]);
            let (run, name) = path.split_once('/').unwrap();
            assert_eq!(self.manifest["run"], run, "part files should be in the run's folder");
            (name.to_owned(), fs::read(self.folder.join(path)).unwrap())
        });
        named.collect()
    }

    /// The column names of the first part file.
    pub(crate) fn columns(&self) -> Vec<String> {
        let path = self.folder.join(text(&self.manifest["parts"][0]["path"]));
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        builder.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Every row, in the order of the files.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let parts = self.manifest["parts"].as_array().unwrap();
        parts.iter().flat_map(|part| rows_of(&self.folder.join(text(&part["path"])))).collect()
    }

    /// The only row with this value in a column.
    pub(crate) fn row(&self, column: &str, value: &str) -> Row {
        let rows: Vec<Row> =
            self.rows().into_iter().filter(|row| row.get(column).is_some_and(|is| is == value)).collect();
        match <[Row; 1]>::try_from(rows) {
            Ok([row]) => row,
            Err(rows) => panic!("one row should have {column} = {value}, not {}: {rows:?}", rows.len()),
        }
    }

    /// The values of a column, sorted, with `-` for null.
    pub(crate) fn values(&self, column: &str) -> Vec<String> {
        let value = |row: &Row| row.get(column).map_or("-".to_owned(), |value| text(value).to_owned());
        let mut values: Vec<String> = self.rows().iter().map(value).collect();
        values.sort();
        values
    }

    /// The lines of the quarantine file. Empty if the manifest names no such file.
    pub(crate) fn quarantine(&self) -> Vec<Value> {
        let Some(path) = self.manifest["quarantine"]["path"].as_str() else { return Vec::new() };
        let lines = quarantine_lines(&self.lake.join(path));
        assert_eq!(
            self.manifest["quarantine"]["rows"],
            lines.len(),
            "the manifest's count should match the lines"
        );
        let counted_only = self.manifest["counted_only"].as_array().into_iter().flatten();
        let counted_only: u64 = counted_only.map(|group| group["rows"].as_u64().unwrap()).sum();
        let lines_of_ledger = self.ledger()[4] - counted_only;
        assert_eq!(lines_of_ledger, lines.len() as u64, "the ledger's count should match the lines");
        lines
    }

    /// The entries of the list of inputs, one for each raw object.
    pub(crate) fn inputs(&self) -> Vec<Value> {
        let file = File::open(self.lake.join(text(&self.manifest["inputs_file"]["path"]))).unwrap();
        let lines = std::io::read_to_string(flate2::read::GzDecoder::new(file)).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The lines of a quarantine file.
pub(crate) fn quarantine_lines(path: &Path) -> Vec<Value> {
    let lines = fs::read_to_string(path).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn rows_of(path: &Path) -> Vec<Row> {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    reader.flat_map(|batch| rows_of_batch(&batch.unwrap())).collect()
}

fn rows_of_batch(batch: &RecordBatch) -> Vec<Row> {
    let schema = batch.schema();
    let row = |row: usize| {
        let cells = schema.fields().iter().zip(batch.columns()).filter(|(_, cells)| cells.is_valid(row));
        cells.map(|(field, cells)| (field.name().clone(), cell(cells.as_ref(), row))).collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

/// A non-null cell. A time becomes a string, for example `2023-11-01T03:00:00`.
fn cell(cells: &dyn Array, row: usize) -> Value {
    match cells.data_type() {
        DataType::Boolean => cells.as_boolean().value(row).into(),
        DataType::Int32 => cells.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => cells.as_primitive::<Int64Type>().value(row).into(),
        DataType::List(_) => {
            let list = cells.as_list::<i32>().value(row);
            list.as_string::<i32>().iter().map(|element| element.map_or(Value::Null, Value::from)).collect()
        }
        _ => array_value_to_string(cells, row).unwrap().into(),
    }
}

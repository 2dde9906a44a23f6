//! Writes rows as a table, CSV, JSON lines or Parquet.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use comfy_table::{CellAlignment, ContentArrangement, Row, Table, presets};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value};

use super::cells::{self, Texts};
use super::csv::Csv;
use crate::cli::args::QueryFormat;
use crate::cli::console;
use crate::error::{Error, ErrorKind, Result};
use crate::escape;
use crate::query::RowStream;

/// Minimum width of a readable column. If columns are narrower, each row is printed as a list.
const MIN_WIDTH: usize = 10;

/// The resolved format of the output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) format: QueryFormat,
    /// Whether CSV must not contain formulas for spreadsheets.
    pub(super) is_csv_safe: bool,
}

/// The result of writing.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) rows: u64,
    /// Whether rows were left out.
    pub(super) is_cut: bool,
}

/// The destination of rows, by format.
pub(super) enum Sink {
    Table {
        target: Box<dyn Write>,
        width: Option<usize>,
    },
    /// `is_shown` if a terminal shows the text, which must not get control characters.
    Csv {
        target: Box<dyn Write>,
        csv: Csv,
        is_shown: bool,
    },
    Json {
        target: Box<dyn Write>,
        names: Vec<String>,
    },
    Parquet {
        writer: Box<ArrowWriter<BufWriter<File>>>,
    },
}

/// Whether writing continues.
enum Outcome {
    Continues,
    /// The reader has closed the output.
    Ends,
}

impl Sink {
    pub(super) fn of_file(form: Form, file: BufWriter<File>, schema: &SchemaRef) -> Result<Self> {
        if form.format != QueryFormat::Parquet {
            return Ok(Self::of_text(form, Box::new(file), schema, None));
        }
        let level =
            ZstdLevel::try_new(3).map_err(|cause| Error::bug("zstd has no such level").caused_by(cause))?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(|cause| {
            Error::new(ErrorKind::Usage, "cannot write these columns as Parquet").caused_by(cause)
        })?;
        Ok(Self::Parquet { writer: Box::new(writer) })
    }

    /// `width` is that of the terminal, if standard output is one.
    pub(super) fn of_stdout(form: Form, schema: &SchemaRef, width: Option<usize>) -> Self {
        Self::of_text(form, Box::new(BufWriter::new(io::stdout())), schema, width)
    }

    fn of_text(form: Form, target: Box<dyn Write>, schema: &SchemaRef, width: Option<usize>) -> Self {
        let schema = schema.clone();
        match form.format {
            QueryFormat::Json => Self::Json { target, names: distinct_names(&schema) },
            QueryFormat::Table => Self::Table { target, width },
            QueryFormat::Csv | QueryFormat::Parquet => {
                Self::Csv { target, csv: Csv::new(schema, form.is_csv_safe), is_shown: width.is_some() }
            }
        }
    }

    /// Writes all rows. A table has at most `most` rows, unless `most` is 0.
    pub(super) fn write_all(&mut self, rows: &mut RowStream, most: usize) -> Result<Written> {
        if let Self::Table { target, width } = self {
            let sheet = Sheet::read(rows, most)?;
            let text = sheet.text(*width)?;
            of_writing(target.write_all(text.as_bytes()).and_then(|()| target.flush()))?;
            return Ok(sheet.written);
        }
        let mut written = Written::default();
        // If the statement fails before its first row, nothing is printed.
        let mut next = rows.next().transpose()?;
        let mut outcome = self.begin()?;
        while let (Outcome::Continues, Some(batch)) = (&outcome, &next) {
            outcome = self.write(batch)?;
            written.rows += batch.num_rows() as u64;
            next = if matches!(outcome, Outcome::Continues) { rows.next().transpose()? } else { None };
        }
        self.end()?;
        Ok(written)
    }

    fn begin(&mut self) -> Result<Outcome> {
        let Self::Csv { target, csv, .. } = self else { return Ok(Outcome::Continues) };
        of_writing(target.write_all(csv.header().as_bytes()))
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<Outcome> {
        match self {
            Self::Parquet { writer } => {
                let written = writer.write(batch);
                let failed = |cause| Error::unusable("cannot write the rows as Parquet", cause);
                written.map_err(failed).map(|()| Outcome::Continues)
            }
            Self::Csv { target, csv, is_shown } => {
                let text = csv.rows(batch)?;
                let text = if *is_shown { escape::lines(&text) } else { text.into() };
                of_writing(target.write_all(text.as_bytes()))
            }
            Self::Json { target, names } => of_writing(target.write_all(json(batch, names)?.as_bytes())),
            Self::Table { .. } => Ok(Outcome::Continues),
        }
    }

    fn end(&mut self) -> Result<()> {
        match self {
            Self::Parquet { writer } => {
                let ended = writer.finish().map(|_| ());
                ended.map_err(|cause| Error::unusable("cannot finish the Parquet file", cause))?;
                of_writing(writer.inner_mut().flush()).map(|_| ())
            }
            Self::Csv { target, .. } | Self::Json { target, .. } | Self::Table { target, .. } => {
                of_writing(target.flush()).map(|_| ())
            }
        }
    }
}

/// The first rows of a statement, to be shown as a table.
pub(super) struct Sheet {
    batches: Vec<RecordBatch>,
    schema: SchemaRef,
    pub(super) written: Written,
}

impl Sheet {
    /// Reads the first `most` rows, or all rows if `most` is 0.
    pub(super) fn read(rows: &mut RowStream, most: usize) -> Result<Self> {
        let schema = rows.schema().clone();
        let (batches, written) = first_rows(rows, most)?;
        Ok(Self { batches, schema, written })
    }

    /// Returns the table, cut to a width if one is given.
    pub(super) fn text(&self, width: Option<usize>) -> Result<String> {
        table(&self.batches, &self.schema, width)
    }
}

/// Converts the result of a write. A reader that stops early, such as `head`, is not an error.
fn of_writing(written: io::Result<()>) -> Result<Outcome> {
    match written {
        Ok(()) => Ok(Outcome::Continues),
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Ends),
        Err(cause) => Err(Error::unusable("cannot write the rows", cause)),
    }
}

/// Reads the first `most` rows, or all rows if `most` is 0.
fn first_rows(rows: &mut RowStream, most: usize) -> Result<(Vec<RecordBatch>, Written)> {
    let (mut batches, mut written) = (Vec::new(), Written::default());
    let mut room = if most == 0 { usize::MAX } else { most };
    for batch in rows {
        let batch = batch?;
        written.is_cut = batch.num_rows() > room;
        let batch = batch.slice(0, batch.num_rows().min(room));
        room -= batch.num_rows();
        written.rows += batch.num_rows() as u64;
        batches.push(batch);
        if written.is_cut {
            break;
        }
    }
    Ok((batches, written))
}

/// Returns unique column names for JSON objects. A repeated name gets a number as its suffix.
fn distinct_names(schema: &SchemaRef) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let is_taken = |names: &[String], name: &str| names.iter().any(|taken| taken == name);
    for field in schema.fields() {
        let numbered = (2..).map(|number| format!("{}_{number}", field.name()));
        let mut candidates = std::iter::once(field.name().clone()).chain(numbered);
        // Always finds a name, because the numbers never end.
        names.extend(candidates.find(|name| !is_taken(&names, name)));
    }
    names
}

fn json(batch: &RecordBatch, names: &[String]) -> Result<String> {
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        let cells_of_row = names.iter().zip(batch.columns());
        let object = cells_of_row.map(|(name, cells)| Ok((name.clone(), cells::json(cells, row)?)));
        text += &console::shown(&Value::Object(object.collect::<Result<Map<_, _>>>()?).to_string());
        text.push('\n');
    }
    Ok(text)
}

/// Formats rows as a table, or each row as a list if the terminal is too narrow.
fn table(batches: &[RecordBatch], schema: &SchemaRef, width: Option<usize>) -> Result<String> {
    let names: Vec<String> = schema.fields().iter().map(|field| shown(Some(field.name().clone()))).collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for batch in batches {
        let columns = batch.columns().iter().map(Texts::of).collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            let cells = columns.iter().map(|column| Ok(shown(column.cell(row)?)));
            rows.push(cells.collect::<Result<_>>()?);
        }
    }
    if width.is_some_and(|width| names.len() * MIN_WIDTH > width) {
        return Ok(lists(&names, rows));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(&names);
    if let Some(width) = width {
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    for row in rows {
        let mut row = Row::from(row);
        row.max_height(1);
        table.add_row(row);
    }
    for (column, field) in table.column_iter_mut().zip(schema.fields()) {
        column.set_padding((0, 2));
        if cells::is_number(field.data_type()) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Ok(table.lines().map(|line| line.trim_end().to_owned() + "\n").collect())
}

/// Escapes a cell or a name for use within a line.
fn shown(cell: Option<String>) -> String {
    cell.map(|cell| console::shown(&cell).into_owned()).unwrap_or_default()
}

fn lists(names: &[String], rows: Vec<Vec<String>>) -> String {
    let widest = names.iter().map(String::len).max().unwrap_or_default();
    let mut text = String::new();
    for (number, row) in (1..).zip(rows) {
        text += &format!("row {number}\n");
        let cells = names.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        text.extend(cells.map(|(name, cell)| format!("  {name:widest$}  {cell}\n")));
    }
    text
}

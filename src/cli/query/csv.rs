//! Rows as CSV (RFC 4180). NULL is an empty field, and an empty text is quoted.
//!
//! Spreadsheets run a cell that begins with `=` as a formula, and any client can choose keys and user agents. A safe file
//! has an apostrophe before such texts (OWASP, "CSV Injection"). Numbers and times are not changed.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};

use super::cells::{self, Texts};
use crate::error::Result;

/// The first characters of formulas, in ASCII and in full width, and the blanks that some programs skip before them.
const FORMULA: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// How the cells of a file are written.
pub(super) struct Csv {
    schema: SchemaRef,
    is_safe: bool,
}

impl Csv {
    pub(super) fn new(schema: SchemaRef, is_safe: bool) -> Self {
        Self { schema, is_safe }
    }

    /// Returns the header line.
    pub(super) fn header(&self) -> String {
        let names = self.schema.fields().iter().map(|field| self.text(field.name()));
        names.collect::<Vec<_>>().join(",") + "\n"
    }

    /// Formats rows, one line each.
    pub(super) fn rows(&self, batch: &RecordBatch) -> Result<String> {
        let columns = batch.columns().iter().map(|cells| Ok((Texts::of(cells)?, is_text(cells.data_type()))));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            for (place, (column, is_text)) in columns.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.extend(
                    column.cell(row)?.map(|cell| if *is_text { self.text(&cell) } else { quoted(&cell) }),
                );
            }
            text.push('\n');
        }
        Ok(text)
    }

    fn text(&self, cell: &str) -> String {
        if self.is_safe && cell.starts_with(FORMULA) { quoted(&format!("'{cell}")) } else { quoted(cell) }
    }
}

/// Returns whether cells of a type can begin with text that a client chose.
fn is_text(data_type: &DataType) -> bool {
    !cells::is_number(data_type) && !data_type.is_temporal()
}

fn quoted(cell: &str) -> String {
    if cell.is_empty() || cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

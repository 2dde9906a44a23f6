//! The lines of a log type for the shared framing of lines: one line, one row.

use super::cells;
use super::grammar::Grammar;
use super::read::{Reader, Row};
use super::value::Value;
use crate::dataset::lines::{Line, LineFormat};
use crate::kst::UtcInstant;
use crate::table::{RowHead, Rows};

/// The lines of a log type with a table of fields.
#[derive(Debug)]
pub(in crate::dataset) struct FieldLines<const N: usize> {
    reader: Reader<N>,
    /// The places of the fields by which rows are sorted.
    cluster: [usize; 2],
    /// The place of the event time.
    event_time: usize,
}

impl<const N: usize> FieldLines<N> {
    /// Returns the format for a table of fields.
    pub(in crate::dataset) fn new(grammar: &'static Grammar<N>) -> Self {
        let (cluster, event_time) = (grammar.cluster_fields(), grammar.event_time_field());
        Self { reader: Reader { grammar }, cluster, event_time }
    }

    /// Whether the first line that is not blank begins like a record.
    pub(in crate::dataset) fn recognises(&self, head: &[u8]) -> bool {
        let mut lines = head.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        lines.next().is_some_and(|line| self.reader.begins(&String::from_utf8_lossy(line)))
    }

    fn event_time(&self, row: &Row<'_, N>) -> UtcInstant {
        match row.values[self.event_time] {
            Value::Time(at) => at,
            _ => unreachable!("a line without an event time is rejected"),
        }
    }
}

impl<const N: usize> LineFormat for FieldLines<N> {
    type Waiting<'a> = Vec<Row<'a, N>>;

    fn row<'a>(&mut self, line: &Line<'a>, waiting: &mut Vec<Row<'a, N>>, rows: &mut Rows) {
        if (self.reader.grammar.is_note)(line.text) {
            return;
        }
        let row = match self.reader.read(line.text) {
            Ok(row) => row,
            Err(fault) => return line.reject(fault.reason.as_str(), fault.to_string(), rows),
        };
        let head = RowHead {
            record: line.number,
            at: self.event_time(&row),
            raw: line.raw,
            identity: line.raw,
            cluster: &self.cluster.map(|field| row.text(field).unwrap_or_default()),
        };
        if rows.begin_row(&head) {
            waiting.push(row);
        }
    }

    fn cells(&mut self, waiting: &mut Vec<Row<'_, N>>, rows: &mut Rows) {
        cells::write(self.reader.grammar, waiting, rows);
    }
}

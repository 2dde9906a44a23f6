//! The lines of a log type for the shared framing of lines: one line, one row.

use super::cells;
use super::grammar::{Grammar, LineRole};
use super::json;
use super::layout::Layout;
use super::read::{Reader, Row};
use crate::dataset::lines::{Line, LineFormat};
use crate::dataset::placed::PlacedLines;
use crate::table::{RowHead, Rows};

/// The lines of a log type with headers.
#[derive(Debug)]
pub(in crate::dataset) struct HeadedLines<const N: usize> {
    reader: Reader<N>,
    /// The places of the fields by which rows are sorted.
    cluster: [usize; 2],
    /// The place of the id that no two requests share.
    id: Option<usize>,
    /// The place of the field whose value the name of an object holds too.
    of_name: usize,
    /// The fields of the next line, if a header named them.
    layout: Option<Layout>,
    /// The object, and the identity of lines without an id.
    placed: PlacedLines,
}

impl<const N: usize> HeadedLines<N> {
    /// Returns the format of a log type.
    pub(in crate::dataset) fn new(grammar: &'static Grammar<N>) -> Self {
        Self {
            reader: Reader::new(grammar),
            cluster: grammar.cluster.map(|column| grammar.field_of_column(column)),
            id: grammar.id.map(|column| grammar.field_of_column(column)),
            of_name: grammar.field_of_column(grammar.of_name.0),
            layout: None,
            placed: PlacedLines::default(),
        }
    }

    /// Whether the first header or record is one of this log type. The last line may be cut.
    pub(in crate::dataset) fn recognises(&self, head: &[u8]) -> bool {
        let head = String::from_utf8_lossy(head);
        let grammar = self.reader.grammar;
        for line in head.lines().filter(|line| !line.trim_ascii().is_empty()) {
            match (grammar.role)(line) {
                LineRole::Note => {}
                LineRole::Header(names) => return (grammar.is_own)(&names),
                LineRole::Record if self.is_json(line) => {
                    let names = json::names(line);
                    return (grammar.is_own)(&names.iter().map(AsRef::as_ref).collect::<Vec<_>>());
                }
                LineRole::Record => return self.reader.begins(line),
            }
        }
        false
    }

    fn is_json(&self, line: &str) -> bool {
        self.reader.grammar.has_json && line.starts_with('{')
    }
}

impl<const N: usize> LineFormat for HeadedLines<N> {
    type Waiting<'a> = Vec<Row<'a, N>>;

    fn begin(&mut self, key: &str) {
        self.layout = None;
        self.placed.begin(key);
    }

    fn row<'a>(&mut self, line: &Line<'a>, waiting: &mut Vec<Row<'a, N>>, rows: &mut Rows) {
        let grammar = self.reader.grammar;
        let read = match (grammar.role)(line.text) {
            LineRole::Note => return,
            LineRole::Header(names) => {
                self.layout = Some(Layout::of(grammar, &names));
                return;
            }
            LineRole::Record if self.is_json(line.text) => {
                json::read(grammar, &self.reader.event_time, line.text)
            }
            LineRole::Record => match &self.layout {
                Some(layout) => self.reader.read(layout, line.text),
                None => self.reader.read_default(line.text),
            },
        };
        let row = match read {
            Ok(row) => row,
            Err(fault) => return line.reject(fault.reason.name, fault.to_string(), rows),
        };
        // Without an id, equal lines can be real.
        let has_id = self.id.is_some_and(|place| row.values[place].text().is_some());
        let identity = if has_id { line.raw } else { self.placed.identity(line) };
        let head = RowHead {
            record: line.number,
            at: row.at,
            raw: line.raw,
            identity,
            cluster: &self.cluster.map(|place| row.values[place].text().unwrap_or_default()),
        };
        if rows.begin_row(&head) {
            waiting.push(row);
        }
    }

    fn cells(&mut self, waiting: &mut Vec<Row<'_, N>>, rows: &mut Rows) {
        let grammar = self.reader.grammar;
        // All of these lines are of the current object.
        let of_name = (grammar.of_name.1)(self.placed.object());
        cells::write(grammar, waiting, (self.of_name, of_name), rows);
    }
}

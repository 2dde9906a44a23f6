//! Writes the fields of lines as cells, column by column.

use std::borrow::Cow;

use super::grammar::Grammar;
use super::kind::Kind;
use super::read::Row;
use super::request_line::RequestLine;
use super::value::{Value, address_port, status, validity};
use crate::table::{Cells, Rows};

/// Appends the cells of all lines to each decoded column, in the order of the schema, and empties `lines`.
pub(super) fn write<const N: usize>(grammar: &Grammar<N>, lines: &mut Vec<Row<'_, N>>, rows: &mut Rows) {
    // The event time is the first column, wherever its field is.
    let mut next = 1;
    for (place, field) in grammar.fields.iter().enumerate() {
        let values = Values { place, lines };
        if let Kind::EventTime(_) | Kind::EventTimeUtc(_) = field.kind {
            values.write(&field.kind, 0, rows);
        } else {
            next += values.write(&field.kind, next, rows);
        }
    }
    let cells = rows.cell(next);
    lines.drain(..).for_each(|line| cells.push_text(line.extra));
}

/// The values of one field in some lines.
#[derive(Clone, Copy)]
struct Values<'l, 'a, const N: usize> {
    place: usize,
    lines: &'l [Row<'a, N>],
}

impl<'a, const N: usize> Values<'_, 'a, N> {
    /// Fills the columns of a field, from the column `first` on, and returns their number.
    fn write(self, kind: &Kind, first: usize, rows: &mut Rows) -> usize {
        match kind {
            Kind::EventTime(_)
            | Kind::EventTimeUtc(_)
            | Kind::Time(_)
            | Kind::TimeUtc(_)
            | Kind::Integer(_)
            | Kind::Double(_) => {
                self.plain(rows.cell(first));
            }
            Kind::Text(_) | Kind::Tls(_) | Kind::Word(..) => self.texts(rows.cell(first), Some),
            Kind::Status(_) => {
                self.push(rows.cell(first), |cells, text| cells.push_integer(text.and_then(status)));
            }
            Kind::List(_) => self.push(rows.cell(first), push_list),
            Kind::AddressPort(_) => {
                let read = self.read_once(address_port);
                let cells = rows.cell(first);
                for both in &read {
                    cells.push_text(both.map(|(address, _)| address));
                }
                let cells = rows.cell(first + 1);
                for both in &read {
                    cells.push_integer(both.map(|(_, port)| port));
                }
            }
            Kind::Request(_) => {
                self.texts(rows.cell(first), Some);
                let read = self.read_once(|text| Some(RequestLine::of(text)));
                let parts: [fn(&RequestLine<'a>) -> Option<&'a str>; 3] =
                    [|request| request.method, |request| request.url, |request| request.protocol];
                for (column, part) in (first + 1..).zip(parts) {
                    let cells = rows.cell(column);
                    for request in &read {
                        cells.push_text(request.as_ref().and_then(part));
                    }
                }
            }
            Kind::Validity(_) => {
                self.texts(rows.cell(first), Some);
                for part in [0, 1] {
                    let time = |text| validity(text).ok().and_then(|times| times[part]);
                    self.push(rows.cell(first + 1 + part), |cells, text| {
                        cells.push_time(text.and_then(time));
                    });
                }
            }
        }
        kind.columns().len()
    }

    /// Appends a cell for each value that is a part of its line.
    fn push(self, cells: &mut Cells, push: impl Fn(&mut Cells, Option<&'a str>)) {
        self.lines.iter().for_each(|line| push(cells, line.text(self.place)));
    }

    /// Appends a part of each such value.
    fn texts(self, cells: &mut Cells, part: impl Fn(&'a str) -> Option<&'a str>) {
        self.push(cells, |cells, text| cells.push_text(text.and_then(&part)));
    }

    /// Reads what several columns take from each such value.
    fn read_once<P>(self, read: impl Fn(&'a str) -> Option<P>) -> Vec<Option<P>> {
        self.lines.iter().map(|line| line.text(self.place).and_then(&read)).collect()
    }

    /// Appends values that are not texts.
    fn plain(self, cells: &mut Cells) {
        for line in self.lines {
            match line.values[self.place] {
                Value::Integer(number) => cells.push_integer(Some(number)),
                Value::Double(number) => cells.push_double(Some(number)),
                Value::Time(at) => cells.push_time(Some(at)),
                Value::Null | Value::Text(_) => cells.push_null(),
            }
        }
    }
}

fn push_list(cells: &mut Cells, text: Option<&str>) {
    match text {
        Some(text) => cells.push_list(text.split(',').map(|item| Some(Cow::Borrowed(item)))),
        None => cells.push_null(),
    }
}

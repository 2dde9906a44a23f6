//! Writes the values of lines as cells, column by column.

use super::field::Kind;
use super::grammar::Grammar;
use super::read::Row;
use super::value::Value;
use crate::table::{Cells, Rows};

/// Appends the cells of all lines to each decoded column, in the order of the schema, and empties `lines`. A field, by its
/// place, takes a text where it has none of its own.
pub(super) fn write<const N: usize>(
    grammar: &Grammar<N>,
    lines: &mut Vec<Row<'_, N>>,
    (of_name, name): (usize, Option<&str>),
    rows: &mut Rows,
) {
    for line in &*lines {
        rows.cell(0).push_time(Some(line.at));
    }
    let with_column = grammar.fields.iter().enumerate().filter(|(_, field)| field.column().is_some());
    let mut next = 1;
    for (place, field) in with_column {
        let cells = rows.cell(next);
        let own = if place == of_name { name } else { None };
        for value in lines.iter().map(|line| &line.values[place]) {
            match field.kind {
                Kind::Text(_) => cells.push_text(value.text().or(own)),
                _ => push(cells, value),
            }
        }
        next += 1;
    }
    let cells = rows.cell(next);
    lines.drain(..).for_each(|line| cells.push_text(line.extra.as_deref()));
}

/// Appends a value that is not a text.
fn push(cells: &mut Cells, value: &Value<'_>) {
    match value {
        Value::Integer(number) => cells.push_integer(Some(*number)),
        Value::Double(number) => cells.push_double(Some(*number)),
        Value::Time(at) => cells.push_time(Some(*at)),
        Value::Null | Value::Text(_) | Value::Unescaped(_) => cells.push_null(),
    }
}

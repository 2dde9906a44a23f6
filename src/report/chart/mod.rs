//! Draws answers as HTML: tables that screen readers can read, with charts in them or above them.

mod bars;
mod heat;
mod lines;
mod scale;

use super::answer::{Answer, Cell};
use super::calendar::Calendar;
use super::figure::{Chart, Figure, Label, Missing};
use super::format::Unit;
use super::text::Text;
use crate::html::{concat, escape};

pub(super) use lines::{charts, details_id};

const NOTHING: Text = Text::new("None", "해당 없음");

/// Draws the answer of a figure.
pub(super) fn draw(figure: &Figure, answer: &Answer, calendar: &Calendar) -> String {
    if answer.rows.is_empty() {
        return format!(r#"<p class="nothing">{}</p>"#, NOTHING.both());
    }
    let title = title_id(figure.id);
    match figure.chart {
        Chart::Plain => region(&title, &rows(figure.labels, answer)),
        Chart::Bars { value } => region(&title, &bars::table(figure, answer, value)),
        Chart::Heat { value } => region(&title, &heat::table(figure, answer, value, calendar)),
        Chart::Months => {
            let charts = lines::months(figure, answer);
            format!("{charts}{}", region(&title, &rows(figure.labels, answer)))
        }
    }
}

/// Returns the id of the heading above the figure of an id.
pub(super) fn title_id(id: &str) -> String {
    format!("{id}-title")
}

/// Wraps a wide or long table so that it scrolls, also with the keyboard. The heading of an id names it.
pub(super) fn region(title_id: &str, table: &str) -> String {
    format!(r#"<div class="scroll" role="group" tabindex="0" aria-labelledby="{title_id}">{table}</div>"#)
}

/// Returns a table whose columns readers can sort.
pub(super) fn rows(labels: &[Label], answer: &Answer) -> String {
    let body = concat(answer.rows.iter().map(|row| format!("<tr>{}</tr>", row_cells(row, labels))));
    format!(r#"<table class="sortable">{}<tbody>{body}</tbody></table>"#, head(labels, answer))
}

/// Returns the header row. Headers of numbers are aligned like their cells.
fn head(labels: &[Label], answer: &Answer) -> String {
    let is_number = |column: usize| {
        column > 0 && answer.rows.iter().any(|row| matches!(row[column], Cell::Integer(_) | Cell::Real(_)))
    };
    let heads = concat(labels.iter().enumerate().map(|(column, label)| {
        let class = if is_number(column) { r#" class="number""# } else { "" };
        format!(r#"<th scope="col"{class}>{}</th>"#, label.name.both())
    }));
    format!("<thead><tr>{heads}</tr></thead>")
}

fn row_cells(row: &[Cell], labels: &[Label]) -> String {
    let cells = row.iter().zip(labels).enumerate();
    concat(cells.map(|(column, (cell, label))| data_cell(column, cell, label)))
}

/// Returns a cell. The first cell of a row is its header. The script sorts by `data-n`, the number without its unit.
pub(super) fn data_cell(column: usize, cell: &Cell, label: &Label) -> String {
    let unit = label.unit;
    let text = escape(&cell.text_in(unit));
    match cell {
        _ if column == 0 => format!(r#"<th scope="row"><bdi>{text}</bdi></th>"#),
        Cell::Integer(number) if unit != Unit::Count => {
            format!(r#"<td class="number" data-n="{number}">{text}</td>"#)
        }
        Cell::Real(number) if unit != Unit::Count => {
            format!(r#"<td class="number" data-n="{number}">{text}</td>"#)
        }
        Cell::Integer(_) | Cell::Real(_) => format!(r#"<td class="number">{text}</td>"#),
        Cell::Null if label.missing == Missing::Gap => format!(r#"<td class="number">{text}</td>"#),
        Cell::Text(text) if is_time(text) => format!(r#"<td class="time">{}</td>"#, escape(text)),
        Cell::Text(_) | Cell::Null => format!("<td><bdi>{text}</bdi></td>"),
    }
}

/// Whether a text is a time, such as `2023-11-01 09:00:00`, which stays on one line.
fn is_time(text: &str) -> bool {
    text.len() == "2023-11-01 09:00:00".len()
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"- :".contains(&byte))
}

//! Draws an answer as HTML: a table that screen readers can read, with charts in it or above it.

mod bars;
mod heat;
mod panels;
mod scale;

use std::collections::BTreeSet;

use super::answer::{Answer, Cell};
use super::figure::{Chart, Figure, Label};
use super::text::Text;
use crate::html::{concat, escape};
use crate::kst::{DayRange, KstDay};

/// The days of the page, and the published days among them.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    pub(super) days: DayRange,
    pub(super) published: BTreeSet<KstDay>,
}

const NOTHING: Text = Text::new("None", "해당 없음");

/// Draws an answer and its table.
pub(super) fn draw(figure: &Figure, answer: &Answer, calendar: &Calendar) -> String {
    if answer.rows.is_empty() {
        return format!(r#"<p class="nothing">{}</p>"#, NOTHING.both());
    }
    match figure.chart {
        Chart::Bars { value } => region(figure.title, &bars::table(figure, answer, value)),
        Chart::Heat { value } => region(figure.title, &heat::table(figure, answer, value, calendar)),
        Chart::Panels(mark) => {
            let panels = panels::panels(figure, answer, mark, calendar);
            format!("{panels}{}", region(figure.title, &rows(figure.labels, answer)))
        }
    }
}

/// Wraps a wide or long table so that it scrolls, also with the keyboard.
pub(super) fn region(title: Text, table: &str) -> String {
    format!(
        r#"<div class="scroll" role="region" tabindex="0" aria-label="{} / {}">{table}</div>"#,
        escape(title.en),
        escape(title.ko)
    )
}

fn rows(labels: &[Label], answer: &Answer) -> String {
    let body = concat(answer.rows.iter().map(|row| format!("<tr>{}</tr>", row_cells(row))));
    format!("<table>{}<tbody>{body}</tbody></table>", head(labels, answer))
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

fn row_cells(row: &[Cell]) -> String {
    concat(row.iter().enumerate().map(|(column, cell)| data_cell(column, cell)))
}

/// Returns a cell. The first cell of a row is its header.
fn data_cell(column: usize, cell: &Cell) -> String {
    let text = format!("<bdi>{}</bdi>", escape(&cell.text()));
    match cell {
        _ if column == 0 => format!(r#"<th scope="row">{text}</th>"#),
        Cell::Integer(_) | Cell::Real(_) => format!(r#"<td class="number">{text}</td>"#),
        Cell::Text(_) | Cell::Null => format!("<td>{text}</td>"),
    }
}

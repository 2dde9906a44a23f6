//! A table with a bar in each row for one number.

use super::{head, row_cells};
use crate::html::concat;
use crate::report::answer::{Answer, Cell};
use crate::report::figure::{Figure, Label};

/// Draws the table.
pub(super) fn table(figure: &Figure, answer: &Answer, value: usize) -> String {
    let most = answer.numbers(value).fold(0.0, f64::max);
    let body = concat(answer.rows.iter().map(|row| line(row, figure.labels, value, most)));
    let heads = head(figure.labels, answer).replace("</tr></thead>", r#"<td class="bar"></td></tr></thead>"#);
    format!(r#"<table class="bars sortable">{heads}<tbody>{body}</tbody></table>"#)
}

fn line(row: &[Cell], labels: &[Label], value: usize, most: f64) -> String {
    let cells = row_cells(row, labels);
    let number = row[value].number().unwrap_or(0.0);
    let length = if most > 0.0 { 100.0 * number / most } else { 0.0 };
    // The number is in its own cell, so screen readers can skip the bar.
    format!(
        r#"<tr>{cells}<td class="bar"><svg width="100%" height="14" aria-hidden="true"><rect class="{}" width="{length:.2}%" height="14" rx="2"/></svg></td></tr>"#,
        tone(row),
    )
}

/// Returns the CSS class of a bar. Status codes are coloured by their class.
fn tone(row: &[Cell]) -> &'static str {
    let Cell::Text(name) = &row[0] else { return "mark" };
    let is_status = name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_digit());
    match name.as_bytes().first() {
        Some(b'2') if is_status => "mark ok",
        Some(b'3') if is_status => "mark elsewhere",
        Some(b'4') if is_status => "mark refused",
        Some(b'5') if is_status => "mark broken",
        _ => "mark",
    }
}

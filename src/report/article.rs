//! Pieces that the articles of findings and figures share.

use super::figure::{Chart, Figure};
use super::scope::Scope;
use super::text::both;
use crate::html::escape;

/// Returns the class of figures that fit next to each other on a wide screen.
pub(super) fn half(figure: &Figure, scope: &Scope) -> &'static str {
    let is_narrow = match figure.chart {
        Chart::Heat { .. } => scope.length() <= 3,
        Chart::Bars { .. } => figure.labels.len() <= 3,
        Chart::Plain | Chart::Months => figure.labels.len() <= 4,
    };
    if is_narrow { r#" class="half""# } else { "" }
}

/// States how many rows a table leaves out; empty if it has all rows.
pub(super) fn more(shown: usize, all: usize) -> String {
    if all <= shown {
        return String::new();
    }
    let thousands = super::format::thousands(i64::try_from(all).unwrap_or(i64::MAX));
    let en = format!("The first {shown} of {thousands} rows.");
    let ko = format!("전체 {thousands}행 중 상위 {shown}행입니다.");
    format!(r#"<p class="note more">{}</p>"#, both(&en, &ko))
}

/// Returns a query that a reader can open and copy.
pub(super) fn sql_details(sql: &str) -> String {
    // Line breaks are part of the query.
    let lines: Vec<String> = sql.lines().map(escape).collect();
    format!(
        "<details class=\"sql\"><summary>SQL</summary><pre><code>{}</code></pre></details>",
        lines.join("\n")
    )
}

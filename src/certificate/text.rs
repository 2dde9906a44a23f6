//! A certificate as plain text.

use super::{Document, Section};

/// Formats a certificate as text. `table` formats a table with these heads and rows.
#[must_use]
pub fn text(document: &Document, table: impl Fn(&[&'static str], &[Vec<String>]) -> String) -> String {
    let mut text = format!("{}\n", document.title);
    for Section { title, paragraphs, heads, rows } in &document.sections {
        text.push('\n');
        if !title.is_empty() {
            text += &format!("{title}\n\n");
        }
        text.extend(paragraphs.iter().map(|paragraph| format!("{paragraph}\n")));
        if !rows.is_empty() {
            text += &table(heads, rows);
        }
    }
    text
}

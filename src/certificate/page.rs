//! A certificate as one HTML page without scripts, which prints on A4.

use super::words::{DATA, Language};
use super::{Certificate, Document, Section};
use crate::error::Result;
use crate::html::{concat, escape};

const STYLE: &str = include_str!("page.css");
/// The element that carries the certificate as JSON.
const CARRIER: &str = "<pre id=\"certificate\">";
const CARRIER_END: &str = "</pre>";
/// Number of characters of a cell that fits on one line of each table.
const LONGEST_SHORT_CELL: usize = 20;

/// Formats a certificate as a page, which carries the certificate as JSON.
pub fn page(certificate: &Certificate, language: Language) -> Result<String> {
    let document = Document::of(certificate, language);
    let sections = concat(document.sections.iter().map(section));
    let (tag, title) = (language.tag(), escape(document.title));
    let (json, data) = (escape(&certificate.to_json()?), escape(language.of(DATA)));
    Ok(format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{sections}<details><summary>{data}</summary>{CARRIER}{json}{CARRIER_END}</details>\n</body>\n</html>\n"
    ))
}

fn section(section: &Section) -> String {
    let Section { title, paragraphs, heads, rows, .. } = section;
    let title = if title.is_empty() { String::new() } else { format!("<h2>{}</h2>", escape(title)) };
    let paragraphs = concat(paragraphs.iter().map(|paragraph| format!("<p>{}</p>", escape(paragraph))));
    format!("<section>{title}{paragraphs}{}</section>\n", table(heads, rows))
}

fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads = concat(heads.iter().map(|head| format!("<th scope=\"col\">{}</th>", escape(head))));
    let row = |row: &Vec<String>| {
        let cells = concat(row.iter().map(|text| cell(text)));
        format!("<tr>{cells}</tr>")
    };
    format!("<table><thead><tr>{heads}</tr></thead><tbody>{}</tbody></table>", concat(rows.iter().map(row)))
}

/// A short cell, for example a day or a number, is not split over lines.
fn cell(text: &str) -> String {
    let class = if text.chars().count() <= LONGEST_SHORT_CELL { " class=\"short\"" } else { "" };
    format!("<td{class}>{}</td>", escape(text))
}

/// Returns the certificate that a page carries, as JSON; `None` if the text is not such a page.
pub(super) fn carried(text: &str) -> Option<String> {
    let (_, rest) = text.rsplit_once(CARRIER)?;
    let (escaped, _) = rest.split_once(CARRIER_END)?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(escaped.to_owned(), |text, (entity, plain)| text.replace(entity, plain)))
}

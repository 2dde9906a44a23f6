//! The rewriting of a statement never changes a text in quotes.

use logmill::error::ErrorKind;
use logmill::fuzzing::rewritten_statement;

/// Longer statements and deeper nesting only cost time.
const MOST_BYTES: usize = 2_000;

pub(crate) fn check(data: &[u8]) {
    let Ok(sql) = std::str::from_utf8(data) else { return };
    if sql.len() > MOST_BYTES || has_clauses(sql) {
        return;
    }
    match rewritten_statement(sql) {
        Ok((text, statement)) => {
            for literal in literals(sql) {
                assert!(literals(&text).contains(&literal), "{literal:?} of {sql:?} is not in {text:?}");
                let quoted = format!("'{}'", literal.replace('\'', "''"));
                let is_kept = statement.contains(&quoted) || is_decoded(sql);
                assert!(is_kept, "{literal:?} of {sql:?} is not in {statement:?}");
            }
        }
        Err(error) => assert_ne!(error.kind(), ErrorKind::Bug, "{sql:?}: {error}"),
    }
}

/// Whether literals are more than their text: the time zone of a timestamp becomes a text of its own, and `U&'\0041'` has an
/// escape.
fn is_decoded(sql: &str) -> bool {
    sql.contains('\\') || sql.to_ascii_lowercase().contains("timestamp")
}

/// Whether a statement has clauses such as those of `json_query`: of two that decide the same, only the first one counts.
fn has_clauses(sql: &str) -> bool {
    sql.to_ascii_lowercase().contains("json_")
}

/// The texts in single quotes, read letter by letter. Comments and quoted names are skipped.
fn literals(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (end, literal) = match first {
            '\'' => quoted(rest, '\''),
            '"' => (quoted(rest, '"').0, None),
            '-' if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), None),
            '/' if rest.starts_with("/*") => (comment(rest), None),
            letter => (letter.len_utf8(), None),
        };
        found.extend(literal);
        rest = &rest[end..];
    }
    found
}

/// Reads to the closing quote. Two quotes mean one.
fn quoted(text: &str, quote: char) -> (usize, Option<String>) {
    let mut literal = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != quote {
            literal.push(letter);
        } else if letters.next_if(|(_, next)| *next == quote).is_some() {
            literal.push(quote);
        } else {
            return (at + 1, Some(literal));
        }
    }
    (text.len(), None)
}

/// Reads to the end of a comment. Comments can be nested.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

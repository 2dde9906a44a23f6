//! Where a statement ends.

/// Words that are commands although they have no dot.
const WORDS: [&str; 4] = ["exit", "quit", "help", "\\q"];

/// Whether a text is a command of the shell.
pub(super) fn is_command(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('.') || WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// Whether a typed text can run: a command, nothing, or statements that all end with a semicolon.
pub(super) fn is_complete(text: &str) -> bool {
    is_command(text) || is_blank(statements(text).1)
}

/// Splits a text into the statements that a semicolon ends, without it, and the rest.
pub(super) fn statements(text: &str) -> (Vec<&str>, &str) {
    let (mut statements, mut start, mut place) = (Vec::new(), 0, 0);
    while place < text.len() {
        let next = place + token(&text[place..]);
        if &text[place..next] == ";" {
            statements.push(&text[start..place]);
            start = next;
        }
        place = next;
    }
    (statements, &text[start..])
}

/// Whether a text has only blanks and comments.
pub(super) fn is_blank(text: &str) -> bool {
    let mut rest = text.trim_start();
    while rest.starts_with("--") || rest.starts_with("/*") {
        rest = rest[token(rest)..].trim_start();
    }
    rest.is_empty()
}

/// The pieces that can contain a semicolon: their first and last characters.
const QUOTED: [(&str, &str); 4] = [("'", "'"), ("\"", "\""), ("--", "\n"), ("/*", "*/")];

/// Returns the number of bytes of the first piece of a text: a quoted text, a comment or one character. An unfinished piece
/// reaches to the end.
fn token(text: &str) -> usize {
    if let Some((open, close)) = QUOTED.iter().find(|(open, _)| text.starts_with(open)) {
        let end = text[open.len()..].find(close);
        return end.map_or(text.len(), |end| open.len() + end + close.len());
    }
    text.chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_ends_a_statement_outside_quotes_and_comments() {
        for (text, expected, rest) in [
            ("SELECT 1;", &["SELECT 1"][..], ""),
            ("a; b ;c", &["a", " b "], "c"),
            ("SELECT ';' || 'it''s;' ;", &["SELECT ';' || 'it''s;' "], ""),
            ("SELECT \";\"", &[], "SELECT \";\""),
            ("SELECT 1 -- a; b\n;", &["SELECT 1 -- a; b\n"], ""),
            ("/* ; */ SELECT '\u{ac00};", &[], "/* ; */ SELECT '\u{ac00};"),
            ("", &[], ""),
        ] {
            assert_eq!(statements(text), (expected.to_vec(), rest), "{text}");
        }
    }

    #[test]
    fn enter_runs_what_is_complete() {
        for (text, expected) in [
            ("", true),
            ("SELECT 1", false),
            ("SELECT 1;", true),
            ("SELECT 1; -- done", true),
            ("SELECT 1;\nSELECT", false),
            ("SELECT 'a;", false),
            (".tables", true),
            (" .schema cloudtrail", true),
            ("quit", true),
            ("Exit", true),
            ("quit now", false),
            ("-- nothing", true),
        ] {
            assert_eq!(is_complete(text), expected, "{text}");
        }
    }
}

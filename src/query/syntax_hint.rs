//! The next step for a statement that the parser does not understand.

use crate::nearest::nearest_name;

/// Where the supported SQL is described.
const SEE: &str = "docs/query.md describes the supported SQL";

/// Words with which statements and clauses begin.
const KEYWORDS: [&str; 24] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "ORDER",
    "HAVING",
    "LIMIT",
    "OFFSET",
    "WITH",
    "JOIN",
    "LEFT",
    "RIGHT",
    "INNER",
    "CROSS",
    "UNION",
    "BETWEEN",
    "DISTINCT",
    "VALUES",
    "DESCRIBE",
    "EXPLAIN",
    "SHOW",
    "TABLES",
    "COLUMNS",
    "FUNCTIONS",
];

/// Returns the hint for an error of the parser about a statement.
pub(super) fn syntax_hint(message: &str, sql: &str) -> String {
    let found = message.rsplit_once("found: ").map(|(_, found)| found);
    let found = found.and_then(|found| found.split_whitespace().next()).unwrap_or_default();
    if found == "EOF" {
        return format!("complete the statement: it ends too early; {SEE}");
    }
    let words: Vec<&str> = sql.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    let place = words.iter().position(|word| *word == found).unwrap_or_default();
    // The parser takes a misspelt keyword for an alias, and reports the word after it.
    let suspects = [found, place.checked_sub(1).map_or("", |before| words[before])];
    match suspects.into_iter().find_map(meant) {
        Some(keyword) => format!("did you mean {keyword}? {SEE}"),
        None => SEE.to_owned(),
    }
}

/// The keyword that a word of at least three letters resembles.
fn meant(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_uppercase();
    let is_typo = word.len() > 2 && !KEYWORDS.contains(&word.as_str());
    let near = nearest_name(&word, KEYWORDS.into_iter()).filter(|_| is_typo)?;
    KEYWORDS.into_iter().find(|keyword| *keyword == near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_keyword_is_found() {
        for (message, sql, expected) in [
            (
                "Expected: an SQL statement, found: SELCT at Line: 1, Column: 1",
                "SELCT 1",
                "did you mean SELECT? ",
            ),
            ("Expected: end of statement, found: t at Line: 1", "select a form t", "did you mean FROM? "),
            ("Expected: end of statement, found: t at Line: 1", "select a b t", ""),
            ("Expected: an expression, found: EOF", "select", "complete the statement: it ends too early; "),
            ("unterminated string", "select 'a", ""),
        ] {
            assert_eq!(syntax_hint(message, sql), format!("{expected}{SEE}"), "{sql}");
        }
    }
}

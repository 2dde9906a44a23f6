//! Completion of tables, columns, functions, keywords and commands, and the end of a statement.

use std::cell::RefCell;
use std::rc::Rc;

use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::commands::{COMMANDS, FORMATS};
use super::script;
use crate::query::{EXAMPLES, Engine};

/// Words of statements.
const KEYWORDS: &[&str] = &[
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXISTS",
    "EXPLAIN",
    "FROM",
    "GROUP",
    "HAVING",
    "IN",
    "INNER",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OVER",
    "PARTITION",
    "SELECT",
    "SHOW",
    "TABLES",
    "THEN",
    "TIMESTAMP",
    "UNION",
    "UNNEST",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// The words after which a statement names a table.
const BEFORE_TABLE: [&str; 3] = ["FROM", "JOIN", "DESCRIBE"];

/// Helps to type.
pub(super) struct Assistant {
    engine: Rc<RefCell<Engine>>,
    functions: Vec<String>,
}

impl Assistant {
    pub(super) fn new(engine: Rc<RefCell<Engine>>) -> Self {
        let functions = engine.borrow().functions();
        Self { engine, functions }
    }

    fn relations(&self) -> Vec<String> {
        self.engine.borrow().relations()
    }

    /// The words that fit the place behind `before`, which has no part of the word itself.
    fn words(&self, before: &str, line: &str) -> Vec<String> {
        if let Some(command) = before.split_whitespace().next().filter(|word| word.starts_with('.')) {
            return self.arguments_of(command);
        }
        let last = before.split_whitespace().next_back().unwrap_or_default().to_ascii_uppercase();
        let relations = self.relations();
        if BEFORE_TABLE.contains(&last.as_str()) {
            return relations;
        }
        let engine = self.engine.borrow();
        let named =
            |relation: &&String| line.split(|letter| !is_of_word(letter)).any(|word| word == **relation);
        let mut meant: Vec<String> = relations.iter().filter(named).cloned().collect();
        if meant.is_empty() {
            // Columns are often typed before the table.
            meant = engine.tables().map(str::to_owned).collect();
        }
        // A table that cannot be read has no columns to propose.
        let columns = meant.iter().flat_map(|name| engine.columns(name).unwrap_or_default());
        let columns: Vec<String> = columns.collect();
        if before.ends_with('.') {
            return columns;
        }
        let keywords = KEYWORDS.iter().map(|word| (*word).to_owned());
        columns.into_iter().chain(relations).chain(self.functions.iter().cloned()).chain(keywords).collect()
    }

    fn arguments_of(&self, command: &str) -> Vec<String> {
        match command {
            ".schema" => self.relations(),
            ".examples" => EXAMPLES.iter().map(|example| example.name.to_owned()).collect(),
            ".format" => FORMATS.map(|(name, _)| name.to_owned()).into(),
            ".timer" => ["on", "off"].map(str::to_owned).into(),
            _ => Vec::new(),
        }
    }
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Returns the words that a part begins, in any case, sorted. A keyword takes the case of the part.
fn beginning_with(words: Vec<String>, part: &str) -> Vec<String> {
    let is_lower = part.chars().any(char::is_lowercase);
    let begins = |word: &String| word.get(..part.len()).is_some_and(|start| start.eq_ignore_ascii_case(part));
    let mut found: Vec<String> = words.into_iter().filter(begins).collect();
    for word in &mut found {
        if is_lower && KEYWORDS.contains(&word.as_str()) {
            *word = word.to_ascii_lowercase();
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = &line[..position];
        if typed.starts_with('.') && !typed.contains(char::is_whitespace) {
            let names = COMMANDS.iter().map(|command| command.name.to_owned()).collect();
            return Ok((0, beginning_with(names, typed)));
        }
        let start = typed
            .rfind(|letter| !is_of_word(letter))
            .map_or(0, |place| place + typed[place..].chars().next().map_or(0, char::len_utf8));
        Ok((start, beginning_with(self.words(&typed[..start], line), &typed[start..])))
    }
}

impl Validator for Assistant {
    fn validate(&self, typed: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if script::is_complete(typed.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Highlighter for Assistant {}

impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_complete_in_any_case_and_keywords_keep_the_typed_case() {
        let words = || ["SELECT", "split", "event_name", "SELECT"].map(str::to_owned).to_vec();
        for (part, expected) in [
            ("se", &["select"][..]),
            ("SE", &["SELECT"]),
            ("S", &["SELECT", "split"]),
            ("Ev", &["event_name"]),
            ("x", &[]),
            ("\u{ac00}", &[]),
        ] {
            assert_eq!(beginning_with(words(), part), expected, "{part}");
        }
    }
}

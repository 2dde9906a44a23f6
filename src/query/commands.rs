//! Statements of Athena that are not queries: what `SHOW` and `DESCRIBE` ask for, prepared statements, and refused writes.

use super::tokens::{Piece, pieces};
use crate::error::{Error, ErrorKind, Result};

/// A statement that the engine's parser does not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Databases,
    /// The days of a table.
    Partitions(String),
    /// The statement that creates a table or a view.
    CreateTable(String),
    CreateView(String),
    /// Tables and views whose names match a pattern.
    Tables {
        of_views: bool,
        pattern: Option<Pattern>,
    },
    /// Another statement in its place.
    Instead(String),
}

/// A pattern of names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// `LIKE`
    Like(String),
    /// Words with `*` and `|`, as in Hive.
    Hive(String),
}

/// Statements that change something, and what logmill has instead.
const WRITES: [(&str, &str); 14] = [
    ("create table", "write the rows to a file with --to-file answer.parquet"),
    ("create external", "tables are created by 'logmill run' and 'logmill register'"),
    ("create view", "begin the statement with WITH name AS (...)"),
    ("create or", "begin the statement with WITH name AS (...)"),
    ("create database", "a lake is one database: publish to another lake with --output"),
    ("create schema", "a lake is one database: publish to another lake with --output"),
    ("insert", "rows are published by 'logmill run'; write an answer to a file with --to-file"),
    ("unload", "write the rows to a file with --to-file answer.parquet"),
    ("delete", "leave rows out with the rules of the settings, then rebuild the day"),
    ("update", "mask values with the rules of the settings, then rebuild the day"),
    ("merge", "rows are published by 'logmill run'"),
    ("msck", "omit it: published days are found without it"),
    ("alter", "omit it: published days are found without it"),
    ("drop", "remove leftovers of runs with 'logmill clean'"),
];

/// Reads a command; `None` for other statements. Fails for writes.
pub(super) fn read(sql: &str) -> Result<Option<Command>> {
    let Some(pieces) = pieces(sql) else { return Ok(None) };
    let mut pieces: Vec<&Piece<'_>> = pieces.iter().filter(|piece| !piece.is_space()).collect();
    while pieces.last().is_some_and(|piece| piece.text == ";") {
        pieces.pop();
    }
    let words: Vec<String> = pieces.iter().take(3).map(|piece| piece.text.to_lowercase()).collect();
    let first = words.join(" ");
    let begins = |with: &str| first == with || first.starts_with(&format!("{with} "));
    if let Some((_, instead)) = WRITES.iter().find(|(write, _)| begins(write)) {
        let verb: Vec<&str> = pieces.iter().take(2).map(|piece| piece.text).collect();
        let message = format!("queries are read-only: '{} ...' is refused", verb.join(" "));
        return Err(Error::new(ErrorKind::Usage, message).hint(*instead));
    }
    let name = |at: usize| pieces[at.min(pieces.len())..].last().map(|piece| unquoted(piece.text));
    Ok(match [0, 1, 2].map(|at| words.get(at).map_or("", String::as_str)) {
        ["show", "databases" | "schemas", _] => Some(Command::Databases),
        ["show", "partitions", _] => name(2).map(Command::Partitions),
        ["show", "create", "table"] => name(3).map(Command::CreateTable),
        ["show", "create", "view"] => name(3).map(Command::CreateView),
        ["show", kind @ ("tables" | "views"), _] => {
            Some(Command::Tables { of_views: kind == "views", pattern: pattern(&pieces[2..]) })
        }
        ["show", "tblproperties", _] => {
            return Err(Error::new(
                ErrorKind::Usage,
                "SHOW TBLPROPERTIES is not available: tables here have none",
            )
            .hint("use SHOW CREATE TABLE"));
        }
        ["describe" | "desc", "formatted" | "extended", _] => {
            name(2).map(|name| Command::Instead(format!("DESCRIBE {name}")))
        }
        _ => None,
    })
}

fn unquoted(text: &str) -> String {
    text.trim_matches(['"', '`']).to_lowercase()
}

/// The pattern behind `IN database`.
fn pattern(pieces: &[&Piece<'_>]) -> Option<Pattern> {
    let last = pieces.last()?.text;
    let pattern = last.strip_prefix('\'')?.strip_suffix('\'')?.to_owned();
    let is_like = pieces.len() > 1 && pieces[pieces.len() - 2].is_word("like");
    Some(if is_like { Pattern::Like(pattern) } else { Pattern::Hive(pattern) })
}

impl Pattern {
    /// Whether a name matches.
    pub(super) fn fits(&self, name: &str) -> bool {
        match self {
            Self::Like(pattern) => is_like(pattern, name, '%'),
            Self::Hive(pattern) => pattern.split('|').any(|pattern| is_like(pattern, name, '*')),
        }
    }
}

/// Whether a name matches a pattern with a sign for any text.
fn is_like(pattern: &str, name: &str, any: char) -> bool {
    let Some((before, after)) = pattern.split_once(any) else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    (0..=rest.len()).any(|at| rest.is_char_boundary(at) && is_like(after, &rest[at..], any))
}

/// Splits a text into statements, without comments and blanks between them.
pub(super) fn statements(sql: &str) -> Vec<&str> {
    let Some(pieces) = pieces(sql) else { return vec![sql] };
    let parts = pieces.split(|piece| piece.text == ";");
    let texts = parts.filter(|part| part.iter().any(|piece| !piece.is_space()));
    texts
        .map(|part| {
            let begin = part[0].text.as_ptr() as usize - sql.as_ptr() as usize;
            let last = part[part.len() - 1].text;
            let end = last.as_ptr() as usize - sql.as_ptr() as usize + last.len();
            &sql[begin..end]
        })
        .collect()
}

/// A statement about prepared statements.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Prepared {
    /// `PREPARE name FROM statement`
    Prepare(String, String),
    /// `EXECUTE name USING values`
    Execute(String, Vec<String>),
    /// `EXECUTE IMMEDIATE 'statement' USING values`
    Immediate(String, Vec<String>),
    /// `DEALLOCATE PREPARE name`
    Forget(String),
}

/// Reads a statement about prepared statements; `None` for other statements.
pub(super) fn prepared(sql: &str) -> Option<Prepared> {
    let all = pieces(sql)?;
    let places: Vec<usize> =
        (0..all.len()).filter(|at| !all[*at].is_space() && all[*at].text != ";").collect();
    let own: Vec<&Piece<'_>> = places.iter().map(|at| &all[*at]).collect();
    let word = |at: usize| own.get(at).map(|piece| piece.text.to_lowercase()).unwrap_or_default();
    let from = |at: usize| places.get(at).map_or(all.len(), |place| *place);
    let text =
        |pieces: &[Piece<'_>]| pieces.iter().map(|piece| piece.text).collect::<String>().trim().to_owned();
    let values = |at: usize| {
        let is_using = word(at) == "using";
        let rest = if is_using { &all[from(at + 1)..] } else { &[] };
        let values = super::tokens::split(rest, Piece::is_comma);
        values
            .into_iter()
            .map(text)
            .map(|value| value.trim_end_matches(';').trim().to_owned())
            .filter(|value| !value.is_empty())
            .collect()
    };
    match (word(0).as_str(), word(1).as_str()) {
        ("prepare", name) if word(2) == "from" => {
            Some(Prepared::Prepare(unquoted(name), text(&all[from(3)..])))
        }
        ("execute", "immediate") => {
            let statement = own.get(2)?.text.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'");
            Some(Prepared::Immediate(statement, values(3)))
        }
        ("execute", name) => Some(Prepared::Execute(unquoted(name), values(2))),
        ("deallocate", "prepare") => Some(Prepared::Forget(unquoted(&word(2)))),
        _ => None,
    }
}

/// Puts values in the place of the question marks of a statement.
pub(super) fn filled(sql: &str, values: &[String]) -> Result<String> {
    let Some(pieces) = pieces(sql) else { return Ok(sql.to_owned()) };
    let mut rest = values.iter();
    let mut text = String::new();
    let mut marks = 0;
    for piece in &pieces {
        if piece.text == "?" {
            marks += 1;
            text += rest.next().map_or("?", String::as_str);
        } else {
            text += piece.text;
        }
    }
    if marks != values.len() {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("the statement has {marks} parameters, but USING gives {}", values.len()),
        )
        .hint("give one value for each question mark, for example USING 'root', 5"));
    }
    Ok(text)
}

/// The query for a list of texts, as rows of one column.
pub(super) fn listing(column: &str, texts: &[String]) -> String {
    if texts.is_empty() {
        return format!("SELECT CAST(NULL AS varchar) AS {column} WHERE false");
    }
    let rows: Vec<String> = texts.iter().map(|text| format!("('{}')", text.replace('\'', "''"))).collect();
    format!("SELECT {column} FROM (VALUES {}) AS listing({column})", rows.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        for (sql, expected) in [
            ("show databases;", Some(Command::Databases)),
            (
                "-- days\nSHOW PARTITIONS \"default\".\"CloudTrail\"",
                Some(Command::Partitions("cloudtrail".to_owned())),
            ),
            ("SHOW CREATE TABLE `a`.b", Some(Command::CreateTable("b".to_owned()))),
            ("DESCRIBE FORMATTED x", Some(Command::Instead("DESCRIBE x".to_owned()))),
            (
                "SHOW TABLES IN db 's3*|c*'",
                Some(Command::Tables { of_views: false, pattern: Some(Pattern::Hive("s3*|c*".to_owned())) }),
            ),
            ("SHOW VIEWS", Some(Command::Tables { of_views: true, pattern: None })),
            ("SELECT 1", None),
            ("SHOW COLUMNS IN x", None),
        ] {
            assert_eq!(read(sql).unwrap(), expected, "{sql}");
        }
        for (write, _) in WRITES {
            assert!(read(&format!("/* x */ {write} x")).is_err(), "{write}");
        }
        assert!(Pattern::Hive("s3*|c*".to_owned()).fits("cloudtrail"));
        assert!(!Pattern::Like("%access".to_owned()).fits("cloudtrail"));
    }

    #[test]
    fn prepared_statements_are_filled() {
        let prepare = "PREPARE p FROM SELECT ? , '?' WHERE a = ?;";
        let Some(Prepared::Prepare(name, statement)) = prepared(prepare) else { panic!("not prepared") };
        assert_eq!((name.as_str(), statement.as_str()), ("p", "SELECT ? , '?' WHERE a = ?;"));
        let Some(Prepared::Execute(name, values)) = prepared("EXECUTE p USING 1, f(2, 3)") else {
            panic!("not executed")
        };
        assert_eq!(name, "p");
        assert_eq!(filled(&statement, &values).unwrap(), "SELECT 1 , '?' WHERE a = f(2, 3);");
        assert!(filled(&statement, &[]).is_err());
        let immediate = prepared("EXECUTE IMMEDIATE 'SELECT ''a'', ?' USING 1;");
        assert_eq!(immediate, Some(Prepared::Immediate("SELECT 'a', ?".to_owned(), vec!["1".to_owned()])));
        assert_eq!(statements("PREPARE p FROM SELECT ';'; -- x\n EXECUTE p; ").len(), 2);
    }
}

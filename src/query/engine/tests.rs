//! Expressions and statements as people paste them into Athena, with their values.
//!
//! Values were worked out by hand from the documentation of Trino, on which Athena's engine is built. One engine over an
//! empty lake answers all of them.

use std::sync::Arc;

use arrow::array::Array;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::Engine;
use crate::cancel::Cancel;
use crate::query::EngineOptions;
use crate::store::LocalLake;

mod aggregates;
mod arrays;
mod commands;
mod decimals;
mod expressions;
mod json;
mod names;
mod unnest;

/// An engine over a lake without tables.
struct Answers {
    engine: Engine,
    _folder: tempfile::TempDir,
}

impl Answers {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = EngineOptions {
            threads: 1,
            memory: 256 << 20,
            scratch: folder.path().to_owned(),
            days: None,
            chosen: Vec::new(),
            cancel: Cancel::default(),
        };
        let lake = Arc::new(LocalLake::open(folder.path().to_str().unwrap()).unwrap());
        Self { engine: Engine::open(lake, &[], &options).unwrap(), _folder: folder }
    }

    /// The names of the columns of a statement, apart by `|`, or its error.
    fn names(&self, sql: &str) -> String {
        let rows = match self.engine.sql(sql) {
            Ok(rows) => rows,
            Err(error) => return error.to_string(),
        };
        rows.schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join("|")
    }

    /// The rows of a statement as texts: cells apart by `|`, rows by `;`.
    fn of(&self, sql: &str) -> Result<String, String> {
        let rows = self.engine.sql(sql).map_err(|error| {
            let hint = error.next_step().map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{error}{hint}")
        })?;
        let options = FormatOptions::default().with_null("NULL");
        let mut lines = Vec::new();
        for batch in &rows.batches {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().map(|column| {
                    if column.is_null(row) {
                        return "NULL".to_owned();
                    }
                    ArrayFormatter::try_new(column.as_ref(), &options).unwrap().value(row).to_string()
                });
                lines.push(cells.collect::<Vec<_>>().join("|"));
            }
        }
        Ok(lines.join(";"))
    }
}

/// Checks the answers of statements. All differences are reported at once.
fn check(cases: &[(&str, &str)]) {
    let answers = Answers::new();
    let wrong = cases.iter().filter_map(|(sql, expected)| {
        let is_whole = ["SELECT", "SHOW", "EXECUTE", "VALUES "].iter().any(|word| sql.contains(word));
        let sql = if is_whole { (*sql).to_owned() } else { format!("SELECT {sql}") };
        let found = answers.of(&sql).unwrap_or_else(|error| format!("error: {error}"));
        (found != *expected).then(|| format!("{sql}\n  found    {found}\n  expected {expected}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Checks that statements are refused with these words.
fn check_refused(cases: &[(&str, &str)]) {
    let answers = Answers::new();
    let wrong = cases.iter().filter_map(|(sql, words)| {
        let found = answers.of(sql);
        let fits = found.as_ref().is_err_and(|error| error.contains(words));
        (!fits).then(|| format!("{sql}\n  found    {found:?}\n  expected {words}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

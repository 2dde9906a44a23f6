//! Parses one statement, rewrites it from Athena's spelling to the engine's, and refuses it if it writes.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{
    ObjectName, Statement as SqlStatement, TableFactor, Visit, Visitor, visit_relations_mut,
};

use super::dialect::Athena;
use super::failure::of_query;
use super::spelling::{Spelled, spelled};
use super::syntax_hint::syntax_hint;
use super::{file_columns, outputs, rewrite, rows_cast};
use crate::error::{Error, ErrorKind, Result};

/// The schema that describes tables. Every other schema name means the lake.
const INFORMATION_SCHEMA: &str = "information_schema";

/// A statement that the engine can plan.
#[derive(Debug, Clone)]
pub(super) struct Parsed {
    pub(super) statement: Statement,
    /// Names of columns as they are shown, by their names in the engine.
    pub(super) names: BTreeMap<String, String>,
}

/// How deep expressions may be nested. Each level needs some stack.
const MAX_DEPTH: usize = 400;

/// Parses a statement.
pub(super) fn parse(sql: &str) -> Result<Parsed> {
    if sql.trim().trim_end_matches(';').trim().is_empty() {
        return Err(Error::new(ErrorKind::Usage, "the statement is empty")
            .hint("pass a statement, for example: SELECT count(*) FROM cloudtrail"));
    }
    let written = sql;
    let Spelled { sql, names } = spelled(&rows_cast::rewritten(sql))?;
    let parser =
        DFParserBuilder::new(sql.as_str()).with_dialect(&Athena).with_recursion_limit(MAX_DEPTH).build();
    let parsed = parser.and_then(|mut parser| parser.parse_statements());
    let mut statements = parsed.map_err(|error| {
        let ours = of_query(error);
        let hint = syntax_hint(&ours.to_string(), written);
        ours.hint(hint)
    })?;
    let (Some(mut statement), true) = (statements.pop_front(), statements.is_empty()) else {
        return Err(Error::new(ErrorKind::Usage, "only one statement can run at a time")
            .hint("run 'logmill query' once for each statement"));
    };
    if !reads(&statement) {
        return Err(refused(&statement));
    }
    refuse_samples(&statement)?;
    adapt(&mut statement, &sql)?;
    let names = names.into_iter().chain(outputs::apart(&mut statement)).collect();
    Ok(Parsed { statement, names })
}

/// Returns a statement after the rewriting of its text, and the statement that the engine plans. It is for fuzzing.
pub(crate) fn rewritten(sql: &str) -> Result<(String, String)> {
    let text = spelled(&rows_cast::rewritten(sql))?.sql;
    Ok((text, parse(sql)?.statement.to_string()))
}

/// Whether a statement only reads.
fn reads(statement: &Statement) -> bool {
    match statement {
        Statement::Explain(explain) => reads(&explain.statement),
        Statement::Statement(statement) => match statement.as_ref() {
            SqlStatement::Explain { statement, .. } => reads(&Statement::Statement(statement.clone())),
            SqlStatement::Query(_)
            | SqlStatement::ExplainTable { .. }
            | SqlStatement::ShowTables { .. }
            | SqlStatement::ShowColumns { .. }
            | SqlStatement::ShowFunctions { .. } => true,
            _ => false,
        },
        _ => false,
    }
}

fn refused(statement: &Statement) -> Error {
    let text = statement.to_string();
    let verb: Vec<&str> = text.split_whitespace().take(2).collect();
    Error::new(ErrorKind::Usage, format!("queries are read-only: '{} ...' is refused", verb.join(" ")))
        .hint("use SELECT, WITH, VALUES, EXPLAIN, DESCRIBE, SHOW TABLES, SHOW COLUMNS or SHOW FUNCTIONS")
}

/// Refuses `TABLESAMPLE`. The engine ignores it and would return all rows.
fn refuse_samples(statement: &Statement) -> Result<()> {
    struct Samples;
    impl Visitor for Samples {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            match factor {
                TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    let has_sample = match statement {
        Statement::Explain(explain) => return refuse_samples(&explain.statement),
        Statement::Statement(statement) => statement.visit(&mut Samples).is_break(),
        _ => false,
    };
    if has_sample {
        return Err(Error::new(ErrorKind::Usage, "the engine does not support this: TABLESAMPLE")
            .hint("use a condition, for example: WHERE rand() < 0.01"));
    }
    Ok(())
}

/// Rewrites names and functions to the engine's spelling.
fn adapt(statement: &mut Statement, sql: &str) -> Result<()> {
    match statement {
        Statement::Explain(explain) => adapt(&mut explain.statement, sql),
        Statement::Statement(statement) => {
            if file_columns::are_named_in(sql) {
                outputs::without_file_columns(statement);
            }
            let unqualified = visit_relations_mut(statement.as_mut(), |name| {
                drop_database(name);
                ControlFlow::<()>::Continue(())
            });
            debug_assert!(unqualified.is_continue(), "the visitor never breaks");
            if let SqlStatement::ExplainTable { table_name, .. } = statement.as_mut() {
                drop_database(table_name);
            }
            rewrite::calls(statement.as_mut())
        }
        _ => Ok(()),
    }
}

/// Drops the database name. A lake is one database, and statements may use its name in Athena.
fn drop_database(name: &mut ObjectName) {
    let last = name.0.len().saturating_sub(1);
    let of_engine = |part: &datafusion::sql::sqlparser::ast::ObjectNamePart| {
        part.as_ident().is_some_and(|ident| ident.value.eq_ignore_ascii_case(INFORMATION_SCHEMA))
    };
    if !name.0.iter().any(of_engine) {
        name.0.drain(..last);
    }
}

/// Whether a statement reads the list of tables, so that all tables must be registered.
pub(super) fn lists_tables(statement: &Statement) -> bool {
    let text = statement.to_string().to_ascii_lowercase();
    text.starts_with("show ") || text.contains(INFORMATION_SCHEMA)
}

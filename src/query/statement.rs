//! Parses one statement, rewrites it from Athena's spelling to the engine's, and refuses it if it writes.

use std::ops::ControlFlow;

use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    ObjectName, Statement as SqlStatement, TableFactor, Visit, Visitor, visit_relations_mut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::failure::of_query;
use super::syntax_hint::syntax_hint;
use super::{rewrite, rows_cast};
use crate::error::{Error, ErrorKind, Result};

/// The schema that describes tables. Every other schema name means the lake.
const INFORMATION_SCHEMA: &str = "information_schema";

/// Parses a statement.
pub(super) fn parse(sql: &str, session: &SessionState) -> Result<Statement> {
    if sql.trim().trim_end_matches(';').trim().is_empty() {
        return Err(Error::new(ErrorKind::Usage, "the statement is empty")
            .hint("pass a statement, for example: SELECT count(*) FROM cloudtrail"));
    }
    let dialect = session.config_options().sql_parser.dialect;
    let written = sql;
    let sql = rows_cast::rewritten(sql);
    let parsed = session.sql_to_statement(&sql, &dialect);
    let mut statement = parsed.map_err(|error| match error {
        DataFusionError::NotImplemented(_) => {
            Error::new(ErrorKind::Usage, "only one statement can run at a time")
                .hint("run 'logmill query' once for each statement")
        }
        error => {
            let ours = of_query(error);
            let hint = syntax_hint(&ours.to_string(), written);
            ours.hint(hint)
        }
    })?;
    if !reads(&statement) {
        return Err(refused(&statement));
    }
    refuse_samples(&statement)?;
    adapt(&mut statement)?;
    Ok(statement)
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

/// The query behind `SHOW TABLES`.
const LISTING: &str = "SELECT table_name, table_type FROM information_schema.tables \
                       WHERE table_schema <> 'information_schema' ORDER BY table_name";

/// Replaces `SHOW TABLES` with a query for all tables and views, unless it asks for only some of them.
fn list_tables(statement: &mut SqlStatement) {
    let SqlStatement::ShowTables {
        terse: false,
        history: false,
        extended: false,
        full: false,
        external: false,
        show_options,
    } = statement
    else {
        return;
    };
    let is_all = show_options.filter_position.is_none()
        && show_options.starts_with.is_none()
        && show_options.limit.is_none();
    let listing = Parser::parse_sql(&GenericDialect {}, LISTING).ok().and_then(|mut parsed| parsed.pop());
    if let (true, Some(listing)) = (is_all, listing) {
        *statement = listing;
    }
}

/// Rewrites names and functions to the engine's spelling.
fn adapt(statement: &mut Statement) -> Result<()> {
    match statement {
        Statement::Explain(explain) => adapt(&mut explain.statement),
        Statement::Statement(statement) => {
            list_tables(statement);
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

//! Converts errors of the SQL engine into [`Error`]: the kind, the position in the statement, and a hint.

use std::io;

use arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, Diagnostic, SchemaError};
use datafusion::object_store::Error as StoreError;

use super::{functions, outputs};
use crate::error::{Error, ErrorKind};
use crate::nearest::nearest_name;

/// What the engine reports if it has no folder to spill to.
const NO_DISK: &str = "DiskManager is disabled";

/// Converts an error of the engine.
#[expect(clippy::needless_pass_by_value, reason = "callers pass it to map_err")]
pub(super) fn of_query(error: DataFusionError) -> Error {
    if let Some(ours) = our_error_in(&error) {
        return ours.again();
    }
    if is_of_full_disk(&error) {
        return Error::new(ErrorKind::Unusable, "cannot spill rows: the disk is full").hint(
            "free space in the --scratch folder, pass another folder with --scratch, or raise --memory",
        );
    }
    let root = error.find_root();
    if let DataFusionError::SchemaError(cause, _) = root
        && let SchemaError::FieldNotFound { field, valid_fields } = cause.as_ref()
    {
        return no_such_column(field, valid_fields, &error);
    }
    let message = root.message();
    if let Some(unknown) = unknown_function(&message) {
        return with_position(unknown, &error);
    }
    if ["OuterReferenceColumn", "outer_ref(", "Correlated"].iter().any(|sign| message.contains(sign)) {
        return Error::new(
            ErrorKind::Usage,
            "the engine does not support this: a subquery that reads columns of the outer query here",
        )
        .hint("write it as a join, or as EXISTS (SELECT ... WHERE ...)");
    }
    let (kind, what_failed) = verdict(root);
    let ours = Error::new(kind, format!("{what_failed}: {}", sentence(root)));
    let ours = with_position(ours, &error);
    match root {
        DataFusionError::ResourcesExhausted(why) if why.contains(NO_DISK) => {
            ours.hint("rows cannot be spilled: pass a folder that this user can write to with --scratch, or raise --memory")
        }
        DataFusionError::ResourcesExhausted(_) => ours.hint("raise --memory, or query less data"),
        DataFusionError::Internal(_) => {
            ours.hint("this is a bug in logmill or DataFusion: please report it with the statement")
        }
        _ => match error.diagnostic().and_then(help) {
            Some(help) => ours.hint(help),
            None => ours,
        },
    }
}

/// Builds the error for a function that the engine does not know. Only functions of Athena are suggested.
fn unknown_function(message: &str) -> Option<Error> {
    let (_, rest) = message.split_once("Invalid function '")?;
    let (name, _) = rest.split_once('\'')?;
    let near =
        nearest_name(name, functions::names().into_iter()).map(|near| format!("did you mean {near}? "));
    let hint = format!("{}docs/query.md lists the functions", near.unwrap_or_default());
    Some(Error::new(ErrorKind::Usage, format!("unknown function '{name}'")).hint(hint))
}

fn no_such_column(field: &Column, known: &[Column], error: &DataFusionError) -> Error {
    let ours = Error::new(ErrorKind::Usage, format!("unknown column '{}'", field.flat_name()));
    let ours = with_position(ours, error);
    if outputs::is_place(&field.name) {
        return ours.hint("a calculated column has no name in a subquery: give it one with AS");
    }
    let names = known.iter().map(|column| column.name.as_str()).filter(|name| !outputs::is_nameless(name));
    let near = nearest_name(&field.name, names).map(|name| format!("did you mean {name}? "));
    ours.hint(format!("{}use DESCRIBE with a table name to list its columns", near.unwrap_or_default()))
}

/// Adds the position in the statement, unless it is unknown or already in the text.
fn with_position(ours: Error, error: &DataFusionError) -> Error {
    match error.diagnostic() {
        Some(Diagnostic { span: Some(span), .. })
            if !matches!(error.find_root(), DataFusionError::SQL(..)) =>
        {
            ours.with("line", span.start.line).with("column", span.start.column)
        }
        _ => ours,
    }
}

/// Whether a statement names an unknown column.
pub(super) fn lacks_column(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::SchemaError(cause, _)
        if matches!(cause.as_ref(), SchemaError::FieldNotFound { .. }))
}

/// Classifies an error: its kind, and what failed.
fn verdict(root: &DataFusionError) -> (ErrorKind, &'static str) {
    match root {
        DataFusionError::SQL(..) => (ErrorKind::Usage, "cannot read the statement"),
        DataFusionError::Plan(_) | DataFusionError::SchemaError(..) | DataFusionError::Configuration(_) => {
            (ErrorKind::Usage, "the statement cannot be planned")
        }
        DataFusionError::NotImplemented(_) => (ErrorKind::Usage, "the engine does not support this"),
        DataFusionError::Execution(_) | DataFusionError::ArrowError(..) => {
            (ErrorKind::Usage, "the statement failed on these rows")
        }
        DataFusionError::ResourcesExhausted(_) => (ErrorKind::Unusable, "the statement needs more memory"),
        DataFusionError::Internal(_) => (ErrorKind::Bug, "internal error in the engine"),
        _ => (ErrorKind::Unusable, "cannot run the statement"),
    }
}

/// The engine's prefix to the message of a function that refused its arguments.
const COERCION: &str = "user-defined coercion failed with: Error during planning: ";

/// The message in one line, without the engine's own prefixes.
fn sentence(root: &DataFusionError) -> String {
    let message = match root {
        DataFusionError::SQL(cause, _) => cause.to_string().replace("sql parser error: ", ""),
        DataFusionError::SchemaError(cause, _) => cause.to_string(),
        DataFusionError::ArrowError(cause, _) => cause.to_string(),
        other => other.message().into_owned(),
    };
    // The engine adds its own text before and after messages of our functions.
    let message = message.split_once(COERCION).map_or(message.as_str(), |(_, ours)| {
        ours.split_once(". No function matches").map_or(ours, |(ours, _)| ours)
    });
    let words: Vec<&str> = message.trim_end_matches('.').split_whitespace().collect();
    words.join(" ")
}

fn help(diagnostic: &Diagnostic) -> Option<String> {
    let help = diagnostic.helps.first()?;
    Some(help.message.clone())
}

/// Whether rows could not be spilled because the disk is full.
fn is_of_full_disk(error: &(dyn std::error::Error + 'static)) -> bool {
    let is_full =
        |cause: &io::Error| matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let cause = match error.downcast_ref() {
        Some(ArrowError::IoError(_, cause)) => Some(cause),
        _ => error.downcast_ref::<io::Error>(),
    };
    cause.is_some_and(is_full) || error.source().is_some_and(is_of_full_disk)
}

/// Finds our own error behind one of the engine.
fn our_error_in<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    if let Some(ours) = error.downcast_ref::<Error>() {
        return Some(ours);
    }
    if let Some(StoreError::Generic { source, .. }) = error.downcast_ref() {
        return our_error_in(source.as_ref());
    }
    our_error_in(error.source()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_reported_as_such() {
        let full = || io::Error::from_raw_os_error(28);
        for error in [
            DataFusionError::IoError(full()),
            DataFusionError::ArrowError(Box::new(ArrowError::from(full())), None),
            DataFusionError::Context("spilling".to_owned(), Box::new(DataFusionError::IoError(full()))),
        ] {
            let error = of_query(error);
            assert_eq!(error.to_string(), "cannot spill rows: the disk is full");
            assert!(error.next_step().unwrap().contains("--scratch"));
        }
        let other = of_query(DataFusionError::IoError(io::Error::from_raw_os_error(13)));
        assert!(!other.to_string().contains("full"), "{other}");
    }
}

//! What the SQL engine says, as an error of ours: whose fault it is, where in the statement, and what to do.

use std::io;

use arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, Diagnostic, SchemaError};
use datafusion::object_store::Error as StoreError;

use crate::error::{Error, ErrorKind};
use crate::nearest::nearest_name;

/// What the engine says where it has no folder to spill to.
const NO_DISK: &str = "DiskManager is disabled";

/// An error of the engine.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
pub(super) fn of_query(error: DataFusionError) -> Error {
    if let Some(ours) = ours_behind(&error) {
        return again(ours);
    }
    if is_of_full_disk(&error) {
        return Error::new(ErrorKind::Unusable, "cannot spill rows: the disk is full")
            .hint("make room in --scratch, name another folder with it, or allow more with --memory");
    }
    let root = error.find_root();
    if let DataFusionError::SchemaError(cause, _) = root
        && let SchemaError::FieldNotFound { field, valid_fields } = cause.as_ref()
    {
        return no_such_column(field, valid_fields, &error);
    }
    let (kind, doing) = verdict(root);
    let mut said = Error::new(kind, format!("{doing}: {}", sentence(root)));
    said = placed(said, &error);
    match root {
        DataFusionError::ResourcesExhausted(why) if why.contains(NO_DISK) => {
            said.hint("rows cannot be spilled: name a folder with --scratch that this user may write to, or allow more with --memory")
        }
        DataFusionError::ResourcesExhausted(_) => said.hint("allow more with --memory, or ask for less"),
        DataFusionError::Internal(_) => {
            said.hint("this is a defect of logmill or of DataFusion: please report it with the statement")
        }
        _ => match error.diagnostic().and_then(help) {
            Some(help) => said.hint(help),
            None => said,
        },
    }
}

fn no_such_column(field: &Column, known: &[Column], error: &DataFusionError) -> Error {
    let said = Error::new(ErrorKind::Usage, format!("unknown column '{}'", field.flat_name()));
    let names = known.iter().map(|column| column.name.as_str());
    let near = nearest_name(&field.name, names).map(|name| format!("did you mean {name}? "));
    placed(said, error)
        .hint(format!("{}DESCRIBE and the name of a table list its columns", near.unwrap_or_default()))
}

/// Where in the statement it is, where that is known and not said.
fn placed(said: Error, error: &DataFusionError) -> Error {
    match error.diagnostic() {
        Some(Diagnostic { span: Some(span), .. })
            if !matches!(error.find_root(), DataFusionError::SQL(..)) =>
        {
            said.with("line", span.start.line).with("column", span.start.column)
        }
        _ => said,
    }
}

/// Whether a statement names an unknown column.
pub(super) fn lacks_column(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::SchemaError(cause, _)
        if matches!(cause.as_ref(), SchemaError::FieldNotFound { .. }))
}

/// Whose fault it is.
fn verdict(root: &DataFusionError) -> (ErrorKind, &'static str) {
    match root {
        DataFusionError::SQL(..) => (ErrorKind::Usage, "cannot read the statement"),
        DataFusionError::Plan(_) | DataFusionError::SchemaError(..) | DataFusionError::Configuration(_) => {
            (ErrorKind::Usage, "the statement cannot be planned")
        }
        DataFusionError::NotImplemented(_) => (ErrorKind::Usage, "the engine cannot do that"),
        DataFusionError::Execution(_) | DataFusionError::ArrowError(..) => {
            (ErrorKind::Usage, "the statement fails on these rows")
        }
        DataFusionError::ResourcesExhausted(_) => (ErrorKind::Unusable, "the statement needs more memory"),
        DataFusionError::Internal(_) => (ErrorKind::Bug, "the engine broke a promise of its own"),
        _ => (ErrorKind::Unusable, "cannot answer the statement"),
    }
}

/// What the engine says before the words of a function that was given the wrong arguments.
const COERCION: &str = "user-defined coercion failed with: Error during planning: ";

/// What was said, in one line and without the engine's own prefixes.
fn sentence(root: &DataFusionError) -> String {
    let said = match root {
        DataFusionError::SQL(cause, _) => cause.to_string().replace("sql parser error: ", ""),
        DataFusionError::SchemaError(cause, _) => cause.to_string(),
        DataFusionError::ArrowError(cause, _) => cause.to_string(),
        other => other.message().into_owned(),
    };
    // What one of our functions has said stands between what the engine says about it.
    let said = said.split_once(COERCION).map_or(said.as_str(), |(_, ours)| {
        ours.split_once(". No function matches").map_or(ours, |(ours, _)| ours)
    });
    let lines: Vec<&str> = said.trim_end_matches('.').split_whitespace().collect();
    lines.join(" ")
}

fn help(diagnostic: &Diagnostic) -> Option<String> {
    let help = diagnostic.helps.first()?;
    Some(help.message.clone())
}

/// Whether rows that had to wait on disk did not find room there.
fn is_of_full_disk(error: &(dyn std::error::Error + 'static)) -> bool {
    let is_full =
        |cause: &io::Error| matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let cause = match error.downcast_ref() {
        Some(ArrowError::IoError(_, cause)) => Some(cause),
        _ => error.downcast_ref::<io::Error>(),
    };
    cause.is_some_and(is_full) || error.source().is_some_and(is_of_full_disk)
}

/// An error of ours that went through the engine.
fn ours_behind<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    if let Some(ours) = error.downcast_ref::<Error>() {
        return Some(ours);
    }
    if let Some(StoreError::Generic { source, .. }) = error.downcast_ref() {
        return ours_behind(source.as_ref());
    }
    ours_behind(error.source()?)
}

/// The same error, which the engine may keep a copy of.
pub(super) fn again(error: &Error) -> Error {
    let said = Error::new(error.kind(), error.to_string());
    match error.next_step() {
        Some(hint) => said.hint(hint),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_as_such() {
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

//! Which tables a command works on.
//!
//! The log types that were named are made in any case. Where none was, the inputs decide: a table of which they hold
//! nothing is left out before anything of it is locked, reported or written, so that a wrong input empties no day.

use std::collections::BTreeSet;

use super::console::Console;
use super::settings::{LogFormat, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::plan::{TableSource, holds_logs, lone_dates};
use crate::store::Connector;

/// Missing folders that are named one by one.
const NAMED_FOLDERS: usize = 3;

/// The tables of a command.
pub(super) struct Tables {
    /// Those to work on.
    pub(super) sources: Vec<TableSource>,
    /// Those that cannot be worked on: the inputs cannot be read, or hold no logs at all.
    pub(super) refused: Vec<(TableSource, Error)>,
}

impl Tables {
    /// The tables of a command that reads raw logs of these days.
    pub(super) fn of(
        settings: &Settings,
        days: DayRange,
        connector: &Connector,
        console: Console,
    ) -> Result<Self> {
        let sources = settings.tables()?;
        warn_of_lone_dates(sources, days, console);
        if settings.log_types_named {
            return Ok(Self { sources: sources.to_vec(), refused: Vec::new() });
        }
        Ok(Self::by_content(sources, |source| holds_logs(source, days, connector), console))
    }

    /// Only the tables of whose log type the inputs hold something. If they hold none at all, that is an error of each.
    fn by_content(
        sources: &[TableSource],
        holds: impl Fn(&TableSource) -> Result<bool>,
        console: Console,
    ) -> Self {
        let (mut held, mut left, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for source in sources.iter().cloned() {
            match holds(&source) {
                Ok(true) => held.push(source),
                Ok(false) => left.push(source),
                Err(error) => refused.push((source, error)),
            }
        }
        if held.is_empty() && refused.is_empty() {
            refused = left.drain(..).map(|source| (source.clone(), no_logs(&source))).collect();
        }
        for source in &left {
            say_left_out(source, console);
        }
        Self { sources: held, refused }
    }

    /// All of them, or the first error.
    pub(super) fn all(self) -> Result<Vec<TableSource>> {
        match self.refused.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(self.sources),
        }
    }
}

fn no_logs(source: &TableSource) -> Error {
    let dataset = source.dataset.name();
    Error::new(
        ErrorKind::Unusable,
        format!("the inputs hold no {dataset} logs, nor any others: nothing is changed"),
    )
    .with("table", &source.table)
    .with("inputs", source.inputs.join(", "))
    .hint(format!(
        "check that the path is right and mounted, or pass --dataset {dataset} to publish an empty day"
    ))
}

fn say_left_out(source: &TableSource, console: Console) {
    let (table, dataset) = (source.table.as_str(), source.dataset.name());
    let why = format!("the inputs hold no {dataset} logs");
    let hint = format!("name it with --dataset {dataset} to publish an empty day");
    match console.format {
        LogFormat::Text => console.info(&format!("{table}: not built: {why} ({hint})"), &[]),
        LogFormat::Json => {
            let about = [("table", table.into()), ("dataset", dataset.into())];
            let facts = [("why", why.into()), ("hint", hint.into())];
            console.info("not_built", &[about, facts].concat());
        }
    }
}

/// A KST day needs two UTC dates: an input that is the folder of one gives about half of it.
fn warn_of_lone_dates(sources: &[TableSource], days: DayRange, console: Console) {
    let inputs: BTreeSet<&str> = inputs_of(sources).collect();
    let inputs: Vec<String> = inputs.into_iter().map(str::to_owned).collect();
    for dated in lone_dates(&inputs, days) {
        let named =
            dated.missing.iter().take(NAMED_FOLDERS).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = dated.missing.len().saturating_sub(NAMED_FOLDERS);
        let missing = if more > 0 { format!("{named} and {more} more") } else { named };
        let unit = dated.unit;
        console.warn(
            &format!(
                "the input is the folder of one UTC {unit}, but a KST day needs two UTC dates: rows of the others will be \
                 missing"
            ),
            &[("input", dated.input.into()), ("also_needed", missing.into())],
        );
    }
}

fn inputs_of(sources: &[TableSource]) -> impl Iterator<Item = &str> {
    sources.iter().flat_map(|source| &source.inputs).map(String::as_str)
}

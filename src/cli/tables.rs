//! Which tables a command works on.
//!
//! The log types that were named are made in any case. Where none was, the inputs decide: a table of which they hold
//! nothing is left out before anything of it is locked, reported or written, so that a wrong input empties no day.

use std::collections::BTreeSet;

use serde::Serialize;

use super::console::Console;
use super::settings::{LogFormat, Settings};
use crate::audit::freshness::first_published;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::plan::{TableSource, holds_logs, lone_dates};
use crate::store::{Connector, Lake};

/// Missing folders that are named one by one.
const NAMED_FOLDERS: usize = 3;

/// The tables of a command.
pub(super) struct Tables {
    /// Those to work on.
    pub(super) sources: Vec<TableSource>,
    /// Those that cannot be worked on: the inputs cannot be read, or hold no logs at all.
    pub(super) refused: Vec<(TableSource, Error)>,
    /// Those that are left out, since the inputs hold no logs of their type.
    pub(super) not_built: Vec<NotBuilt>,
}

/// A table that is left out.
#[derive(Debug, Clone, Serialize)]
pub(super) struct NotBuilt {
    table: String,
    dataset: &'static str,
    why: String,
}

impl Tables {
    /// The tables of a command that reads raw logs of these days.
    pub(super) fn of(
        settings: &Settings,
        days: DayRange,
        connector: &Connector,
        console: Console,
    ) -> Result<Self> {
        Self::of_all_but(settings, days, connector, console, |_| Ok(false))
    }

    /// [`of`](Self::of) for a command that looks at a lake: a table of which it has days is not left out.
    pub(super) fn of_lake(
        settings: &Settings,
        days: DayRange,
        connector: &Connector,
        console: Console,
        lake: &dyn Lake,
    ) -> Result<Self> {
        let is_known = |source: &TableSource| Ok(first_published(lake, &source.table)?.is_some());
        Self::of_all_but(settings, days, connector, console, is_known)
    }

    fn of_all_but(
        settings: &Settings,
        days: DayRange,
        connector: &Connector,
        console: Console,
        is_known: impl Fn(&TableSource) -> Result<bool>,
    ) -> Result<Self> {
        let sources = settings.tables()?;
        warn_of_lone_dates(sources, days, console);
        #[cfg(feature = "query")]
        warn_of_views(sources, console);
        if settings.log_types_named {
            let sources = sources.to_vec();
            return Ok(Self { sources, refused: Vec::new(), not_built: Vec::new() });
        }
        Self::by_content(sources, |source| holds_logs(source, days, connector), is_known, console)
    }

    /// Keeps the tables whose log type occurs in the inputs, and those that are known. If the inputs hold no logs at all,
    /// each table fails.
    fn by_content(
        sources: &[TableSource],
        holds: impl Fn(&TableSource) -> Result<bool>,
        is_known: impl Fn(&TableSource) -> Result<bool>,
        console: Console,
    ) -> Result<Self> {
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
        let mut not_built = Vec::new();
        for source in left {
            if is_known(&source)? {
                held.push(source);
            } else {
                let table = NotBuilt::of(&source);
                table.say(console);
                not_built.push(table);
            }
        }
        Ok(Self { sources: held, refused, not_built })
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
        "check that the path is right and mounted, or name the log type with --dataset {dataset} to include it"
    ))
}

impl NotBuilt {
    fn of(source: &TableSource) -> Self {
        let dataset = source.dataset.name();
        Self { table: source.table.clone(), dataset, why: format!("the inputs hold no {dataset} logs") }
    }

    fn say(&self, console: Console) {
        let Self { table, dataset, why } = self;
        let hint = format!("name it with --dataset {dataset} to include it");
        match console.format {
            LogFormat::Text => console.info(&format!("{table}: not built: {why} ({hint})"), &[]),
            LogFormat::Json => {
                let about = [("table", table.as_str().into()), ("dataset", (*dataset).into())];
                let facts = [("why", why.as_str().into()), ("hint", hint.into())];
                console.info("not_built", &[about, facts].concat());
            }
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

/// In the catalog no table and view of one name can be side by side, and queries read the table.
#[cfg(feature = "query")]
fn warn_of_views(sources: &[TableSource], console: Console) {
    let is_view = |source: &&TableSource| crate::query::VIEWS.iter().any(|view| view.name == source.table);
    for source in sources.iter().filter(is_view) {
        let hint = "name the table otherwise with --table, or in the config file";
        console.warn(
            "the table has the name of a view of glue/sql, which cannot be used beside it",
            &[("table", source.table.as_str().into()), ("hint", hint.into())],
        );
    }
}

fn inputs_of(sources: &[TableSource]) -> impl Iterator<Item = &str> {
    sources.iter().flat_map(|source| &source.inputs).map(String::as_str)
}

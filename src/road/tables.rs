//! Decides which tables a command works on.
//!
//! Log types that were named are always built. If none was named, the inputs decide: a table without logs in the inputs is
//! left out before the command locks, reports or writes anything for it. A wrong input therefore cannot empty a day.

use serde::Serialize;

use crate::audit::freshness::first_published;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::plan::{TableSource, TableSpec, holds_logs};
use crate::store::{Connector, Lake};

/// The tables of a command.
pub struct Tables {
    /// Tables to work on.
    pub sources: Vec<TableSource>,
    /// Tables that fail, because the inputs cannot be read or hold no logs at all.
    pub refused: Vec<(TableSource, Error)>,
    /// Tables that are left out, because the inputs hold no logs of their type.
    pub not_built: Vec<NotBuilt>,
}

/// A table that is left out.
#[derive(Debug, Clone, Serialize)]
pub struct NotBuilt {
    /// Name of the table.
    pub table: String,
    /// Name of its log type.
    pub dataset: &'static str,
    /// Why it is left out.
    pub why: String,
}

impl Tables {
    /// Returns the tables of a command that reads raw logs of these days. `named` is true if their log types were named.
    pub fn of(sources: &[TableSource], named: bool, days: DayRange, connector: &Connector) -> Result<Self> {
        Self::of_all_but(sources, named, days, connector, |_| Ok(false))
    }

    /// Does the same as [`of`](Self::of) for a command that reads a lake. It keeps every table that has days in the lake.
    pub fn of_lake(
        sources: &[TableSource],
        named: bool,
        days: DayRange,
        connector: &Connector,
        lake: &dyn Lake,
    ) -> Result<Self> {
        let is_known = |source: &TableSource| Ok(first_published(lake, &source.spec.table)?.is_some());
        Self::of_all_but(sources, named, days, connector, is_known)
    }

    fn of_all_but(
        sources: &[TableSource],
        named: bool,
        days: DayRange,
        connector: &Connector,
        is_known: impl Fn(&TableSource) -> Result<bool>,
    ) -> Result<Self> {
        if named {
            return Ok(Self { sources: sources.to_vec(), refused: Vec::new(), not_built: Vec::new() });
        }
        Self::by_content(sources, |source| holds_logs(source, days, connector), is_known)
    }

    /// Keeps the known tables, and those whose log type occurs in the inputs. If the inputs hold no logs at all, every table
    /// fails.
    fn by_content(
        sources: &[TableSource],
        holds: impl Fn(&TableSource) -> Result<bool>,
        is_known: impl Fn(&TableSource) -> Result<bool>,
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
                not_built.push(NotBuilt::of(&source));
            }
        }
        Ok(Self { sources: held, refused, not_built })
    }

    /// Returns all tables to work on, or the first error.
    pub fn all(self) -> Result<Vec<TableSource>> {
        match self.refused.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(self.sources),
        }
    }
}

fn no_logs(source: &TableSource) -> Error {
    let TableSpec { table, dataset, inputs, .. } = &source.spec;
    Error::new(
        ErrorKind::Unusable,
        format!("the inputs hold no {dataset} logs and no other logs: nothing was changed"),
    )
    .with("table", table)
    .with("inputs", inputs.join(", "))
    .hint(format!(
        "check that the path is correct and mounted, or pass --dataset {dataset} to include the log type"
    ))
}

impl NotBuilt {
    fn of(source: &TableSource) -> Self {
        let dataset = source.spec.dataset.name();
        Self { table: source.spec.table.clone(), dataset, why: format!("the inputs hold no {dataset} logs") }
    }
}

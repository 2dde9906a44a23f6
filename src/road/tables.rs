//! Which tables a command works on.
//!
//! The log types that were named are made in any case. Where none was, the inputs decide: a table of which they hold
//! nothing is left out before anything of it is locked, reported or written, so that a wrong input empties no day.

use serde::Serialize;

use crate::audit::freshness::first_published;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::plan::{TableSource, TableSpec, holds_logs};
use crate::store::{Connector, Lake};

/// The tables of a command.
pub struct Tables {
    /// Those to work on.
    pub sources: Vec<TableSource>,
    /// Those that cannot be worked on: the inputs cannot be read, or hold no logs at all.
    pub refused: Vec<(TableSource, Error)>,
    /// Those that are left out, since the inputs hold no logs of their type.
    pub not_built: Vec<NotBuilt>,
}

/// A table that is left out.
#[derive(Debug, Clone, Serialize)]
pub struct NotBuilt {
    /// Name of the table.
    pub table: String,
    /// Name of its log type.
    pub dataset: &'static str,
    /// Why.
    pub why: String,
}

impl Tables {
    /// The tables of a command that reads raw logs of these days; `named` says whether their log types were named.
    pub fn of(sources: &[TableSource], named: bool, days: DayRange, connector: &Connector) -> Result<Self> {
        Self::of_all_but(sources, named, days, connector, |_| Ok(false))
    }

    /// [`of`](Self::of) for a command that looks at a lake: a table of which the lake has days is not left out.
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

    /// Keeps the tables whose log type occurs in the inputs, and those that are known. If the inputs hold no logs at all,
    /// each table fails.
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

    /// All of them, or the first error.
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
        format!("the inputs hold no {dataset} logs, nor any others: nothing is changed"),
    )
    .with("table", table)
    .with("inputs", inputs.join(", "))
    .hint(format!(
        "check that the path is right and mounted, or name the log type with --dataset {dataset} to include it"
    ))
}

impl NotBuilt {
    fn of(source: &TableSource) -> Self {
        let dataset = source.spec.dataset.name();
        Self { table: source.spec.table.clone(), dataset, why: format!("the inputs hold no {dataset} logs") }
    }
}

//! Decides which tables a command works on.
//!
//! Log types that were named are always built. If none was named, the inputs decide: a table without logs in the inputs is
//! left out before the command locks, reports or writes anything for it. A wrong input therefore cannot empty a day. If all
//! log types were named at once, the inputs decide about those that are not built by default.

use serde::Serialize;

use crate::audit::first_published;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::plan::{TableSource, holds_logs};
use crate::store::{Connector, Lake};

/// The tables of a command.
pub struct Tables {
    /// Tables to work on.
    pub sources: Vec<TableSource>,
    /// Tables that fail, because the inputs cannot be read or hold no logs at all.
    pub refused: Vec<Refusal>,
    /// Tables that are left out, because the inputs hold no logs of their type.
    pub not_built: Vec<NotBuilt>,
}

/// Which log types a flag, a variable or the config file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NamedLogTypes {
    /// None.
    #[default]
    None,
    /// All at once.
    All,
    /// Each of those to work on.
    Each,
}

/// Tables that fail for one reason.
pub struct Refusal {
    /// The sources of the tables; at least one.
    pub sources: Vec<TableSource>,
    /// The reason, which names all tables.
    pub error: Error,
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
    /// Returns the tables of a command that reads raw logs of these days.
    pub fn of(
        sources: &[TableSource],
        named: NamedLogTypes,
        days: DayRange,
        connector: &Connector,
    ) -> Result<Self> {
        Self::of_all_but(sources, named, days, connector, |_| Ok(false))
    }

    /// Does the same as [`of`](Self::of) for a command that reads a lake. It keeps every table that has days in the lake.
    pub fn of_lake(
        sources: &[TableSource],
        named: NamedLogTypes,
        days: DayRange,
        connector: &Connector,
        lake: &dyn Lake,
    ) -> Result<Self> {
        let is_known = |source: &TableSource| Ok(first_published(lake, &source.spec.table)?.is_some());
        Self::of_all_but(sources, named, days, connector, is_known)
    }

    fn of_all_but(
        sources: &[TableSource],
        named: NamedLogTypes,
        days: DayRange,
        connector: &Connector,
        is_known: impl Fn(&TableSource) -> Result<bool>,
    ) -> Result<Self> {
        let holds = |source: &TableSource| match named {
            NamedLogTypes::None => holds_logs(source, days, connector),
            // If the inputs cannot be read, the table itself reports why.
            NamedLogTypes::All if !source.spec.dataset.is_default() => {
                Ok(holds_logs(source, days, connector).unwrap_or(true))
            }
            NamedLogTypes::All | NamedLogTypes::Each => Ok(true),
        };
        Self::by_content(sources, holds, is_known)
    }

    /// Keeps the known tables, and those whose log type occurs in the inputs. If the inputs hold no logs at all, every table
    /// fails.
    fn by_content(
        sources: &[TableSource],
        holds: impl Fn(&TableSource) -> Result<bool>,
        is_known: impl Fn(&TableSource) -> Result<bool>,
    ) -> Result<Self> {
        let (mut held, mut left, mut refused) = (Vec::new(), Vec::new(), Vec::<Refusal>::new());
        for source in sources.iter().cloned() {
            match holds(&source) {
                Ok(true) => held.push(source),
                Ok(false) => left.push(source),
                // Log types that were not named have the same inputs, so one kind of failure has one cause.
                Err(error) => match refused.iter_mut().find(|known| known.error.kind() == error.kind()) {
                    Some(known) => known.sources.push(source),
                    None => refused.push(Refusal { sources: vec![source], error }),
                },
            }
        }
        if held.is_empty() && refused.is_empty() && !left.is_empty() {
            let error = no_logs(&left);
            refused.push(Refusal { sources: std::mem::take(&mut left), error });
        }
        let refused = refused.into_iter().map(Refusal::naming_tables).collect();
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
            Some(refusal) => Err(refusal.error),
            None => Ok(self.sources),
        }
    }
}

impl Refusal {
    /// Returns the failure of each table.
    #[must_use]
    pub fn failures(&self) -> Vec<(String, Error)> {
        self.sources.iter().map(|source| (source.spec.table.clone(), self.error.again())).collect()
    }

    fn naming_tables(self) -> Self {
        let tables: Vec<&str> = self.sources.iter().map(|source| source.spec.table.as_str()).collect();
        let name = if tables.len() == 1 { "table" } else { "tables" };
        let error = self.error.with(name, tables.join(", "));
        Self { error, ..self }
    }
}

/// The error for inputs, the same for all sources, that hold no logs at all.
fn no_logs(sources: &[TableSource]) -> Error {
    let log_types: Vec<&str> = sources.iter().map(|source| source.spec.dataset.name()).collect();
    let inputs = sources.first().map_or(&[][..], |source| &source.spec.inputs);
    let check = match inputs.iter().find(|input| input.starts_with("s3://")) {
        Some(input) => format!("check bucket and prefix: 'aws s3 ls {input}' shows what they hold"),
        None => "check that the path is correct and mounted".to_owned(),
    };
    let message = format!("the inputs hold no {} logs: nothing was changed", log_types.join(" or "));
    Error::new(ErrorKind::Unusable, message)
        .with("inputs", inputs.join(", "))
        .hint(format!("{check}; pass --dataset to include a log type without logs"))
}

impl NotBuilt {
    fn of(source: &TableSource) -> Self {
        let dataset = source.spec.dataset.name();
        Self { table: source.spec.table.clone(), dataset, why: format!("the inputs hold no {dataset} logs") }
    }
}

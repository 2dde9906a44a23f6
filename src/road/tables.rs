//! Decides which tables a command works on.
//!
//! Log types that were named are always built. For all others, the inputs decide: a table without logs in the inputs is left
//! out before the command locks, reports or writes anything for it, unless its published days come from these inputs. If the
//! inputs hold no logs of any log type, every table fails. A wrong input therefore cannot empty a day.

use serde::Serialize;

use crate::audit::{first_published, newest_manifest};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::plan::{
    Held, HeldLogs, Misplaced, MisplacedLogs, ServiceLogs, TableSource, holds_logs, one_spelling,
    other_services, rest_below,
};
use crate::store::{Connector, Lake};

/// The tables of a command.
#[derive(Default)]
pub struct Tables {
    /// Tables to work on.
    pub sources: Vec<TableSource>,
    /// Tables that fail, because the inputs cannot be read or hold no logs at all.
    pub refused: Vec<Refusal>,
    /// What is left out, because no table reads it.
    pub unread: Unread,
}

/// Log types without logs, and logs without a table.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Unread {
    /// Tables that are left out, because the inputs hold no logs of their type.
    pub not_built: Vec<NotBuilt>,
    /// Services of AWS whose logs the inputs hold and that no table reads.
    pub other_services: Vec<ServiceLogs>,
    /// Logs in folders of services whose tables are left out, while the table of their type does not search there.
    pub misplaced: Vec<MisplacedLogs>,
}

/// Tables that fail for one reason.
pub struct Refusal {
    /// The sources of the tables; at least one.
    pub sources: Vec<TableSource>,
    /// The reason.
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

/// The published days, which decide about a table without logs in the inputs.
#[derive(Clone, Copy)]
struct Published<'a> {
    lake: Option<&'a dyn Lake>,
    /// Whether the days of other inputs count.
    of_any_input: bool,
}

impl Tables {
    /// Returns the tables of a command that reads raw logs of these days and publishes to a lake, if any. It keeps a table
    /// without logs if its newest published day comes from these inputs.
    pub fn of(
        sources: &[TableSource],
        days: DayRange,
        connector: &Connector,
        lake: Option<&dyn Lake>,
    ) -> Result<Self> {
        let published = Published { lake, of_any_input: false };
        let mut tables = Self::by_content(sources, days, connector, published)?;
        let decided: Vec<TableSource> =
            tables.sources.iter().filter(|source| !source.is_named).cloned().collect();
        // Tables that cannot list the inputs report why.
        tables.unread.other_services = other_services(&decided, connector).unwrap_or_default();
        Ok(tables)
    }

    /// Does the same as [`of`](Self::of) for a command that inspects a lake. It keeps every table that has days in the lake.
    pub fn of_lake(
        sources: &[TableSource],
        days: DayRange,
        connector: &Connector,
        lake: &dyn Lake,
    ) -> Result<Self> {
        let published = Published { lake: Some(lake), of_any_input: true };
        Self::by_content(sources, days, connector, published)
    }

    fn by_content(
        sources: &[TableSource],
        days: DayRange,
        connector: &Connector,
        published: Published<'_>,
    ) -> Result<Self> {
        let (mut tables, mut groups) = (Self::default(), Vec::<Vec<TableSource>>::new());
        for source in sources.iter().cloned() {
            let same = |group: &&mut Vec<TableSource>| group[0].spec.inputs == source.spec.inputs;
            match groups.iter_mut().find(same) {
                _ if source.is_named => tables.sources.push(source),
                Some(group) => group.push(source),
                None => groups.push(vec![source]),
            }
        }
        let holds = |source: &TableSource| holds_logs(source, days, connector);
        let mut misplaced = Misplaced::default();
        for group in groups {
            misplaced.extend(tables.add(group, &holds, published)?);
        }
        tables.unread.misplaced = misplaced.counts();
        let place =
            |table: &TableSource| sources.iter().position(|source| source.spec.table == table.spec.table);
        tables.sources.sort_by_key(place);
        Ok(tables)
    }

    /// Adds the tables of the same inputs: those whose log type occurs, and the known ones. If the inputs hold no logs at all,
    /// every table fails. Returns the misplaced logs that the search for the others has met.
    fn add(
        &mut self,
        group: Vec<TableSource>,
        holds: &dyn Fn(&TableSource) -> Result<HeldLogs>,
        published: Published<'_>,
    ) -> Result<Misplaced> {
        let (mut held, mut left, mut refused) = (Vec::new(), Vec::new(), Vec::<Refusal>::new());
        let (mut most, mut misplaced) = (Held::No, Misplaced::default());
        for source in group {
            match holds(&source) {
                Ok(HeldLogs { held: Held::Yes, .. }) => held.push(source),
                Ok(found) => {
                    most = most.max(found.held);
                    misplaced.extend(found.misplaced);
                    left.push(source);
                }
                // The inputs are the same, so one kind of failure has one cause.
                Err(error) => match refused.iter_mut().find(|known| known.error.kind() == error.kind()) {
                    Some(known) => known.sources.push(source),
                    None => refused.push(Refusal { sources: vec![source], error }),
                },
            }
        }
        let mut unknown = Vec::new();
        if !held.is_empty() || !refused.is_empty() || most == Held::Perhaps {
            for source in left {
                let place = if published.keep(&source)? { &mut held } else { &mut unknown };
                place.push(source);
            }
        } else {
            unknown = left;
        }
        if held.is_empty() && refused.is_empty() {
            let error = no_logs(&unknown, most, &misplaced.counts());
            refused.push(Refusal { sources: std::mem::take(&mut unknown), error });
        }
        for refusal in refused {
            self.refused.push(refusal.of_published(published)?);
        }
        self.unread.not_built.extend(unknown.iter().map(NotBuilt::of));
        self.sources.extend(held);
        Ok(misplaced)
    }

    /// Returns all tables to work on, or the first error.
    pub fn all(self) -> Result<Vec<TableSource>> {
        match self.refused.into_iter().next() {
            Some(refusal) => Err(refusal.error),
            None => Ok(self.sources),
        }
    }
}

impl Published<'_> {
    /// Whether a table without logs in the inputs belongs to the command.
    fn keep(self, source: &TableSource) -> Result<bool> {
        let Some(lake) = self.lake.filter(|_| !self.of_any_input) else { return self.hold(source) };
        let Some(newest) = newest_manifest(lake, &source.spec.table)? else { return Ok(false) };
        let inputs: Vec<String> = source.spec.inputs.iter().map(|input| one_spelling(input)).collect();
        let is_inside = |address: &String| {
            let address = one_spelling(address);
            inputs.iter().any(|input| rest_below(input, &address).is_some())
        };
        Ok(newest.inputs.iter().all(is_inside) && self.hold(source)?)
    }

    /// Whether a table has a published day that has read a log.
    fn hold(self, source: &TableSource) -> Result<bool> {
        let first = self.lake.map(|lake| first_published(lake, &source.spec.table)).transpose()?;
        Ok(first.flatten().is_some())
    }
}

impl Refusal {
    /// Returns the failure of each table.
    #[must_use]
    pub fn failures(&self) -> Vec<(String, Error)> {
        self.sources.iter().map(|source| (source.spec.table.clone(), self.error.again())).collect()
    }

    /// Limits a refusal to the tables that have published days, if any, and names them.
    fn of_published(self, published: Published<'_>) -> Result<Self> {
        let Self { sources, error } = self;
        let mut known = Vec::new();
        for source in &sources {
            if published.hold(source)? {
                known.push(source.clone());
            }
        }
        if known.is_empty() {
            return Ok(Self { sources, error });
        }
        let sources = known;
        let tables: Vec<&str> = sources.iter().map(|source| source.spec.table.as_str()).collect();
        let name = if tables.len() == 1 { "table" } else { "tables" };
        let error = error.with(name, tables.join(", "));
        Ok(Self { sources, error })
    }
}

/// The error for inputs, the same for all sources, that hold no logs at all, or perhaps logs of other days or misplaced ones.
fn no_logs(sources: &[TableSource], held: Held, misplaced: &[MisplacedLogs]) -> Error {
    let log_types: Vec<&str> = sources.iter().map(|source| source.spec.dataset.name()).collect();
    let inputs = sources.first().map_or(&[][..], |source| &source.spec.inputs);
    let check = match inputs.iter().find(|input| input.starts_with("s3://")) {
        Some(input) => format!("check bucket and prefix: 'aws s3 ls {input}' shows what they hold"),
        None => "check that the path is correct and mounted".to_owned(),
    };
    let (what, check) = match held {
        Held::Perhaps => (
            "the inputs hold no logs of these days: nothing was changed",
            "logs of other days are there: 'logmill discover' shows which".to_owned(),
        ),
        Held::No | Held::Yes => ("the inputs hold no logs of a known log type: nothing was changed", check),
    };
    let error = Error::new(ErrorKind::Unusable, what)
        .with("inputs", inputs.join(", "))
        .with("log_types", log_types.join(", "));
    let Some(first) = misplaced.first() else {
        return error.hint(format!("{check}; pass --dataset to include a log type without logs"));
    };
    error.with("misplaced", &first.first).hint(format!(
        "move logs of {} out of the folders of other services, which their tables do not search",
        first.dataset
    ))
}

impl NotBuilt {
    fn of(source: &TableSource) -> Self {
        let dataset = source.spec.dataset.name();
        Self {
            table: source.spec.table.clone(),
            dataset,
            why: format!("the inputs hold no {dataset} logs outside the folders of other services"),
        }
    }
}

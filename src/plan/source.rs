//! Where the rows of a table come from.

use super::key_times::Wanted;
use super::{KeyTimes, TablePlan};
use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::rules::RedactRules;
use crate::store::{Connector, SourceAccess, Store};
use crate::table::{Naming, Promotion};

/// Where a table's rows come from, resolved from the settings.
#[derive(Clone)]
pub struct TableSource {
    /// Name of the table.
    pub table: String,
    /// The log type.
    pub dataset: &'static dyn Dataset,
    /// Folders or files with raw logs.
    pub inputs: Vec<String>,
    /// How they are reached.
    pub access: SourceAccess,
    /// How the columns are called.
    pub naming: Naming,
    /// JSON values with columns of their own.
    pub promote: Vec<Promotion>,
    /// Rules by which rows are left out.
    pub filter: Vec<String>,
    /// Which values are masked.
    pub redact: RedactRules,
    /// How long after the day its objects are awaited, in milliseconds.
    pub lateness_ms: i64,
    /// What the times in the names of objects are worth.
    pub key_times: KeyTimes,
    /// Whether another table reads the same input, so that a key which says nothing must be judged by its content.
    pub shares_input: bool,
}

impl TableSource {
    /// The default table of a log type, with all rows of these inputs.
    #[must_use]
    pub fn new(dataset: &'static dyn Dataset, inputs: Vec<String>) -> Self {
        Self {
            table: dataset.default_table().to_owned(),
            dataset,
            inputs,
            access: SourceAccess::default(),
            naming: Naming::Snake,
            promote: Vec::new(),
            filter: Vec::new(),
            redact: RedactRules::new(dataset.default_redactions()),
            lateness_ms: i64::from(dataset.default_lateness_hours()) * 3_600_000,
            key_times: KeyTimes::Trusted,
            shares_input: false,
        }
    }

    /// Opens the inputs.
    pub(super) fn stores(&self, connector: &Connector) -> Result<Vec<Box<dyn Store>>> {
        let open = |input: &String| connector.store(input, &self.access);
        let stores = self.inputs.iter().map(open).collect::<Result<Vec<_>>>()?;
        refuse_overlap(&stores)?;
        Ok(stores)
    }

    /// All that can feed some days.
    pub(super) fn wanted(&self, days: DayRange) -> Wanted {
        Wanted::new(days, self.lateness_ms, self.key_times)
    }

    /// A plan that reads nothing yet.
    #[must_use]
    pub fn empty_plan(&self) -> TablePlan {
        TablePlan {
            table: self.table.clone(),
            dataset: self.dataset.name().to_owned(),
            inputs: self.inputs.clone(),
            access: self.access.clone(),
            naming: self.naming,
            promote: self.promote.clone(),
            filter: self.filter.clone(),
            redact: self.redact.clone(),
            lateness_ms: self.lateness_ms,
            requests: 0,
            objects: Vec::new(),
            left: Vec::new(),
            counted: Vec::new(),
        }
    }
}

#[cfg(test)]
impl TableSource {
    /// A source without settings of its own.
    pub(super) fn plain(dataset: &'static dyn Dataset, input: String, lateness_ms: i64) -> Self {
        Self {
            table: dataset.default_table().to_owned(),
            dataset,
            inputs: vec![input],
            access: SourceAccess::default(),
            naming: Naming::Snake,
            promote: Vec::new(),
            filter: Vec::new(),
            redact: RedactRules::new(dataset.default_redactions()),
            lateness_ms,
            key_times: KeyTimes::Trusted,
            shares_input: false,
        }
    }
}

/// Of two inputs one in the other, every object would be read twice.
fn refuse_overlap(stores: &[Box<dyn Store>]) -> Result<()> {
    let roots = stores.iter().map(|store| store.root()).collect::<Result<Vec<_>>>()?;
    for (place, inner) in roots.iter().enumerate() {
        let mut others = roots.iter().enumerate().filter(|(other, _)| *other != place);
        if let Some((_, outer)) = others.find(|(_, outer)| path_below(outer, inner).is_some()) {
            return Err(Error::new(ErrorKind::Usage, "two inputs overlap")
                .with("input", inner)
                .with("lies in", outer)
                .hint("leave the inner one out: folders are read with all that is below them"));
        }
    }
    Ok(())
}

/// The path of `inner` below `outer`, empty for `outer` itself; `None` when it does not lie there.
fn path_below<'a>(outer: &str, inner: &'a str) -> Option<&'a str> {
    let rest = inner.strip_prefix(outer.trim_end_matches('/'))?;
    // A prefix in S3 may be what stands before the times in the names of logs.
    let is_glued =
        outer.starts_with("s3://") && !outer.ends_with('/') && rest.starts_with(|c: char| c.is_ascii_digit());
    if rest.is_empty() || is_glued { Some(rest) } else { rest.strip_prefix('/') }
}

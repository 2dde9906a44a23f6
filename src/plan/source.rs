//! The source of a table's rows.

use super::key_times::Wanted;
use super::{KeyTimes, TablePlan};
use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::rules::RedactRules;
use crate::store::{Connector, SourceAccess, Store};
use crate::table::{Naming, Promotion};

/// The source of a table's rows, resolved from the settings.
#[derive(Clone)]
pub struct TableSource {
    /// Name of the table.
    pub table: String,
    /// The log type.
    pub dataset: &'static dyn Dataset,
    /// Folders or files with raw logs.
    pub inputs: Vec<String>,
    /// How to access the inputs.
    pub access: SourceAccess,
    /// The naming of the columns.
    pub naming: Naming,
    /// JSON values that have columns of their own.
    pub promote: Vec<Promotion>,
    /// Rules that leave rows out.
    pub filter: Vec<String>,
    /// Which values are masked.
    pub redact: RedactRules,
    /// How long after the day its late objects are still expected, in milliseconds.
    pub lateness_ms: i64,
    /// Whether to trust the times in object names.
    pub key_times: KeyTimes,
    /// Whether another table reads the same input. If so, the content must decide about an object with an unclear key.
    pub shares_input: bool,
}

impl TableSource {
    /// Creates the source of a log type's default table, with all rows of these inputs.
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
            redact: RedactRules::default(),
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

    /// Returns the time windows of everything that can feed some days.
    pub(super) fn wanted(&self, days: DayRange) -> Wanted {
        Wanted::new(days, self.lateness_ms, self.key_times)
    }

    /// Returns a plan that reads nothing yet.
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
    /// Creates a source with default settings.
    pub(super) fn plain(dataset: &'static dyn Dataset, input: String, lateness_ms: i64) -> Self {
        Self {
            table: dataset.default_table().to_owned(),
            dataset,
            inputs: vec![input],
            access: SourceAccess::default(),
            naming: Naming::Snake,
            promote: Vec::new(),
            filter: Vec::new(),
            redact: RedactRules::default(),
            lateness_ms,
            key_times: KeyTimes::Trusted,
            shares_input: false,
        }
    }
}

/// Fails if an input contains another one, because objects would be read twice.
fn refuse_overlap(stores: &[Box<dyn Store>]) -> Result<()> {
    let roots = stores.iter().map(|store| store.root()).collect::<Result<Vec<_>>>()?;
    for (place, inner) in roots.iter().enumerate() {
        let mut others = roots.iter().enumerate().filter(|(other, _)| *other != place);
        if let Some((_, outer)) = others.find(|(_, outer)| path_below(outer, inner).is_some()) {
            return Err(Error::new(ErrorKind::Usage, "two inputs overlap")
                .with("input", inner)
                .with("inside", outer)
                .hint("remove the inner input: the outer one already includes its folders"));
        }
    }
    Ok(())
}

/// Returns the path of `inner` below `outer`, empty for `outer` itself; `None` if it is not there.
fn path_below<'a>(outer: &str, inner: &'a str) -> Option<&'a str> {
    let rest = inner.strip_prefix(outer.trim_end_matches('/'))?;
    // An S3 prefix may end inside a name, just before the time of the log.
    let is_glued =
        outer.starts_with("s3://") && !outer.ends_with('/') && rest.starts_with(|c: char| c.is_ascii_digit());
    if rest.is_empty() || is_glued { Some(rest) } else { rest.strip_prefix('/') }
}

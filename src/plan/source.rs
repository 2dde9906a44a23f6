//! Where the rows of a table come from.

use super::key_times::Wanted;
use super::{KeyTimes, TableSpec};
use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::store::{Connector, Store};

/// A table to build, and how its inputs are searched, resolved from the settings.
#[derive(Clone)]
pub struct TableSource {
    /// The table.
    pub spec: TableSpec,
    /// What the times in the names of objects are worth.
    pub key_times: KeyTimes,
    /// Whether another table reads the same input, so that a key which says nothing must be judged by its content.
    pub shares_input: bool,
}

impl TableSource {
    /// The default table of a log type, with all rows of these inputs.
    #[must_use]
    pub fn new(dataset: &'static dyn Dataset, inputs: Vec<String>) -> Self {
        let spec = TableSpec::new(dataset, inputs);
        Self { spec, key_times: KeyTimes::Trusted, shares_input: false }
    }

    /// Opens the inputs.
    pub(super) fn stores(&self, connector: &Connector) -> Result<Vec<Box<dyn Store>>> {
        let stores = self.spec.open_inputs(connector)?;
        refuse_overlap(&stores)?;
        Ok(stores)
    }

    /// All that can feed some days.
    pub(super) fn wanted(&self, days: DayRange) -> Wanted {
        Wanted::new(days, self.spec.lateness_ms, self.key_times)
    }
}

impl AsRef<TableSpec> for TableSource {
    fn as_ref(&self) -> &TableSpec {
        &self.spec
    }
}

#[cfg(test)]
impl TableSource {
    /// A source without settings of its own.
    pub(super) fn plain(dataset: &'static dyn Dataset, input: String, lateness_ms: i64) -> Self {
        let mut source = Self::new(dataset, vec![input]);
        source.spec.lateness_ms = lateness_ms;
        source
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

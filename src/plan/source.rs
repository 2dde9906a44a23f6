//! The source of a table's rows.

use super::content::KnownContents;
use super::digest_options::DigestOptions;
use super::key_times::Wanted;
use super::{KeyTimes, TableSpec};
use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, UtcInstant};
use crate::store::{Connector, Store};

/// A table to build, and how its inputs are searched, resolved from the settings.
#[derive(Clone)]
pub struct TableSource {
    /// The table.
    pub spec: TableSpec,
    /// Whether the log type is named. If not, the table is built only if its inputs hold logs of the type.
    pub is_named: bool,
    /// Whether to trust the times in object names.
    pub key_times: KeyTimes,
    /// Whether another table reads the same input. If so, the content must decide about an object with an unclear key.
    pub shares_input: bool,
    /// What is known about the content of objects. Tables that read the same inputs share it.
    pub contents: KnownContents,
    /// Whether and how digests prove its days.
    pub digests: DigestOptions,
}

impl TableSource {
    /// Creates the source of a log type's default table, with all rows of these inputs.
    #[must_use]
    pub fn new(dataset: &'static dyn Dataset, inputs: Vec<String>) -> Self {
        let spec = TableSpec::new(dataset, inputs);
        let digests = DigestOptions::default();
        Self {
            spec,
            is_named: true,
            key_times: KeyTimes::Trusted,
            shares_input: false,
            contents: KnownContents::default(),
            digests,
        }
    }

    /// Opens the inputs.
    pub(super) fn stores(&self, connector: &Connector) -> Result<Vec<Box<dyn Store>>> {
        self.open_stores(connector).map_err(|error| error.with("table", &self.spec.table))
    }

    /// Opens the inputs. An error does not name the table.
    pub(super) fn open_stores(&self, connector: &Connector) -> Result<Vec<Box<dyn Store>>> {
        let stores = self.spec.open_inputs(connector)?;
        refuse_overlap(&stores)?;
        Ok(stores)
    }

    /// Returns the time that a listing of the inputs from now on is not older than. Folders are listed again each time; see
    /// [`Connector::listed_since`] for buckets and `known`.
    #[must_use]
    pub fn listed_since(
        &self,
        connector: &Connector,
        now: UtcInstant,
        known: Option<UtcInstant>,
    ) -> UtcInstant {
        let has_bucket = self.spec.inputs.iter().any(|input| input.starts_with("s3://"));
        if has_bucket { connector.listed_since(now, known) } else { now }
    }

    /// Returns the time windows of everything that can feed some days.
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
    /// Creates a source with default settings.
    pub(super) fn plain(dataset: &'static dyn Dataset, input: String, lateness_ms: i64) -> Self {
        let mut source = Self::new(dataset, vec![input]);
        source.spec.lateness_ms = lateness_ms;
        source
    }
}

/// Fails if an input contains another one, because objects would be read twice.
fn refuse_overlap(stores: &[Box<dyn Store>]) -> Result<()> {
    let roots = stores.iter().map(|store| store.root()).collect::<Result<Vec<_>>>()?;
    for (place, inner) in roots.iter().enumerate() {
        let mut others = roots.iter().enumerate().filter(|(other, _)| *other != place);
        if let Some((_, outer)) = others.find(|(_, outer)| rest_below(outer, inner).is_some()) {
            if rest_below(inner, outer).is_some() {
                return Err(Error::new(ErrorKind::Usage, "an input is given twice")
                    .with("input", inner)
                    .hint("remove one of the two: an input has the logs of all tables"));
            }
            return Err(Error::new(ErrorKind::Usage, "two inputs overlap")
                .with("input", inner)
                .with("inside", outer)
                .hint("remove the inner input: the outer one already includes its folders"));
        }
    }
    Ok(())
}

/// Returns an address in one spelling: a folder or file by its absolute path, without `.` and repeated slashes. `in`, `./in`
/// and `/data/in` are then equal in `/data`. Links and `..` remain, because they need the file system.
pub(crate) fn one_spelling(address: &str) -> String {
    if address.starts_with("s3://") {
        return address.to_owned();
    }
    let path = std::path::absolute(address);
    path.map_or_else(|_| address.to_owned(), |path| path.to_string_lossy().trim_end_matches('/').to_owned())
}

/// Whether two lists name the same inputs, in any spelling.
pub(crate) fn are_same_inputs(some: &[String], others: &[String]) -> bool {
    let is_same = |(one, other): (&String, &String)| one == other || one_spelling(one) == one_spelling(other);
    some.len() == others.len() && some.iter().zip(others).all(is_same)
}

/// Returns the rest of an address behind an input, empty or with its leading `/`; `None` if the address is not inside the
/// input.
pub(crate) fn rest_below<'a>(input: &str, address: &'a str) -> Option<&'a str> {
    let rest = address.strip_prefix(input.trim_end_matches('/'))?;
    // An S3 prefix may end inside a name, just before the time of the log.
    let is_glued =
        input.starts_with("s3://") && !input.ends_with('/') && rest.starts_with(|c: char| c.is_ascii_digit());
    (rest.is_empty() || rest.starts_with('/') || is_glued).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_the_same_in_any_spelling() {
        let absolute = std::path::absolute("in").unwrap().to_string_lossy().into_owned();
        for (one, other, expected) in [
            ("in", "./in", true),
            ("in", absolute.as_str(), true),
            ("in/", ".//in", true),
            ("in", "in/more", false),
            ("in", "other/../in", false),
            ("s3://bucket/in", "s3://bucket/in", true),
            ("s3://bucket/in", "s3://bucket/in/", false),
        ] {
            let [some, others] = [one, other].map(|input| vec![input.to_owned()]);
            assert_eq!(are_same_inputs(&some, &others), expected, "{one} {other}");
        }
    }
}

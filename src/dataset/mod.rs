//! The log types: one folder each, and the list of them.
//!
//! A dataset knows what its raw objects are called, what a record means and which columns it has. It knows no file, no
//! store and no catalog. To add a log type, add a folder with an implementation of [`Dataset`] and a line in [`ALL`].

pub mod cloudtrail;
mod log_type;
pub mod object_key;
pub mod s3_access;
mod table_shape;

pub use log_type::LogType;
pub use object_key::{FolderDates, KeyClaim, KeyTime, TimeInKey};
pub use table_shape::TableShape;

use crate::error::{Error, ErrorKind, Result};
use crate::table::{Naming, Promotion, Rows, TableSchema};

/// Every log type that logmill knows.
pub static ALL: [&dyn Dataset; 2] = [&cloudtrail::CloudTrail, &s3_access::S3Access];

/// A log type.
pub trait Dataset: Send + Sync {
    /// Name on the command line, in plans and manifests.
    fn name(&self) -> &'static str;

    /// Table name where the user gives none.
    fn default_table(&self) -> &'static str;

    /// How long after the end of a day its objects are still awaited where the user says nothing, in hours.
    fn default_lateness_hours(&self) -> u32;

    /// Whether an object is one of this dataset, judged by its path alone: the folders above the input count, too, where
    /// they are known.
    fn claim(&self, path: &str) -> KeyClaim;

    /// Where the time in the name of an object stands, if it has one in the order of which names are sorted.
    fn time_in_key(&self, key: &str) -> Option<TimeInKey>;

    /// Whether AWS divides a folder by dates, `YYYY/MM/DD`, judged by its path alone. Other things may lie beside the years.
    fn holds_days(&self, folder: &str) -> bool;

    /// Whether the first bytes of an object, decompressed, look like this dataset: for keys that say nothing.
    fn recognises(&self, head: &[u8]) -> bool;

    /// The columns, with the JSON values that the user wants as columns of their own.
    fn schema(&self, naming: Naming, promoted: &[Promotion]) -> TableSchema;

    /// Fewest bytes, unpacked, of a row that is not rejected.
    fn fewest_row_bytes(&self) -> u64;

    /// A decoder for a table of this dataset.
    fn decoder(&self, schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder>;
}

/// Turns the bytes of objects into rows; knows no file and does no I/O.
///
/// Bytes are pushed: [`decode`](Self::decode) takes what is complete and says how much it used; the rest comes again,
/// longer, with the next call. One decoder serves many objects, one after the other.
pub trait Decoder: Send {
    /// A new object begins.
    fn begin(&mut self);

    /// Decodes the complete rows at the front of `bytes` and returns the number of bytes used. Once `rows` are
    /// [full of rejected ones](Rows::is_full_of_rejections), it stops after one of them; complete rows may then be left.
    fn decode(&mut self, bytes: &[u8], rows: &mut Rows) -> usize;

    /// The object ends cleanly with `rest`, the bytes that [`decode`](Self::decode) did not use.
    fn finish(&mut self, rest: &[u8], rows: &mut Rows);

    /// The number that the next record or line would have, from 1.
    fn next_record(&self) -> u32;
}

/// Caps on what comes from outside.
#[derive(Debug, Clone, Copy)]
pub struct DecodeLimits {
    /// A longer record or line is rejected. Athena reads no row beyond 32 MiB.
    pub max_record_bytes: usize,
}

impl DecodeLimits {
    /// The limits of Athena.
    pub const ATHENA: Self = Self { max_record_bytes: 32 << 20 };
}

/// The names of all log types, as people read them: `cloudtrail, s3-access`.
#[must_use]
pub fn names() -> String {
    ALL.map(Dataset::name).join(", ")
}

/// The dataset of a name that stands in a plan, a manifest or a report: a newer version may know more of them.
pub fn require(name: &str) -> Result<&'static dyn Dataset> {
    named(name).ok_or_else(|| {
        Error::new(ErrorKind::Unusable, format!("unknown log type '{name}'"))
            .with("known", names())
            .hint("use the version of logmill that wrote it")
    })
}

/// The dataset of a name.
#[must_use]
pub fn named(name: &str) -> Option<&'static dyn Dataset> {
    ALL.into_iter().find(|dataset| dataset.name() == name)
}
